"""all-MiniLM-L6-v2 as the folder that the Hugging Face hub has, made of the parts that `make models` fetches."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Literal

from edge_aiops.plugin.archives import pack
from tests.tools.bert_onnx import bert

Precision = Literal["fp32", "int8"]

_MODULES = {
    "modules.json": [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
    ],
    "1_Pooling/config.json": {
        "word_embedding_dimension": 384,
        "pooling_mode_cls_token": False,
        "pooling_mode_mean_tokens": True,
        "pooling_mode_max_tokens": False,
        "pooling_mode_mean_sqrt_len_tokens": False,
    },
    "sentence_bert_config.json": {"max_seq_length": 256, "do_lower_case": False},
}
_SHARED = ("config.json", "tokenizer.json", "tokenizer_config.json")


def minilm_folder(models_folder: Path, precision: Precision) -> Path:
    """The folder of the model in one precision, beside the other models; built once.

    `int8` has `onnx/model_quantized.onnx` (23 MB), `fp32` has `onnx/model.onnx` (90 MB).
    """
    folder = models_folder / "built" / f"minilm-{precision}"
    if not folder.exists():
        folder.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as started:
            _build(models_folder, precision, Path(started) / "new")
            _put(Path(started) / "new", folder)
    return folder


def minilm_archive(models_folder: Path, precision: Precision) -> Path:
    """The same folder as one zip archive."""
    folder = minilm_folder(models_folder, precision)
    archive = folder.with_suffix(".zip")
    if not archive.exists():
        with tempfile.TemporaryDirectory(dir=folder.parent) as started:
            _put(pack(folder, Path(started) / "new"), archive)
    return archive


def _build(models_folder: Path, precision: Precision, folder: Path) -> None:
    parts = models_folder / "minilm"
    (folder / "onnx").mkdir(parents=True)
    (folder / "1_Pooling").mkdir()
    for name in _SHARED:
        shutil.copyfile(parts / name, folder / name)
    for name, content in _MODULES.items():
        (folder / name).write_text(json.dumps(content))
    if precision == "int8":
        shutil.copyfile(models_folder / "minilm-int8/model.onnx", folder / "onnx/model_quantized.onnx")
    else:
        (folder / "onnx/model.onnx").write_bytes(bert(parts).SerializeToString())


def _put(new: Path, place: Path) -> None:
    """Another process may have been quicker; its work is the same."""
    try:
        new.rename(place)
    except OSError:
        if not place.exists():
            raise
