"""A model is registered, answers, is watched and corrected: over real HTTP, with real ONNX models."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
import skl2onnx
from sklearn.datasets import load_digits, load_wine
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from edge_aiops.testing.models import MIXED_DTYPES, fixed_row, gemm_softmax, mixed_dtypes, slow_loop

NEVER = 2**62
"""Iterations of `slow_loop` that do not end while anybody waits."""


def exported(fitted: Any, columns: int) -> Any:
    options = {id(fitted): {"zipmap": False}} if hasattr(fitted, "predict_proba") else None
    types = [("input", skl2onnx.common.data_types.FloatTensorType([None, columns]))]
    return skl2onnx.to_onnx(fitted, initial_types=types, options=options, target_opset=17)


@pytest.fixture(scope="module", params=["digits", "wine"])
def trained(request: pytest.FixtureRequest) -> Any:
    """A classifier, its data and the same as ONNX."""
    data = {"digits": load_digits, "wine": load_wine}[request.param]()
    fitted = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(data.data, data.target)
    return fitted, data, exported(fitted, data.data.shape[1])


async def test_a_trained_classifier_answers_as_scikit_learn_does(client: Any, trained: Any) -> None:
    fitted, data, proto = trained
    rows = data.data[::7].astype(np.float32)
    names = [str(name) for name in data.target_names]
    await client.register("trained", "1", proto, stage="production", taskType="classification", classLabels=names)
    answer = await client.predict("trained", rows.tolist())
    expected = fitted.predict_proba(rows)
    assert answer["prediction"]["label"] == fitted.predict(rows).tolist()
    np.testing.assert_allclose(answer["prediction"]["probabilities"], expected, atol=1e-4)
    np.testing.assert_allclose(answer["confidence"], expected.max(axis=1), atol=1e-4)
    assert answer["label"] == [names[place] for place in fitted.predict(rows)]


async def test_rows_sent_by_column_at_the_same_time_answer_as_scikit_learn_does(client: Any, trained: Any) -> None:
    fitted, data, proto = trained
    columns = [f"column-{place}" for place in range(data.data.shape[1])]
    await client.register("trained", "1", proto, stage="production", featureNames=columns)
    rows = data.data[:40].astype(np.float32)
    answers = await asyncio.gather(
        *(client.predict("trained", dict(zip(columns, row.tolist(), strict=True))) for row in rows)
    )
    assert [answer["label"] for answer in answers] == fitted.predict(rows).tolist()


async def test_a_regression_has_a_value_and_no_class(client: Any) -> None:
    data = load_wine()
    fitted = Ridge().fit(data.data[:, :4], data.data[:, 4])
    await client.register("price", "1", exported(fitted, 4), stage="production", taskType="regression")
    row = data.data[0, :4].astype(np.float32)
    answer = await client.predict("price", row.tolist())
    assert answer["prediction"]["variable"] == [pytest.approx(float(fitted.predict([row])[0]), rel=1e-4)]
    assert (answer["label"], answer["confidence"]) == (None, None)


async def test_every_element_type_comes_back_as_it_went(client: Any) -> None:
    await client.register("types", "1", mixed_dtypes())
    pair = {"bool": [True, False], "string": ["a", "ü"], "float16": [0.5, -2], "float32": [0.5, 1], "float64": [0.1, 2]}
    features = {f"in_{dtype}": pair.get(dtype, [0, 1]) for dtype in MIXED_DTYPES}
    answer = await client.predict("types", features)
    assert answer["prediction"] == {name.replace("in_", "out_"): value for name, value in features.items()}


async def test_the_event_is_in_the_journal_when_the_answer_arrives(client: Any) -> None:
    await client.register(stage="production")
    answer = await client.predict(features=[1, 2.5, 3, 4], requestId="r", userId="u", sessionId="s")
    event = (await client.get(f"/events/{answer['inferenceId']}")).body
    assert event.pop("timestamp") > 1_600_000_000_000
    assert event.pop("queueMs") >= 0
    assert event == {
        "inferenceId": answer["inferenceId"],
        "modelName": "model",
        "modelVersion": "1",
        "deploymentVersion": 1,
        "requestId": "r",
        "userId": "u",
        "sessionId": "s",
        "rows": 1,
        "batchRows": 1,
        "latencyMs": answer["latencyMs"],
        "promptTokens": None,
        "completionTokens": None,
        "firstTokenMs": None,
        "tokensPerSecond": None,
        "features": [1, 2.5, 3, 4],
        "prediction": answer["prediction"],
        "confidence": answer["confidence"],
        "label": answer["label"],
        "error": None,
        "actualOutcome": None,
        "correct": None,
        "feedbackTimestamp": None,
    }


@pytest.fixture
async def served(client: Any) -> Any:
    """A client of a server that has its model in memory."""
    await client.register(stage="production")
    await client.predict()
    return client


async def test_nothing_on_the_way_of_a_prediction_blocks_the_event_loop(served: Any, no_blocking: None) -> None:
    for features in ([1, 2, 3, 4], [[1, 2, 3, 4]] * 50):
        answer = await served.predict(features=features)
        path = f"/events/{answer['inferenceId']}"
        assert (await served.call("PATCH", path, json={"correct": True})).status == 200
        assert (await served.get(path)).body["correct"]


async def test_events_come_newest_first_in_pages_without_gaps_or_repeats(client: Any) -> None:
    await client.register(stage="production")
    ids = [(await client.predict(features=[number, 0, 0, 0]))["inferenceId"] for number in range(11)]
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = (await client.get(f"/events?limit=4{cursor and f'&cursor={cursor}'}")).body
        assert len(page["events"]) <= 4
        seen += [event["inferenceId"] for event in page["events"]]
        cursor = page["nextCursor"]
        await client.predict(features=[99, 0, 0, 0])  # later events do not move the pages
    assert seen == ids[::-1]


async def test_events_are_filtered_by_model_version_time_and_label(client: Any) -> None:
    await client.register("a", "1", stage="production")
    await client.register("a", "2")
    await client.register("b", "1", stage="production")
    first = await client.predict("a")
    second = await client.predict("a", modelVersion="2")
    third = await client.predict("b")
    await client.call("PATCH", f"/events/{third['inferenceId']}", json={"correct": True})
    ids = {answer["inferenceId"]: name for answer, name in ((first, "a1"), (second, "a2"), (third, "b1"))}
    times = {name: (await client.get(f"/events/{event}")).body["timestamp"] for event, name in ids.items()}

    async def found(query: str) -> list[str]:
        return [ids[event["inferenceId"]] for event in (await client.get(f"/events?{query}")).body["events"]]

    assert await found("modelName=a") == ["a2", "a1"]
    assert await found("modelName=a&modelVersion=2") == ["a2"]
    assert await found("modelVersion=1") == ["b1", "a1"]
    assert await found("modelName=nobody") == []
    assert await found("labelled=true") == ["b1"]
    assert await found("labelled=false") == ["a2", "a1"]
    assert await found(f"from={times['a1']}&to={times['b1'] + 1}") == ["b1", "a2", "a1"]
    assert await found(f"to={times['a1']}") == []
    assert await found(f"from={times['b1'] + 1}") == []


async def labelled(client: Any, body: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The event of a prediction of class `b`, after feedback `body`."""
    await client.register(stage="production", **({"classLabels": ["a", "b", "c"]} | fields))
    answer = await client.predict(features=[0, 0, 0, 0])
    given = await client.call("PATCH", f"/events/{answer['inferenceId']}", json=body)
    assert given.status == 200, given
    event: dict[str, Any] = given.body
    assert event["label"] == answer["label"]
    return event


