"""Classes of texts: a classifier that was trained here on MiniLM, and the zero-shot way."""

from __future__ import annotations

import json

import numpy as np
import onnx
import onnxruntime
import pytest
from tokenizers import Tokenizer

from edge_aiops.plugin import InvalidInput, InvalidModel, Signature, TensorSpec
from edge_aiops.serving.outcomes import OutcomeReader, Span
from tests.tools.bert_onnx import with_text_head
from tests.tools.text_models import Built, loaded, texts

ARCHITECTURE = {"architectures": ["BertForSequenceClassification"]}
LABELS = {"id2label": {"0": "hate", "1": "love"}, "label2id": {"hate": 0, "love": 1}}
NLI = {"id2label": {"0": "contradiction", "1": "neutral", "2": "entailment"}} | ARCHITECTURE
UNSEEN = ("A lovely evening with wonderful people", "The hotel was dirty and horrible", "I am so glad and thankful")


async def test_a_trained_classifier_names_the_class_of_texts_that_it_never_saw(
    sentiment: onnx.ModelProto, built: Built
) -> None:
    session = await loaded(built(sentiment, **ARCHITECTURE, **LABELS))
    assert session.signature == Signature(
        (TensorSpec("text", "string", (None,)),),
        (TensorSpec("scores", "float32", (None, 2)), TensorSpec("label", "string", (None,))),
    )
    outputs = await session.predict(texts(*UNSEEN))
    assert list(outputs["label"]) == ["love", "hate", "love"]
    np.testing.assert_allclose(outputs["scores"].sum(axis=1), 1, rtol=1e-5)
    # What a caller of the node reads.
    (outcome,) = OutcomeReader(session.signature).read(outputs, [Span(0, 3, many=True)])
    assert json.loads(outcome.label or b"") == ["love", "hate", "love"]
    assert json.loads(outcome.confidence or b"") == pytest.approx(outputs["scores"].max(axis=1).tolist())
    await session.close()


@pytest.mark.parametrize("how", ["option", "config"])
async def test_with_several_labels_each_score_is_a_sigmoid_of_its_own(
    sentiment: onnx.ModelProto, built: Built, how: str
) -> None:
    config = {"problem_type": "multi_label_classification"} if how == "config" else {}
    folder = built(sentiment, **ARCHITECTURE, **LABELS, **config)
    apart = await loaded(folder, **({"multiLabel": True} if how == "option" else {}))
    together = await loaded(folder, multiLabel=False)
    several = (await apart.predict(texts(*UNSEEN)))["scores"]
    shares = (await together.predict(texts(*UNSEEN)))["scores"]
    odds = several / (1 - several)
    np.testing.assert_allclose(odds / odds.sum(axis=1, keepdims=True), shares, rtol=1e-3)
    await apart.close()
    await together.close()


async def test_a_regression_gives_its_value_and_no_label(encoder: onnx.ModelProto, built: Built) -> None:
    graph = with_text_head(encoder, np.zeros((384, 1)), np.array([-3.5]))
    session = await loaded(built(graph, **ARCHITECTURE, problem_type="regression"))
    outputs = await session.predict(texts("any"))
    assert {name: array.tolist() for name, array in outputs.items()} == {"scores": [[-3.5]]}
    await session.close()


async def test_labels_that_have_no_name_are_numbered(encoder: onnx.ModelProto, built: Built) -> None:
    graph = with_text_head(encoder, np.zeros((384, 3)), np.array([0, 9, 0]))
    session = await loaded(built(graph, **ARCHITECTURE))
    assert (await session.predict(texts("any")))["label"].tolist() == ["LABEL_1"]
    await session.close()


async def test_a_number_of_labels_that_is_not_that_of_the_scores_is_refused(
    sentiment: onnx.ModelProto, built: Built
) -> None:
    folder = built(sentiment, **ARCHITECTURE, id2label={"0": "a", "1": "b", "2": "c"})
    with pytest.raises(InvalidModel, match=r"gives 2 scores, but id2label of config\.json names 3"):
        await loaded(folder)


