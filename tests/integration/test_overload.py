"""More requests than a model can answer: who is answered, who is refused, and what goes on as if nothing were."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest

ONE_AT_A_TIME = {"framework": "echo", "stage": "production", "batching": {"maxRows": 1}}
BODY = {"modelName": "model", "features": [1, 2, 3, 4]}


async def measured(client: Any, name: str) -> float:
    """The value of a metric with one series."""
    text = (await client.get("/metrics")).content.decode()
    found = re.search(rf"^edge_aiops_{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE)
    assert found, f"no {name} in {text}"
    return float(found[1])


async def until_queued(client: Any, wanted: range) -> None:
    """Wait until so many requests wait for the model."""
    while await measured(client, "inference_requests_queued") not in wanted:  # noqa: ASYNC110  # asked over HTTP
        await asyncio.sleep(0.01)


async def posted(session: aiohttp.ClientSession, client: Any, **headers: str) -> tuple[int, dict[str, Any], str | None]:
    async with session.post(client.url + "/predict", json=BODY, headers=headers) as response:
        return response.status, await response.json(content_type=None), response.headers.get("Retry-After")


@pytest.fixture
async def session() -> Any:
    """Opens as many connections as there are requests."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as opened:
        yield opened


async def test_at_ten_times_its_capacity_a_model_answers_in_time_and_the_rest_is_refused_at_once(
    client: Any, session: aiohttp.ClientSession
) -> None:
    # So slow that most of the time goes by waiting for the model, also where 400 requests take the machine seconds.
    await client.register(**ONE_AT_A_TIME, options={"delayMs": 200})
    for _ in range(3):
        await client.predict()
    answers = await asyncio.gather(*(posted(session, client, **{"X-Deadline-Ms": "2000"}) for _ in range(400)))
    statuses = [status for status, _, _ in answers]
    assert set(statuses) <= {200, 503, 504}
    assert statuses.count(200) >= 2
    assert statuses.count(503) >= 200
    assert statuses.count(504) <= 40
    for status, body, retry_after in answers:
        if status == 503:
            assert body["code"] == "overloaded"
            assert int(retry_after or 0) >= 1
    assert await measured(client, "inference_requests_shed_total") == statuses.count(503)
    assert (await client.predict())["prediction"] == {"input": [1, 2, 3, 4]}


async def test_health_is_answered_while_a_thousand_predictions_wait(
    serve: Any, tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    async with serve(tmp_path, serving__default_deadline="10m") as client:
        await client.register(**ONE_AT_A_TIME, options={"delayMs": 60_000})
        waiting = [asyncio.create_task(posted(session, client)) for _ in range(1_000)]
        await until_queued(client, range(999, 1_001))
        for path in ("/livez", "/readyz", "/status", "/metrics"):
            assert (await client.get(path)).status == 200
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
        await until_queued(client, range(1))


async def test_requests_whose_callers_have_gone_are_not_worked_for(client: Any, session: aiohttp.ClientSession) -> None:
    await client.register(**ONE_AT_A_TIME, options={"delayMs": 60_000})
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(posted(session, client)) for _ in range(20)]
        await until_queued(client, range(19, 20))
        for task in waiting:
            task.cancel()
    await until_queued(client, range(1))
    while (await client.get("/models/loaded")).body[0]["inUse"]:  # noqa: ASYNC110  # asked over HTTP
        await asyncio.sleep(0.01)


async def test_a_model_that_cannot_be_loaded_rests_and_the_status_says_why(serve: Any, tmp_path: Path) -> None:
    async with serve(
        tmp_path, serving__breaker_failures=2, serving__breaker_rest="10m", serving__breaker_longest_rest="10m"
    ) as client:
        await client.register(stage="production")
        for file in (tmp_path / "node" / "models").rglob("*"):
            if file.is_file():
                file.chmod(0o600)
                file.write_bytes(b"no model")
        for _ in range(2):
            assert (await client.post("/predict", BODY)).problem == (422, "invalid_model")
        refused = await client.post("/predict", BODY)
        assert refused.problem == (503, "circuit_open")
        assert 500 < int(refused.headers["Retry-After"]) <= 600
        (reason,) = (await client.get("/status")).body["node"]["reasons"]
        assert "failed 2 times in a row and is tried again in" in reason
        assert await measured(client, "model_circuit_open") == 1
        await client.register("other", framework="echo", stage="production")
        await client.predict("other")