@pytest.mark.parametrize(
    ("outcome", "correct"),
    [
        ("{label}", True),
        ("neither", False),
        ({"label": "{label}"}, True),
        ('{"label": "{label}"}', True),
        ({"class": "nothing"}, False),
        ({"something": "else"}, None),
        (["{label}"], None),
        (1.5, False),
    ],
)
async def test_whether_it_was_correct_is_derived_where_it_can_be(client: Any, outcome: Any, correct: Any) -> None:
    def filled(value: Any, label: str) -> Any:
        if isinstance(value, dict):
            return {key: filled(content, label) for key, content in value.items()}
        return value.replace("{label}", label) if isinstance(value, str) else value

    await client.register(stage="production", classLabels=["a", "b", "c"])
    answer = await client.predict(features=[0.1, 0.2, 0.3, 0.4])
    given = await client.call(
        "PATCH", f"/events/{answer['inferenceId']}", json={"actualOutcome": filled(outcome, answer["label"])}
    )
    assert given.body["correct"] is correct


async def test_feedback_merges_and_never_wipes(client: Any) -> None:
    event = await labelled(client, {"actualOutcome": {"label": "b", "by": "me"}, "feedbackTimestamp": 1234567890})
    path = f"/events/{event['inferenceId']}"
    more = (await client.call("PATCH", path, json={"correct": False})).body
    assert (more["actualOutcome"], more["correct"]) == ({"label": "b", "by": "me"}, False)
    again = (await client.call("PATCH", path, json={"actualOutcome": {"label": "c"}, "correct": None})).body
    assert again["actualOutcome"] == {"label": "c"}
    for field in ("features", "prediction", "confidence", "label", "timestamp", "latencyMs"):
        assert again[field] == event[field]
    assert (await client.get(path)).body == again


