"""Values on the command line."""

from __future__ import annotations

from argparse import ArgumentTypeError
from pathlib import Path

import pytest

from edge_aiops.base.errors import InvalidInput
from edge_aiops.cli.register import upload_target
from edge_aiops.cli.values import json_content, json_or_text, names


@pytest.mark.parametrize(
    ("content", "wanted"),
    [("a\nb, c\n\n", ["a", "b, c"]), ('["a", "b, c"]', ["a", "b, c"]), ("", [])],
)
def test_names_come_from_a_file_if_there_is_one(tmp_path: Path, content: str, wanted: list[str]) -> None:
    file = tmp_path / "labels.txt"
    file.write_text(content)
    assert names(str(file)) == wanted


def test_names_come_from_between_commas_otherwise() -> None:
    assert names("setosa, versicolor,virginica") == ["setosa", "versicolor", "virginica"]


def test_a_file_of_names_that_is_broken_json_is_a_usage_error(tmp_path: Path) -> None:
    file = tmp_path / "labels.json"
    file.write_text('["a", ')
    with pytest.raises(ArgumentTypeError):
        names(str(file))


@pytest.mark.parametrize(
    ("text", "value"), [("7", 7), ("versicolor", "versicolor"), ('{"label": "a"}', {"label": "a"})]
)
def test_an_outcome_is_json_or_else_text(text: str, value: object) -> None:
    assert json_or_text(text) == value


def test_a_file_without_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"nothing\.json"):
        json_content(str(tmp_path / "nothing.json"))


def test_fields_without_a_parameter_of_their_own_travel_as_metadata() -> None:
    path, query = upload_target(
        {
            "modelName": "a b",
            "modelVersion": "1",
            "framework": "onnx",
            "classLabels": ["x"],
            "metadata": {"owner": "me"},
        }
    )
    assert path == "/models/a%20b/1/artifact"
    assert query == {"framework": "onnx", "stage": None, "metadata": '{"owner":"me","classLabels":["x"]}'}