@pytest.fixture
def judge(encoder: onnx.ModelProto) -> onnx.ModelProto:
    """Three scores of a text and a sentence about it; how they differ depends on both."""
    return with_text_head(encoder, np.random.default_rng(3).standard_normal((384, 3)), np.zeros(3))


def logits(graph: onnx.ModelProto, folder: object, pairs: list[tuple[str, str]]) -> np.ndarray:
    """What the graph says to each pair alone."""
    tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
    tokenizer.no_padding()
    one_thread = onnxruntime.SessionOptions()
    one_thread.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph.SerializeToString(), one_thread)
    rows = []
    for pair in pairs:
        encoding = tokenizer.encode(*pair)
        feed = {
            "input_ids": encoding.ids,
            "attention_mask": encoding.attention_mask,
            "token_type_ids": encoding.type_ids,
        }
        rows.append(session.run(["logits"], {name: np.array([ids]) for name, ids in feed.items()})[0][0])
    return np.array(rows)


@pytest.mark.parametrize("multi_label", [False, True])
async def test_zero_shot_scores_are_those_of_the_pipeline(
    judge: onnx.ModelProto, built: Built, multi_label: bool
) -> None:
    folder = built(judge, **NLI)
    labels = ["music", "money"]
    options = {"multiLabel": True} if multi_label else {}
    session = await loaded(folder, task="zero-shot-classification", hypothesisTemplate="It is about {}!", **options)
    given = texts("He plays the guitar", "Shares fell again today")
    candidates = np.array([labels, labels[::-1]], object)
    outputs = await session.predict(given | {"candidate_labels": candidates})
    for text, row, scores, label in zip(
        given["text"], candidates.tolist(), outputs["scores"], outputs["label"], strict=True
    ):
        powers = np.exp(logits(judge, folder, [(text, f"It is about {name}!") for name in row]))
        wanted = powers[:, 2] / powers[:, [0, 2]].sum(axis=1) if multi_label else powers[:, 2] / powers[:, 2].sum()
        np.testing.assert_allclose(scores, wanted, rtol=1e-3)
        assert label == row[int(np.argmax(wanted))]
    await session.close()


async def test_labels_of_the_registration_need_not_come_with_requests(judge: onnx.ModelProto, built: Built) -> None:
    folder = built(judge, **NLI)
    fixed = await loaded(folder, task="zero-shot-classification", candidateLabels=["music", "money", "bread"])
    free = await loaded(folder, task="zero-shot-classification")
    given = texts("He plays the guitar", "Shares fell")
    assert [spec.name for spec in fixed.signature.inputs] == ["text"]
    candidates = {"candidate_labels": np.array([["music", "money", "bread"]] * 2, object)}
    expected, outputs = await free.predict(given | candidates), await fixed.predict(given)
    np.testing.assert_array_equal(outputs["scores"], expected["scores"])
    assert outputs["label"].tolist() == expected["label"].tolist()
    assert (await fixed.predict(texts()))["scores"].shape == (0, 3)
    with pytest.raises(InvalidInput, match="candidate_labels: expected at least one label"):
        await free.predict(given | {"candidate_labels": np.empty((2, 0), object)})
    await fixed.close()
    await free.close()


async def test_a_long_text_is_cut_and_the_sentence_about_its_label_is_not(judge: onnx.ModelProto, built: Built) -> None:
    session = await loaded(built(judge, **NLI), task="zero-shot-classification", maxLength=16)
    long = texts("word " * 500)
    scores = (await session.predict(long | {"candidate_labels": np.array([["music", "money"]], object)}))["scores"]
    assert abs(scores[0, 0] - scores[0, 1]) > 1e-4
    with pytest.raises(InvalidInput, match="cannot be cut into tokens"):
        await session.predict(long | {"candidate_labels": np.array([["word " * 30]], object)})
    await session.close()


async def test_a_model_that_does_not_judge_entailment_is_refused(sentiment: onnx.ModelProto, built: Built) -> None:
    with pytest.raises(InvalidModel, match="names no label 'entailment', but hate, love"):
        await loaded(built(sentiment, **LABELS), task="zero-shot-classification")
