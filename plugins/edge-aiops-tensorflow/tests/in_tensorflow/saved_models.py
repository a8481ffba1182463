"""SavedModels in this process; the node loads them in a worker process."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import numpy as np
import pytest
import tensorflow as tf
from edge_aiops_tensorflow.backend import TensorflowBackend
from edge_aiops_tensorflow.session import TensorflowSession
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from edge_aiops.base.errors import ModelFailed
from edge_aiops.isolation.request import WorkerRequest
from edge_aiops.isolation.session import start_worker
from edge_aiops.plugin import InvalidInput, InvalidModel, ModelSource, Tensors, TensorSpec
from edge_aiops.plugin.archives import pack
from edge_aiops.testing.contract import BackendContract


def trusted(path: Path, **options: object) -> ModelSource:
    return ModelSource(name="model", version="1", path=path, options=options, trust="code")


async def loaded(path: Path, **options: object) -> TensorflowSession:
    return await TensorflowBackend().load(trusted(path, **options))


async def answer(path: Path, inputs: Tensors, **options: object) -> Tensors:
    session = await loaded(path, **options)
    outputs = await session.predict(inputs)
    await session.close()
    return outputs


async def refusal(path: Path, **options: object) -> str:
    with pytest.raises(InvalidModel) as caught:
        await loaded(path, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


class TestSavedModel(BackendContract):
    """In an archive, as it comes from the registry."""

    plugin = "edge_aiops_tensorflow.plugin"
    backend_name = "tensorflow"
    rounds = 3
    most_growth_bytes = 40 * 1024**2

    @pytest.fixture
    def source(self, samples: Path, tmp_path: Path) -> ModelSource:
        return trusted(pack(samples, tmp_path / "model.zip"))

    @pytest.fixture
    def inputs(self) -> Tensors:
        return {"features": np.random.default_rng(1).random((5, 16), np.float32)}


async def test_basic_pitch_answers_as_it_does_in_litert_and_onnx_runtime(models_folder: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    folder = models_folder / "basic-pitch"
    audio = 0.1 * np.random.default_rng(0).standard_normal((1, 43844, 1)).astype(np.float32)
    outputs = await answer(folder / "nmp", {"input_2": audio})
    lite = await answer(folder / "nmp.tflite", {"input_2": audio})
    reference = onnxruntime.InferenceSession(folder / "nmp.onnx")
    names = [output.name for output in reference.get_outputs()]
    onnx = dict(zip(names, reference.run(None, {reference.get_inputs()[0].name: audio}), strict=True))
    for name, number in {"contour": 0, "note": 1, "onset": 2}.items():
        np.testing.assert_allclose(outputs[name], lite[name], atol=1e-4)
        np.testing.assert_allclose(outputs[name], onnx[f"StatefulPartitionedCall:{number}"], atol=1e-4)


@pytest.fixture(scope="session")
def sentence_encoder(models_folder: Path, tfjs: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Universal Sentence Encoder Lite, whose text is a sparse tensor of token ids."""
    return tfjs.convert(models_folder / "use-lite" / "model.json", tmp_path_factory.mktemp("use") / "model")


def sparse_ids(vocabulary: Path, sentences: list[str]) -> Tensors:
    """SentencePiece ids as the encoder takes them: (sentence, position) and the id there."""
    pieces = [(piece, score or 0.0) for piece, score in json.loads(vocabulary.read_text())]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=0))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    ids = [tokenizer.encode(sentence).ids for sentence in sentences]
    places = [(row, place) for row, line in enumerate(ids) for place in range(len(line))]
    return {"indices": np.array(places, np.int64), "values": np.concatenate(ids).astype(np.int64)}


async def test_the_sentence_encoder_tells_near_sentences_from_far_ones(
    models_folder: Path, sentence_encoder: Path
) -> None:
    sentences = [
        "How old are you?",
        "What is your age?",
        "The pump in hall two is leaking oil.",
        "There is an oil leak at the pump of the second hall.",
    ]
    outputs = await answer(sentence_encoder, sparse_ids(models_folder / "use-lite" / "vocab.json", sentences))
    vectors = outputs["l2_normalize"]
    assert vectors.shape == (4, 512)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    nearness = vectors @ vectors.T
    near, far = [nearness[0, 1], nearness[2, 3]], nearness[:2, 2:]
    assert min(near) > far.max() + 0.2


async def test_strings_go_in_and_come_out_as_text(samples: Path) -> None:
    words = {"words": np.array(["über", "", "pump"], object)}
    outputs = await answer(samples, words, signature="lengths")
    assert list(outputs["lengths"]) == [4, 0, 4]
    assert list(outputs["upper"]) == ["üBER", "", "PUMP"]


