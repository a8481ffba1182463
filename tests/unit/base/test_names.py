"""The rule for names of models and versions."""

from __future__ import annotations

import pytest

from edge_aiops.base.errors import InvalidInput
from edge_aiops.base.names import valid_name


@pytest.mark.parametrize("name", ["a", "7", "iris", "resnet-50", "v1.2.3", "a_b", "a..b", "a" * 64])
def test_a_name_is_given_back_as_it_is(name: str) -> None:
    assert valid_name(name, field="modelName") == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a" * 65,
        "Iris",
        "..",
        ".hidden",
        "trailing.",
        "-a",
        "a-",
        "../a",
        "a/b",
        "a\\b",
        "%2e%2e%2f",
        "a b",
        "a\n",
        "\na",
        "a\0b",
        "a\r\nb",
        "\u202eabc",
        "\u0430bc",
        "é",
        "\uff41",
        "٣",
        "\ud800",
        "x" * 100_000,
    ],
)
def test_what_is_no_name_is_refused_with_the_field_and_the_rule(name: str) -> None:
    with pytest.raises(InvalidInput, match="use 1 to 64 of a-z") as refused:
        valid_name(name, field="modelName")
    assert refused.value.fields[0].field == "modelName"
    assert len(refused.value.message) < 300
    refused.value.message.encode()
