"""What is registered: a file, or a folder as one file, and the framework that its files tell."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from edge_aiops.base.errors import InvalidInput
from edge_aiops.cli.artifact import artifact_file, framework_of


def folder_of(path: Path, *names: str) -> Path:
    for name in names:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(name.encode())
    return path


@pytest.mark.parametrize(
    ("names", "framework"),
    [
        (["config.json", "tokenizer.json", "onnx/model.onnx", "onnx/model_int8.onnx"], "transformers"),
        (["saved_model.pb", "variables/variables.index"], "tensorflow"),
        (["model.tflite", "labels.txt"], "tensorflow"),
        (["model.keras"], "tensorflow"),
        (["model.onnx", "README.md"], "onnx"),
    ],
)
def test_the_files_of_a_folder_tell_the_framework(tmp_path: Path, names: list[str], framework: str) -> None:
    assert framework_of(folder_of(tmp_path, *names)) == framework


@pytest.mark.parametrize(
    ("names", "framework"),
    [(["config.json", "tokenizer.json"], "transformers"), (["saved_model.pb"], "tensorflow")],
)
def test_an_archive_tells_what_its_folder_would(tmp_path: Path, names: list[str], framework: str) -> None:
    with zipfile.ZipFile(tmp_path / "model.zip", "w") as archive:
        for name in names:
            archive.writestr(f"model/{name}", b"")
    assert framework_of(tmp_path / "model.zip") == framework


@pytest.mark.parametrize(
    ("name", "framework"), [("iris.onnx", "onnx"), ("iris.tflite", "tensorflow"), ("iris.keras", "tensorflow")]
)
def test_the_name_of_a_file_tells_the_framework(name: str, framework: str) -> None:
    assert framework_of(Path(name)) == framework


@pytest.mark.parametrize("names", [["weights.bin"], ["a.onnx", "b.tflite"]])
def test_files_that_do_not_tell_it_are_refused_with_the_remedy(tmp_path: Path, names: list[str]) -> None:
    with pytest.raises(InvalidInput, match="say it with --framework"):
        framework_of(folder_of(tmp_path, *names))


def test_neither_framework_nor_file_is_refused() -> None:
    with pytest.raises(InvalidInput, match="neither --framework nor --file is given"):
        framework_of(None)


def test_a_folder_travels_as_one_archive_that_is_gone_afterwards(tmp_path: Path) -> None:
    names = ["config.json", "onnx/model.onnx", "vocab.txt"]
    with artifact_file(folder_of(tmp_path, *names), "transformers") as path, zipfile.ZipFile(path) as archive:
        assert archive.namelist() == names
    assert not path.exists()


def test_the_only_model_in_a_folder_travels_as_it_is(tmp_path: Path) -> None:
    with artifact_file(folder_of(tmp_path, "README.md", "model.onnx"), "onnx") as path:
        assert path == tmp_path / "model.onnx"


def test_a_file_travels_as_it_is(tmp_path: Path) -> None:
    with artifact_file(tmp_path / "model.zip", "tensorflow") as path:
        assert path == tmp_path / "model.zip"