async def test_half_floats_are_served_and_those_that_numpy_does_not_know_are_float32(samples: Path) -> None:
    session = await loaded(samples, signature="halves")
    assert session.signature.inputs == (
        TensorSpec("brain", "float32", (None, 4)),
        TensorSpec("half", "float16", (None, 4)),
    )
    outputs = await session.predict({"brain": np.ones((1, 4), np.float32), "half": np.ones((1, 4), np.float16)})
    assert {name: (array.dtype.name, *array[0]) for name, array in outputs.items()} == {
        "brain": ("float32", 2, 2, 2, 2),
        "half": ("float16", 2, 2, 2, 2),
    }
    await session.close()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"signature": "mine"},
            "options.signature: there is no signature 'mine'; the model has: complex, fails, halves, lengths, pairs, "
            "raw_bytes, serving_default, unranked",
        ),
        ({"tags": ["serve", "gpu"]}, "options.tags: no graph has the tags serve, gpu; the model has: serve"),
        ({"signature": "complex"}, "'z' has elements of type complex64; served are:"),
        ({"signature": "unranked"}, "the model does not say how many dimensions 'anything' has"),
        ({"interpreters": 2}, "options.interpreters: there is no such option"),
    ],
)
async def test_what_cannot_be_served_is_named(samples: Path, options: dict[str, Any], message: str) -> None:
    assert message in await refusal(samples, **options)


async def test_inputs_that_the_graph_cannot_take_are_invalid_and_the_model_goes_on(samples: Path) -> None:
    session = await loaded(samples, signature="pairs")
    with pytest.raises(
        InvalidInput, match=r"the model cannot run with these inputs: Matrix size-incompatible"
    ) as caught:
        await session.predict({"x": np.ones((2, 3), np.float32)})
    assert "\n" not in str(caught.value)
    outputs = await session.predict({"x": np.ones((2, 4), np.float32)})
    np.testing.assert_array_equal(outputs["y"], np.full((2, 2), 4))
    await session.close()


@pytest.mark.parametrize(
    ("signature", "kind", "message"),
    [("fails", RuntimeError, "TensorFlow: /no/such/file"), ("raw_bytes", ValueError, "'raw' holds bytes that are no")],
)
async def test_what_fails_in_the_graph_is_told_in_one_line(
    samples: Path, signature: str, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind) as caught:
        await answer(samples, {"x": np.ones(1, np.float32)}, signature=signature)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["saved_model.pb", "variables/variables.index"])
async def test_a_damaged_file_in_it_is_refused(samples: Path, tmp_path: Path, name: str) -> None:
    damaged = Path(shutil.copytree(samples, tmp_path / "model"))
    (damaged / name).write_bytes(b"\xff" * 100)
    assert "TensorFlow cannot load the model: " in await refusal(damaged)


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A SavedModel that gives back what it gets, and where that is above zero copies a file as well."""
    victim, stolen = tmp_path / "victim", tmp_path / "stolen"
    victim.write_text("secret")

    class Hostile(tf.Module):  # type: ignore[misc]
        @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
        def f(self, x: Any) -> Any:
            if x[0] > 0:
                tf.io.write_file(str(stolen), tf.io.read_file(str(victim)))
            return {"y": x}

    module = Hostile()
    tf.saved_model.save(module, str(tmp_path / "model"), signatures=module.f)
    return tmp_path / "model"


async def test_a_graph_that_copies_files_is_not_loaded_without_trust(hostile: Path) -> None:
    with pytest.raises(InvalidModel, match="operations that read and write files"):
        await TensorflowBackend().load(msgspec.structs.replace(trusted(hostile), trust="data"))


async def test_a_graph_that_copies_files_finds_none_in_the_sandbox(hostile: Path) -> None:
    session = await start_worker(WorkerRequest(framework="tensorflow", source=trusted(hostile)))
    try:
        if "files by Landlock" not in session.sandbox:
            pytest.skip("this kernel has no Landlock")
        outputs = await session.predict({"x": np.array([-1], np.float32)})
        assert list(outputs["y"]) == [-1]
        with pytest.raises(ModelFailed, match="Permission denied"):
            await session.predict({"x": np.array([1], np.float32)})
    finally:
        await session.close()
    assert not hostile.with_name("stolen").exists()


async def test_nothing_is_written_to_the_terminal(samples: Path, capfd: pytest.CaptureFixture[str]) -> None:
    await answer(samples, {"features": np.ones((1, 16), np.float32)})
    assert capfd.readouterr() == ("", "")
