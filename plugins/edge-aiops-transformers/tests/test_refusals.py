"""Folders and options that cannot be served are refused, with the file or option and what to do."""

from __future__ import annotations

import asyncio
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from edge_aiops_transformers.backend import TransformersBackend
from onnx import helper, numpy_helper

from edge_aiops.plugin import InvalidModel, ModelSource
from edge_aiops.testing import models
from edge_aiops.testing.models import saved_with_external_data
from tests.tools.text_models import Built, loaded, texts


def changed(archive: Path, copy: Path) -> Path:
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 0xFF
    copy.write_bytes(content)
    return copy


async def refusal(path: Path, **options: Any) -> str:
    with pytest.raises(InvalidModel) as caught:
        await loaded(path, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"poling": "mean"}, "options.poling: there is no such option; did you mean pooling?"),
        (
            {"aggregation": "max"},
            "options.aggregation: is for token-classification; the task of this",
        ),
        ({"task": "tensors", "maxLength": 9}, "options.maxLength: is for embedding and text-classification"),
        ({"maxLength": 513}, "options.maxLength: the model has 512 positions, so 513 is too long"),
        ({"maxLength": 2}, "options.maxLength: 2 tokens leave no room beside 2 special tokens"),
        ({"variant": "q4"}, "options.variant: the model has no variant 'q4'; its ONNX files are: onnx/model_quantized"),
        ({"variant": "../x"}, "options.variant"),
        ({"task": "translation"}, "options.task: Invalid enum value 'translation'"),
        ({"hypothesisTemplate": "none"}, "options.hypothesisTemplate: expected one {} for the label, got 'none'"),
        ({"candidateLabels": ["a", "a"]}, "options.candidateLabels: a label is there twice"),
        ({"task": "text-classification"}, "no output of floating-point numbers with 2 dimensions; it has last_hidden"),
    ],
)
async def test_a_wrong_option_is_refused_by_name(int8: Path, options: dict[str, Any], message: str) -> None:
    assert message in await refusal(int8, **options)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"config.json": b"{"}, "config.json: "),
        ({"config.json": b'{"id2label": 3}'}, "config.json: Expected `object | null`, got `int` - at `$.id2label`"),
        ({"config.json": b'{"architectures": ["BertForMaskedLM"]}'}, "options.task: config.json says BertForMaskedLM"),
        ({"config.json": b"{}"}, "options.task: config.json names no architecture"),
        ({"tokenizer.json": b"{}"}, "tokenizer.json cannot be read: "),
        ({"tokenizer.json": b"\xff\xfe"}, "tokenizer.json cannot be read: "),
        ({"tokenizer_config.json": b"[]"}, "tokenizer_config.json: Expected `object`, got `array`"),
        ({}, "the model has no ONNX file; it has: config.json, tokenizer.json, tokenizer_config.json; export it with"),
        ({"model.safetensors": b""}, "PyTorch only, which are not served; export it with: pip install 'optimum[onnx]'"),
        (
            {"model_q4.onnx": b"", "model_fp16.onnx": b""},
            "no model.onnx; choose a variant; its ONNX files are: ",
        ),
        ({"onnx/model.onnx": b"<html>"}, "onnx/model.onnx: the artifact is not an ONNX model; it looks like text"),
    ],
)
async def test_a_file_that_is_missing_or_damaged_is_named(built: Built, files: dict[str, bytes], message: str) -> None:
    assert message in await refusal(built(None, files))


async def test_a_folder_of_something_else_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"x")
    assert "no folder of a Hugging Face model: it has no config.json; it has: saved_model.pb" in await refusal(tmp_path)


async def test_an_archive_with_a_changed_byte_is_refused(int8: Path, tmp_path: Path) -> None:
    assert "cannot be read from the archive: Bad CRC-32" in await refusal(changed(int8, tmp_path / "damaged.zip"))


async def test_an_input_that_texts_do_not_give_is_refused_by_name(encoder: onnx.ModelProto, built: Built) -> None:
    graph = onnx.ModelProto.FromString(encoder.SerializeToString())
    graph.graph.input.append(models.tensor("pixel_values", np.float32, "batch", 3))
    assert "the graph has an input 'pixel_values', which a text does not give" in await refusal(built(graph))


async def test_a_graph_of_no_texts_is_refused(built: Built) -> None:
    assert "the graph has an input 'input'" in await refusal(built(models.mlp()))


