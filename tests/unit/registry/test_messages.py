"""Registrations as clients write them."""

from __future__ import annotations

import msgspec
import pytest

from edge_aiops.base.errors import InvalidInput
from edge_aiops.journal.capture import CapturePolicy
from edge_aiops.registry.messages import Registration, registration_from
from edge_aiops.registry.stages import STAGES, stage_named

LEAST = {"modelName": "iris", "modelVersion": "1", "framework": "onnx"}


def test_the_least_that_can_be_registered_is_a_candidate() -> None:
    registration = registration_from(LEAST)
    assert registration == Registration(model_name="iris", model_version="1", framework="onnx")
    assert registration.stage == "candidate"


@pytest.mark.parametrize(
    ("field", "value", "taken"),
    [
        ("trainingConfig", {"epochs": 3}, {"epochs": 3}),
        ("trainingConfig", '{"epochs": 3}', {"epochs": 3}),
        ("baselineDistributions", '{"width": {"mean": 1.5}}', {"width": {"mean": 1.5}}),
        ("inputSchema", '[{"name": "x"}]', [{"name": "x"}]),
        ("inputSchema", '{"x": "float"}', {"x": "float"}),
        ("outputDimensions", [3, 4], (3, 4)),
        ("outputDimensions", "[3, 4]", (3, 4)),
        ("outputDimensions", 512, (512,)),
        ("outputDimensions", "512", (512,)),
        ("tags", '["edge", "vision"]', ("edge", "vision")),
        ("classLabels", ["a", "b"], ("a", "b")),
        ("capture", '{"mode": "sampled", "rate": 0.25}', CapturePolicy(mode="sampled", rate=0.25)),
        ("capture", {"mode": "none"}, CapturePolicy(mode="none")),
        ("options", '{"url": "http://127.0.0.1"}', {"url": "http://127.0.0.1"}),
        ("description", '{"this": "stays text"}', '{"this": "stays text"}'),
        ("stage", "development", "candidate"),
        ("stage", "production", "production"),
        ("stage", "", "candidate"),
        ("trainingConfig", "", {}),
        ("trainingConfig", None, {}),
        ("taskType", "", None),
        ("description", None, ""),
    ],
)
def test_structured_fields_take_json_strings_and_empty_ones_are_absent(
    field: str, value: object, taken: object
) -> None:
    registration = registration_from({**LEAST, field: value})
    python_names = dict(zip(Registration.__struct_encode_fields__, Registration.__struct_fields__, strict=True))
    assert getattr(registration, python_names[field]) == taken


@pytest.mark.parametrize(
    ("fields", "blamed", "said"),
    [
        ({"trainingConfig": "{epochs"}, "trainingConfig", "JSON string"),
        ({"trainingConfig": "[1]"}, "trainingConfig", "Expected `object`"),
        ({"trainingConfig": "[" * 100_000}, "trainingConfig", "JSON string"),
        ({"trainingConfig": '{"a":' * 40 + "1" + "}" * 40}, "trainingConfig", "http.max_depth"),
        ({"metadata": {"a": {"a": [[[]]]}}}, None, ""),
        ({"outputDimensions": [3, 0]}, "outputDimensions[1]", ">= 1"),
        ({"outputDimensions": [3, 2.5]}, "outputDimensions[1]", "Expected `int`"),
        ({"outputDimensions": True}, "outputDimensions", "Expected `array`"),
        ({"classLabels": [1, 2]}, "classLabels[0]", "Expected `str`"),
        ({"capture": {"mode": "some"}}, "capture.mode", "some"),
        ({"stage": "prod"}, "stage", "candidate, staging, production, archived"),
        ({"stage": 3}, "stage", "Expected `str`"),
        ({"taskType": "two\nlines"}, "taskType", "matching regex"),
        ({"taskType": "a line\n"}, "taskType", "matching regex"),
        ({"modelName": ""}, "modelName", "required"),
        ({"modelname": "iris"}, "modelname", "did you mean 'modelName'?"),
        ({"zzz": 1}, "zzz", "the fields are modelName"),
    ],
)
def test_what_is_wrong_is_blamed_on_its_field(fields: dict[str, object], blamed: str | None, said: str) -> None:
    if blamed is None:
        registration_from({**LEAST, **fields})
        return
    with pytest.raises(InvalidInput) as caught:
        registration_from({**LEAST, **fields})
    assert [field for field, _ in caught.value.fields] == [blamed]
    assert said in caught.value.fields[0].message


def test_everything_unknown_and_missing_is_told_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        registration_from({"name": "iris", "framework": "onnx"})
    assert {field for field, _ in caught.value.fields} == {"name", "modelName", "modelVersion"}


def test_a_registration_survives_json() -> None:
    registration = registration_from({**LEAST, "tags": ["a"], "options": {"x": [1, None]}, "capture": {"mode": "none"}})
    assert msgspec.json.decode(msgspec.json.encode(registration), type=Registration) == registration


@pytest.mark.parametrize("stage", STAGES)
def test_stages_are_named_as_they_are(stage: str) -> None:
    assert stage_named(stage) == stage