@pytest.mark.parametrize("body", [{}, {"actualOutcome": None}, {"correct": None, "feedbackTimestamp": 5}])
async def test_feedback_that_says_nothing_is_refused_and_changes_nothing(client: Any, body: dict[str, Any]) -> None:
    event = await labelled(client, {"correct": True, "feedbackTimestamp": 1})
    path = f"/events/{event['inferenceId']}"
    assert (await client.call("PATCH", path, json=body)).problem == (400, "invalid_input")
    assert (await client.get(path)).body == event


@pytest.mark.parametrize(
    "unknown",
    [
        "01a20adb-e70b-793f-a4c2-000000000001",
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-7fff-bfff-ffffffffffff",
        "nonsense",
        "1",
        "-1",
        "x" * 2000,
    ],
)
async def test_an_event_that_does_not_exist_is_404(client: Any, unknown: str) -> None:
    assert (await client.get(f"/events/{unknown}")).problem == (404, "unknown_event")
    for method, path in (("PATCH", "/events"), ("PATCH", "/InferenceEvent"), ("PUT", "/InferenceEvent")):
        answer = await client.call(method, f"{path}/{unknown}", json={"correct": True})
        assert answer.problem == (404, "unknown_event")


async def test_a_model_may_keep_its_payloads_hashed_sampled_or_not_at_all(client: Any) -> None:
    columns = ["age", "email", "size", "weight"]
    policies: dict[str, Any] = {
        "full": {"mode": "full"},
        "none": {"mode": "none"},
        "never": {"mode": "sampled", "rate": 0.0},
        "always": {"mode": "sampled", "rate": 1.0},
        "one-field": {"mode": "hashed", "fields": ["email"]},
        "all-fields": {"mode": "hashed"},
    }
    features = {"age": 1.0, "email": 2.0, "size": 3.0, "weight": 4.0}
    events = {}
    for name, policy in policies.items():
        await client.register(name, capture=policy, featureNames=columns)
        answer = await client.predict(name, features)
        assert answer["prediction"]
        events[name] = (await client.get(f"/events/{answer['inferenceId']}")).body
        assert events[name]["confidence"] == answer["confidence"]
    for name in ("full", "always"):
        assert events[name]["features"] == features
        assert events[name]["prediction"] is not None
    for name in ("none", "never"):
        assert (events[name]["features"], events[name]["prediction"]) == (None, None)
    hashed = events["one-field"]["features"]
    assert hashed.pop("email").startswith("blake2b:")
    assert hashed == {"age": 1.0, "size": 3.0, "weight": 4.0}
    assert all(value.startswith("blake2b:") for value in events["all-fields"]["features"].values())


async def test_the_same_value_has_the_same_hash_on_one_node_so_that_it_can_be_counted(client: Any) -> None:
    await client.register(capture={"mode": "hashed"})
    answers = [await client.predict(features={"input": row}) for row in ([1, 2, 3, 4], [1, 2, 3, 4], [4, 3, 2, 1])]
    hashes = [(await client.get(f"/events/{answer['inferenceId']}")).body["features"]["input"] for answer in answers]
    assert hashes[0] == hashes[1] != hashes[2]


@pytest.mark.parametrize("value", ["0", "-5", "abc", "1.5", "1e3", "", " 5000", "9999999999", "٣", "5; drop"])
async def test_a_deadline_that_is_no_number_of_milliseconds_is_refused(client: Any, value: str) -> None:
    await client.register(framework="echo")
    answer = await client.post(
        "/predict", {"modelName": "model", "features": [1, 2, 3, 4]}, headers={"X-Deadline-Ms": value}
    )
    if value == " 5000":  # white space around a header's value is no part of it
        assert answer.status == 200
    else:
        assert answer.problem == (400, "invalid_input")
        assert answer.body["errors"][0]["field"] == "X-Deadline-Ms"


async def test_a_model_that_does_not_end_is_given_up_at_the_deadline_and_stays_usable(client: Any) -> None:
    await client.register("slow", "1", slow_loop())
    quick = {"iterations": 3, "input": [1, 2, 3, 4]}
    assert (await client.predict("slow", quick))["prediction"] == {"total": [3, 6, 9, 12]}
    endless = {"modelName": "slow", "features": {"iterations": NEVER, "input": [1, 2, 3, 4]}, "requestId": "endless"}
    answer = await client.post("/predict", endless, headers={"X-Deadline-Ms": "50"})
    assert answer.problem == (504, "deadline_exceeded")
    assert (await client.predict("slow", quick))["prediction"] == {"total": [3, 6, 9, 12]}
    events = (await client.get("/events")).body["events"]
    assert [(event["requestId"], event["error"]) for event in events] == [
        (None, None),
        ("endless", "deadline_exceeded"),
        (None, None),
    ]