async def test_weights_in_a_file_beside_the_graph_are_read_from_the_archive(
    tmp_path: Path, encoder: onnx.ModelProto, int8: Path
) -> None:
    graph = onnx.ModelProto.FromString(encoder.SerializeToString())
    onnx.save(graph, str(tmp_path / "model.onnx"), save_as_external_data=True, location="model.onnx_data")
    with zipfile.ZipFile(int8) as whole, zipfile.ZipFile(tmp_path / "model.zip", "w") as archive:
        for name in whole.namelist():
            if not name.endswith(".onnx"):
                archive.writestr(name, whole.read(name))
        for name in ("model.onnx", "model.onnx_data"):
            archive.write(tmp_path / name, f"onnx/{name}")
    (tmp_path / "model.onnx_data").unlink()
    session, plain = await loaded(tmp_path / "model.zip"), await loaded(int8)
    given = [(await model.predict(texts("hello world")))["embedding"] for model in (session, plain)]
    np.testing.assert_allclose(given[0], given[1], atol=1e-6)
    await session.close()
    await plain.close()


async def test_weights_in_a_file_elsewhere_are_refused(tmp_path: Path, built: Built, encoder: onnx.ModelProto) -> None:
    graph = onnx.ModelProto.FromString(encoder.SerializeToString())
    path = saved_with_external_data(graph, tmp_path / "graph.onnx", location="secret.bin")
    assert "kept in another file" in await refusal(
        built(None, {"onnx/model.onnx": path.read_bytes(), "secret.bin": b"x"})
    )


async def test_an_older_folder_with_a_vocabulary_only_is_converted_by_transformers(
    tmp_path: Path, built: Built, encoder: onnx.ModelProto, int8: Path
) -> None:
    pytest.importorskip("transformers")
    folder = built(encoder)
    vocabulary = json.loads((folder / "tokenizer.json").read_bytes())["model"]["vocab"]
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").write_text("\n".join(sorted(vocabulary, key=vocabulary.__getitem__)), encoding="utf-8")
    session, plain = await loaded(folder), await loaded(int8)
    given = [(await model.predict(texts("Hello, Wörld!")))["embedding"] for model in (session, plain)]
    np.testing.assert_allclose(given[0], given[1], atol=1e-6)
    await session.close()
    await plain.close()


async def test_code_that_a_tokenizer_asks_for_is_never_run(
    built: Built, encoder: onnx.ModelProto, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    files = {
        "tokenizer_config.json": b'{"auto_map": {"AutoTokenizer": ["mine.Mine", null]}}',
        "mine.py": f"open({str(canary)!r}, 'w')".encode(),
        "vocab.txt": b"[UNK]",
    }
    folder = built(encoder, files)
    (folder / "tokenizer.json").unlink()
    assert "tokenizer_config.json asks for code of its own (auto_map), which is never run" in await refusal(folder)
    assert not canary.exists()


async def test_a_folder_without_any_vocabulary_is_refused(built: Built, encoder: onnx.ModelProto) -> None:
    folder = built(encoder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    assert "the model has no tokenizer.json; it has: config.json, model.onnx" in await refusal(folder)


def endless() -> onnx.ModelProto:
    """A graph that reads texts and repeats itself 2^62 times."""
    proto = models.slow_loop()
    del proto.graph.input[:]
    tokens = models.tensor("input_ids", np.int64, "batch", "sequence")
    proto.graph.input.append(tokens)
    constants = {"iterations": np.array(2**62), "input": np.ones(4, np.float32)}
    proto.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in constants.items())
    proto.graph.node.append(helper.make_node("Cast", ["input_ids"], ["floats"], to=onnx.TensorProto.FLOAT))
    proto.graph.node.append(helper.make_node("Unsqueeze", ["floats", "last"], ["column"]))
    proto.graph.node.append(helper.make_node("Add", ["column", "total"], ["last_hidden_state"]))
    proto.graph.initializer.append(numpy_helper.from_array(np.array([2]), "last"))
    del proto.graph.output[:]
    proto.graph.output.append(models.tensor("last_hidden_state", np.float32, "batch", "sequence", 4))
    return proto


async def test_a_model_without_an_artifact_is_refused() -> None:
    with pytest.raises(InvalidModel, match="has no artifact, and its backend needs one"):
        await TransformersBackend().load(ModelSource(name="m", version="1", path=None))


async def test_a_load_that_is_given_up_ends_also_where_the_graph_never_does(built: Built) -> None:
    load = asyncio.create_task(loaded(built(endless())))
    await asyncio.sleep(0.5)
    load.cancel()
    with pytest.raises(asyncio.CancelledError):
        await load
    # The thread that tried the model is free again: asyncio waits for it at its end, and would for ever.
    async with asyncio.timeout(10):
        await asyncio.get_running_loop().shutdown_default_executor()
