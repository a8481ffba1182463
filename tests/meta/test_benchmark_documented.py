"""Every field of a benchmark is documented."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from edge_aiops.plugin.drawn import FREE_IMAGE_SIZE, FREE_SIZE
from edge_aiops.serving.benchmark.history import KEPT
from edge_aiops.serving.benchmark.inputs import GENERATED
from edge_aiops.serving.benchmark.messages import BenchmarkRequest, OutputAgreement

PAGE = (Path(__file__).parents[2] / "docs" / "benchmark.md").read_text("utf-8")


@pytest.mark.parametrize("kind", [BenchmarkRequest, OutputAgreement])
def test_every_field_is_documented(kind: type[msgspec.Struct]) -> None:
    assert [field.encode_name for field in msgspec.structs.fields(kind) if f"`{field.encode_name}`" not in PAGE] == []


def test_defaults_are_documented_as_they_are() -> None:
    for field in msgspec.structs.fields(BenchmarkRequest):
        if isinstance(field.default, int | float):
            said = f"| `{field.encode_name}` | {str(field.default).lower()} |"
            assert said in PAGE, said
    for said in (
        f"newest {KEPT} are kept",
        f"{GENERATED} inputs are drawn",
        f"are {FREE_SIZE}, and {FREE_IMAGE_SIZE} in",
    ):
        assert said in PAGE, said
