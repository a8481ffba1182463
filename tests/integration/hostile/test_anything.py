"""Any JSON whatever, at every place that takes a body: answered, refused, and never a failure of ours."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.asyncio(loop_scope="module")

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=10), inner, max_size=5),
    max_leaves=15,
)
near = st.one_of(
    anything,
    st.lists(st.integers() | st.floats(allow_nan=False) | st.booleans() | st.text(max_size=3), max_size=6),
    st.lists(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=4, max_size=4), max_size=4),
    anything.map(lambda value: msgspec.json.encode(value).decode()),
)


def bodies(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Objects with some of these fields, right or wrong, and sometimes others; or anything."""
    known = st.fixed_dictionaries({}, optional={name: values | anything for name, values in fields.items()})
    return st.one_of(
        known,
        st.builds(lambda one, more: {**one, **more} if isinstance(more, dict) else one, known, anything),
        anything,
    )


predictions = bodies(
    modelName=st.sampled_from(["model", "echo", "nobody"]),
    modelVersion=st.sampled_from(["1", "2"]),
    features=near,
    userId=st.text(max_size=10),
    requestId=st.text(max_size=10),
)
valid_predictions = st.fixed_dictionaries({"modelName": st.sampled_from(["model", "texts"]), "features": near})
feedback = bodies(actualOutcome=near, correct=st.booleans(), feedbackTimestamp=st.integers())
registrations = bodies(
    modelName=st.text(max_size=5) | st.just("other"),
    modelVersion=st.just("1"),
    framework=st.sampled_from(["onnx", "echo!", "nothing"]),
    stage=st.sampled_from(["candidate", "development", "production", "nowhere"]),
    modelBlob=st.text(max_size=10) | st.just("AAAA"),
    metadata=anything,
    capture=anything,
    options=anything,
    tags=anything,
    classLabels=anything,
)

relaxed = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


async def sent(target: Any, method: str, path: str, body: Any) -> int:
    answer = await target.call(method, path, data=msgspec.json.encode(body))
    if answer.status >= 300:
        assert answer.problem[0] < 500 or answer.problem == (503, "backend_unavailable"), (body, answer.content)
    return int(answer.status)


@relaxed
@given(body=predictions | valid_predictions)
async def test_no_prediction_makes_a_failure(target: Any, body: Any) -> None:
    await sent(target, "POST", "/predict", body)


@relaxed
@given(body=feedback)
async def test_no_feedback_makes_a_failure_or_wipes_an_event(target: Any, body: Any) -> None:
    event = (await target.get("/events?limit=1")).body["events"][0]
    path = f"/events/{event['inferenceId']}"
    await sent(target, "PATCH", path, body)
    after = (await target.get(path)).body
    for field in event.keys() - {"actualOutcome", "correct", "feedbackTimestamp"}:
        assert after[field] == event[field]


@settings(relaxed, max_examples=100)
@given(body=registrations)
async def test_no_registration_makes_a_failure(target: Any, body: Any) -> None:
    await sent(target, "POST", "/models", body)


@relaxed
@given(content=st.binary(max_size=200))
async def test_no_bytes_make_a_failure(target: Any, content: bytes) -> None:
    for method, path in (("POST", "/predict"), ("POST", "/models"), ("PATCH", "/events/x"), ("PUT", "/Model/x")):
        answer = await target.call(method, path, data=content)
        assert 400 <= answer.problem[0] < 500
