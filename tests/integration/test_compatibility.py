"""What clients of the system that ours succeeds send, word for word."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from edge_aiops.testing.models import fixed_row, gemm_softmax

BLOB = base64.b64encode(fixed_row("input", 512, 3).SerializeToString()).decode()

MODEL = {
    "modelName": "sentiment-analyzer",
    "modelVersion": "1.0.0",
    "framework": "onnx",
    "stage": "development",
    "inputSchema": '{"inputs":[{"name":"input","shape":[1,512]}]}',
    "modelBlob": BLOB,
}

PREDICTION = {
    "modelName": "sentiment-analyzer",
    "features": {"input": [0.25] * 512},
    "userId": "user-123",
}

FEEDBACK = {"actualOutcome": '{"label": "positive"}', "feedbackTimestamp": 1234567890, "correct": True}


@pytest.fixture
async def analyzer(client: Any) -> Any:
    """A client of a server with the model of the examples."""
    answer = await client.post("/Model", MODEL)
    assert answer.status == 201, answer
    return client


async def test_a_model_is_registered_as_in_the_example(client: Any) -> None:
    answer = await client.post("/Model", MODEL)
    assert answer.status == 201
    assert (answer.body["stage"], answer.body["deploymentVersion"]) == ("candidate", 1)
    assert answer.body["inputSchema"] == {"inputs": [{"name": "input", "shape": [1, 512]}]}
    assert answer.body["signature"]["inputs"] == [{"name": "input", "dtype": "float32", "shape": [1, 512]}]
    assert "modelBlob" not in answer.body
    assert (await client.post("/Model", MODEL)).status == 200


@pytest.mark.parametrize("path", ["/predict", "/Predict"])
async def test_a_prediction_is_made_as_in_the_example(analyzer: Any, path: str) -> None:
    answer = await analyzer.post(path, PREDICTION)
    assert answer.status == 200, answer
    assert len(answer.body["prediction"]["scores"]) == 3
    event = (await analyzer.get(f"/events/{answer.body['inferenceId']}")).body
    assert event["userId"] == "user-123"


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_feedback_is_given_as_in_the_example_and_wipes_nothing(analyzer: Any, method: str) -> None:
    prediction = (await analyzer.post("/predict", PREDICTION)).body
    before = (await analyzer.get(f"/events/{prediction['inferenceId']}")).body
    answer = await analyzer.call(method, f"/InferenceEvent/{prediction['inferenceId']}", json=FEEDBACK)
    assert answer.status == 200
    assert answer.body == before | {
        "actualOutcome": {"label": "positive"},
        "feedbackTimestamp": 1234567890,
        "correct": True,
    }
    assert (await analyzer.get(f"/events/{prediction['inferenceId']}")).body == answer.body


async def test_features_may_come_as_a_json_string(analyzer: Any) -> None:
    as_object = await analyzer.post("/predict", PREDICTION)
    as_string = await analyzer.post("/predict", PREDICTION | {"features": json.dumps(PREDICTION["features"])})
    assert as_string.status == 200
    assert as_string.body["prediction"] == as_object.body["prediction"]


@pytest.mark.parametrize(
    ("alias", "path"),
    [
        ("/Model/", "/models"),
        ("/ModelList", "/models"),
        ("/ModelList?stage=candidate", "/models?stage=candidate"),
        ("/Model/?framework=tensorflow", "/models?framework=tensorflow"),
        ("/Model/sentiment-analyzer:1.0.0", "/models/sentiment-analyzer/1.0.0"),
    ],
)
async def test_the_catalogue_is_told_under_its_old_names(analyzer: Any, alias: str, path: str) -> None:
    told, asked = await analyzer.get(alias), await analyzer.get(path)
    assert told.status == asked.status == 200
    assert told.body == asked.body


async def test_an_unknown_model_is_404_under_its_old_name(analyzer: Any) -> None:
    assert (await analyzer.get("/Model/nobody:1")).problem == (404, "unknown_model")
    assert (await analyzer.get("/Model/sentiment-analyzer:2")).problem == (404, "unknown_model")


async def test_the_status_is_told_under_its_old_name(client: Any) -> None:
    assert (await client.get("/Status")).body.keys() == (await client.get("/status")).body.keys()


async def test_a_model_is_uploaded_as_raw_bytes_with_its_fields_in_the_query(client: Any) -> None:
    fields = {"description": "four numbers", "classLabels": ["a", "b", "c"], "owner": "me"}
    answer = await client.call(
        "PUT",
        "/UploadModelBlob",
        params={
            "modelName": "uploaded",
            "modelVersion": "1",
            "framework": "onnx",
            "stage": "development",
            "metadata": json.dumps(fields),
        },
        data=gemm_softmax(4, 3).SerializeToString(),
    )
    assert answer.status == 201, answer
    assert (answer.body["description"], answer.body["classLabels"]) == ("four numbers", ["a", "b", "c"])
    assert answer.body["metadata"] == {"owner": "me"}
    assert (await client.predict("uploaded"))["label"] in ("a", "b", "c")


@pytest.mark.parametrize("missing", ["modelName", "modelVersion", "framework"])
async def test_an_upload_without_a_required_field_names_it(client: Any, missing: str) -> None:
    fields = {"modelName": "m", "modelVersion": "1", "framework": "onnx"}
    del fields[missing]
    answer = await client.call("PUT", "/UploadModelBlob", params=fields, data=b"x")
    assert answer.problem == (400, "invalid_input")
    assert missing in answer.body["detail"]