async def test_too_many_waiting_requests_are_told_when_to_come_again(serve: Any, tmp_path: Any) -> None:
    async with serve(tmp_path, serving__max_queued=2) as client:
        await client.register("slow", "1", framework="echo", options={"delayMs": 300})
        answers = await asyncio.gather(
            *(client.post("/predict", {"modelName": "slow", "features": [n, 2, 3, 4]}) for n in range(12))
        )
        refused = [answer for answer in answers if answer.status != 200]
        assert refused
        for answer in refused:
            assert answer.problem == (503, "overloaded")
            assert int(answer.headers["Retry-After"]) >= 1
        await client.predict("slow")


async def test_a_replaced_candidate_answers_with_its_new_weights(client: Any) -> None:
    await client.register(proto=gemm_softmax(4, 3, seed=1))
    before = await client.predict()
    replaced = await client.register(proto=gemm_softmax(4, 3, seed=2))
    after = await client.predict()
    assert (before["deploymentVersion"], after["deploymentVersion"], replaced["deploymentVersion"]) == (1, 2, 2)
    assert before["prediction"] != after["prediction"]
    await client.register(proto=gemm_softmax(4, 3, seed=1))
    again = await client.predict()
    assert (again["deploymentVersion"], again["prediction"]) == (3, before["prediction"])
    # The first stays in memory until the third has proved itself; the second never did.
    assert [model["deploymentVersion"] for model in (await client.get("/models/loaded")).body] == [1, 3]


async def test_replacing_under_load_fails_no_request_and_never_mixes_versions_and_weights(client: Any) -> None:
    expected: dict[int, Any] = {}
    await client.register(proto=gemm_softmax(4, 3, seed=1))
    answers: list[dict[str, Any]] = []
    stop = asyncio.Event()

    async def ask() -> None:
        while not stop.is_set():
            answers.append(await client.predict())

    askers = [asyncio.create_task(ask()) for _ in range(8)]
    for seed in range(2, 8):
        await client.register(proto=gemm_softmax(4, 3, seed=seed))
        expected[seed] = (await client.predict())["prediction"]
    stop.set()
    await asyncio.gather(*askers)
    given: dict[int, set[str]] = {}
    for answer in answers:
        given.setdefault(answer["deploymentVersion"], set()).add(str(answer["prediction"]))
    assert len(given) > 1
    assert all(len(predictions) == 1 for predictions in given.values()), "one deployment answered with two weights"
    for deployment, prediction in expected.items():
        assert given.get(deployment, {str(prediction)}) == {str(prediction)}


async def test_what_is_deleted_is_no_longer_served(client: Any) -> None:
    await client.register("gone", "1")
    await client.predict("gone")
    assert (await client.call("DELETE", "/models/gone/1")).status == 200
    answer = await client.post("/predict", {"modelName": "gone", "features": [1, 2, 3, 4]})
    assert answer.problem == (404, "unknown_model")
    assert (await client.get("/models/loaded")).body == []
    assert len((await client.get("/events?modelName=gone")).body["events"]) == 1


async def test_a_new_production_version_takes_over_and_the_old_one_is_archived(client: Any) -> None:
    await client.register("m", "1", gemm_softmax(4, 3, seed=1), stage="production")
    assert (await client.predict("m"))["modelVersion"] == "1"
    await client.register("m", "2", gemm_softmax(4, 3, seed=2), stage="production")
    assert (await client.predict("m"))["modelVersion"] == "2"
    answer = await client.post("/predict", {"modelName": "m", "modelVersion": "1", "features": [1, 2, 3, 4]})
    assert answer.problem == (404, "unknown_model")


async def test_models_are_loaded_and_unloaded_on_request(client: Any) -> None:
    await client.register("m", "1")
    loaded = (await client.post("/models/m/load")).body
    assert (loaded["modelName"], loaded["hits"], loaded["inUse"]) == ("m", 1, 0)
    assert loaded["memoryBytes"] > 0
    await client.predict("m")
    assert (await client.get("/models/loaded")).body[0]["hits"] == 2
    assert (await client.post("/models/m/unload?modelVersion=1")).body == []
    await client.predict("m")
    for action in ("load", "unload"):
        assert (await client.post(f"/models/nobody/{action}")).problem == (404, "unknown_model")
        assert (await client.post(f"/models/m/{action}?modelVersion=9")).problem == (404, "unknown_model")


async def test_a_model_of_fixed_rows_answers_a_single_row(client: Any) -> None:
    await client.register("fixed", "1", fixed_row(width=8))
    answers = await asyncio.gather(*(client.predict("fixed", [float(n)] * 8) for n in range(20)))
    one = np.array(answers[1]["prediction"]["scores"])
    for number, answer in enumerate(answers):
        np.testing.assert_allclose(answer["prediction"]["scores"], one * number, rtol=1e-4, atol=1e-5)
