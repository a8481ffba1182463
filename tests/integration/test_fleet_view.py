"""A hub tells of its fleet what its nodes have pushed: over HTTP, and on the command line."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.base.settings import HttpSettings, Settings
from edge_aiops.cli.main import main
from edge_aiops.fleet.hub import nodes
from edge_aiops.fleet.hub.ingest import Ingest
from edge_aiops.fleet.hub.rollup import Ages, Rollup
from edge_aiops.fleet.messages.push import Push, PushRecord, PushRow, Reported, RowKey
from edge_aiops.http.app import application
from edge_aiops.http.server import bound_socket, listening, url_of
from edge_aiops.hub.backup import DATABASE
from edge_aiops.hub.hub import Hub
from edge_aiops.observe.granularity import WIDTH_MS
from edge_aiops.plugin.loader import Plugins
from edge_aiops.plugin.registry import Backends
from edge_aiops.stats.summaries import Baseline
from edge_aiops.store.shared.database import Database
from edge_aiops.store.shared.leases import Leases
from edge_aiops.testing.clock import FakeClock
from tests.unit.fleet.hub.pushes import Judge
from tests.unit.fleet.hub.view.made import DAY_MS, HOUR_MS, inputs, labels, performance

NOW_MS = 20_000 * DAY_MS + 9 * HOUR_MS + 1
PUSHED_MS = 20_000 * DAY_MS + 7 * HOUR_MS
NODES = [f"{number:032x}" for number in range(30)]
Ask = Callable[..., Awaitable[Any]]


def pushed(number: int, baseline: Baseline, random: np.random.Generator) -> Push:
    """An hour of a node: 300 events, shifted by 0.1 deviations; the last node fails a lot, and sees something else."""
    strange = number == len(NODES) - 1
    shift, errors = (2.0, 60) if strange else (0.1, 3)
    content = baseline.to_bytes()
    digest = hashlib.sha256(content).hexdigest()
    values = {name: random.normal(shift if name == "b" else 0.0, size=300) for name in ("a", "b")}
    windows = (
        ("inputs", digest, 300, inputs(baseline, values).told()),
        ("performance", "", 300, performance(300, errors=errors)),
        ("labels", "", 50, labels(45, 5)),
    )
    rows = [
        PushRow(
            1,
            seq,
            RowKey(1, kind, "m", "1", 1, of, WIDTH_MS["hourly"], PUSHED_MS),
            n,
            n,
            summary.to_bytes(),
            hashlib.sha256(summary.to_bytes()).digest(),
        )
        for seq, (kind, of, n, summary) in enumerate(windows, start=2)
    ]
    alert = {"id": "a1", "severity": "critical", "status": "firing", "message": "it is hot", "startedAt": NOW_MS - 60,
             "modelName": "m", "modelVersion": "1", "ruleName": "heat"}  # fmt: skip
    records = [PushRecord(1, 1, "baseline", digest, NOW_MS, content)]
    if strange:
        records.append(PushRecord(1, 9, "alert", "a1:firing", NOW_MS - 60, msgspec.json.encode(alert)))
    reported = Reported(generation=0)
    return Push(boot=1, have={}, rows=tuple(rows), records=tuple(records), reported=reported, clock=NOW_MS)


async def join(node_id: str, connection: AsyncConnection) -> None:
    await nodes.put(connection, node_id, name="", node_group="default", public_key=b"", joined_at=NOW_MS,
                    joined_with="", status="active", status_at=NOW_MS)  # fmt: skip
    await nodes.put_labels(connection, node_id, {"site": "oslo" if node_id == NODES[-1] else "bergen"})


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    """The address of a hub to which thirty nodes have pushed an hour each."""
    random, clock = np.random.default_rng(1), FakeClock(NOW_MS)
    baseline = Baseline({name: random.normal(size=20_000) for name in ("a", "b")})
    plugins, settings = Plugins(environment={}), Settings(http=HttpSettings(port=0))
    folder = tmp_path / "hub"
    folder.mkdir()
    async with Database.open(folder / DATABASE) as database:
        ingest = Ingest(database, clock=clock, admission=Judge(), interval_s=60)
        for number, node_id in enumerate(NODES):
            await database.change(partial(join, node_id))
            await ingest.push(node_id, pushed(number, baseline, random))
        await ingest.close()
        lease = await Leases(database, clock=clock).hold("roll up", "test", ttl_s=0.001)
        assert lease is not None
        await Rollup(database, clock=clock, ages=Ages.of(settings.hub)).round(lease, wait=False)
    async with Hub.open(folder, settings=settings, backends=Backends(plugins), clock=clock) as hub:
        app = application(settings, plugins=plugins, hub=hub)
        with bound_socket(settings.http) as sock:
            async with listening(app, sock, settings.http, access_log=False):
                yield url_of(sock)


@pytest.fixture
def ask(url: str, connect: Any) -> Ask:
    async def asked(path: str) -> Any:
        async with connect(url) as client:
            return await client.get(path)

    return asked


async def test_the_fleet_sees_a_shift_and_its_outlier(ask: Ask) -> None:
    drift = (await ask("/fleet/drift/m?last=6h")).body
    (result,) = drift["results"]
    assert (result["driftType"], result["rows"], result["nodes"]) == ("input", 9_000, 30)
    assert (result["driftedFeatures"], drift["drifted"], drift["otherBaselines"]) == (["b"], True, [])
    assert (drift["selection"]["from"], drift["selection"]["to"]) == (PUSHED_MS - 4 * HOUR_MS, PUSHED_MS + 3 * HOUR_MS)

    outliers = (await ask("/fleet/outliers/m?last=6h")).body["outliers"]
    assert {of["nodeId"] for of in outliers} == {NODES[-1]}
    assert [(of["subject"], of["feature"]) for of in outliers] == [("errorRate", None), ("feature", "b")]


async def test_metrics_quality_and_status_are_those_of_all_nodes(ask: Ask) -> None:
    metrics = (await ask("/fleet/metrics/m?last=6h&granularity=hourly")).body
    (total,) = metrics["totals"]
    assert (total["requests"], total["errors"]) == (9_000, 29 * 3 + 60)
    assert (total["labelled"], total["accuracy"]) == (1_500, 0.9)
    assert [(of["start"], of["requests"]) for of in metrics["series"]] == [(PUSHED_MS, 9_000)]
    (quality,) = (await ask("/fleet/quality/m?last=6h")).body["results"]
    assert (quality["rows"], quality["nodes"], quality["withheld"]) == (9_000, 30, False)
    status = (await ask("/fleet/status")).body
    assert (status["nodes"], status["silent"], status["unmerged"]) == (30, 0, 0)
    (alert,) = (await ask("/fleet/alerts?severity=critical")).body["alerts"]
    assert (alert["nodeId"], alert["message"]) == (NODES[-1], "it is hot")


async def test_one_node_can_be_looked_at_and_unknown_things_are_named(ask: Ask) -> None:
    one = (await ask(f"/fleet/metrics/m?last=6h&node={NODES[-1]}&node={NODES[0]}")).body
    assert (one["totals"][0]["requests"], one["nodes"]) == (600, 2)
    oslo = (await ask("/fleet/metrics/m?last=6h&label=site=oslo")).body
    assert (oslo["totals"][0]["errors"], oslo["nodes"]) == (60, 1)
    assert (await ask("/fleet/drift/other")).problem == (404, "unknown_model")
    for query, field in (("label=oslo", "label"), ("last=soon", "last"), ("node=x", "node"), ("alpha=2", "alpha")):
        answer = await ask(f"/fleet/drift/m?{query}")
        assert answer.problem == (400, "invalid_input")
        assert [error["field"] for error in answer.body["errors"]] == [field]


async def test_the_command_line_shows_it(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    async def run(*arguments: str) -> tuple[int, str]:
        code = await asyncio.to_thread(main, ["fleet", *arguments, "--url", url])
        return code, capsys.readouterr().out

    code, out = await run("drift", "m", "--last", "6h", "--fail-on-drift")
    assert code == 3
    assert "DRIFT of b" in out
    assert "9,000 rows of up to 30 nodes" in out
    code, out = await run("drift", "m", "--last", "6h", "--min-effect", "3", "--fail-on-drift")
    assert (code, "no drift; certain, but small: b" in out) == (0, True)
    assert NODES[-1] in (await run("outliers", "m", "--last", "6h"))[1]
    assert "9,000" in (await run("metrics", "m", "--last", "6h"))[1]
    assert "30: 30 active" in (await run("status"))[1]
    assert "it is hot" in (await run("alerts"))[1]
    assert "9,000 of up to 30 nodes" in (await run("quality", "m", "--last", "6h"))[1]
    code, out = await run("metrics", "m", "--last", "6h", "--node", NODES[0], "--node", NODES[1], "--json")
    assert json.loads(out)["totals"][0]["requests"] == 600
