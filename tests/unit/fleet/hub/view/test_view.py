"""Answers are over exactly what was selected: nodes, versions, baselines and spans, on every store."""

from __future__ import annotations

import json

import numpy as np
import pytest

from edge_aiops.base.errors import InvalidInput, TooLarge, UnknownModel
from edge_aiops.fleet.hub.view.reading import Reading
from edge_aiops.fleet.hub.view.selection import Selection, span_of
from edge_aiops.fleet.hub.windows import REST
from edge_aiops.stats.summaries import Baseline
from tests.unit.fleet.hub.view.conftest import NOW_MS, Fleet
from tests.unit.fleet.hub.view.made import DAY_MS, HOUR_MS, START_MS, inputs, labels, performance, piece


def asked(last: str = "24h", **more: object) -> Selection:
    by_node = bool(more.get("labels") or more.get("nodes"))
    span = span_of(None, None, last, now_ms=NOW_MS, by_node=by_node)
    return Selection(model_name="m", **span._asdict(), **more)


def served(requests: int, *, start_ms: int, owner: str = "default", width_ms: int = DAY_MS, version: str = "1"):
    return piece(
        performance(requests), kind="performance", owner=owner, start_ms=start_ms, width_ms=width_ms, version=version,
        baseline="",
    )  # fmt: skip


async def requests(fleet: Fleet, selection: Selection) -> dict[str, int]:
    answer = await fleet.view.metrics(selection, "daily")
    return {total.model_version: total.requests for total in answer.totals}


async def test_a_span_counts_everything_in_it_once(fleet: Fleet) -> None:
    """A whole day as a day, its ends by the hour, and what nodes have by the day only with the day's hours."""
    await fleet.merged(
        served(1_000, start_ms=START_MS),
        served(500, start_ms=START_MS + DAY_MS),
        *(served(20, start_ms=START_MS + hour * HOUR_MS, width_ms=HOUR_MS) for hour in range(24)),
        *(served(7, start_ms=START_MS + 2 * DAY_MS + hour * HOUR_MS, width_ms=HOUR_MS) for hour in range(6)),
        served(42 + 11, start_ms=START_MS + 2 * DAY_MS),
    )
    await fleet.merged(served(520, start_ms=START_MS), served(11, start_ms=START_MS + 2 * DAY_MS), part=REST)
    whole = asked("54h")
    assert (whole.from_ms, whole.until_ms) == (START_MS, NOW_MS)
    assert await requests(fleet, whole) == {"1": 1_000 + 500 + 42 + 11}
    some = asked("40h")  # from 14:00 of the first day on
    assert await requests(fleet, some) == {"1": 10 * 20 + 520 + 500 + 42 + 11}


async def test_groups_and_versions_are_told_apart(fleet: Fleet) -> None:
    day = START_MS + DAY_MS
    await fleet.merged(
        served(100, start_ms=day, owner="north"),
        served(200, start_ms=day, owner="south"),
        served(50, start_ms=day, owner="south", version="2"),
    )
    assert await requests(fleet, asked("2d")) == {"1": 300, "2": 50}
    assert await requests(fleet, asked("2d", group="south")) == {"1": 200, "2": 50}
    assert await requests(fleet, asked("2d", model_version="2")) == {"2": 50}
    with pytest.raises(UnknownModel, match="no node of this selection"):
        await requests(fleet, asked("2d", group="west"))


async def test_labels_and_ids_choose_nodes(fleet: Fleet) -> None:
    for number, site in enumerate(("oslo", "oslo", "bergen")):
        await fleet.of_nodes(
            served(100 + number, start_ms=START_MS + DAY_MS, owner=await fleet.join(f"n{number}", site=site, line="a"))
        )
    assert await requests(fleet, asked("2d", labels={"site": "oslo"})) == {"1": 201}
    assert await requests(fleet, asked("2d", labels={"site": "oslo", "line": "a"}, nodes=("n1", "n2"))) == {"1": 101}
    with pytest.raises(InvalidInput, match="no node has the id 'n9'"):
        await requests(fleet, asked("2d", nodes=("n9",)))
    with pytest.raises(InvalidInput, match="whole groups only"):
        await fleet.view.metrics(asked("1h", labels={"site": "oslo"}), "5min")


async def test_more_windows_of_nodes_than_fit_into_memory_are_refused(fleet: Fleet) -> None:
    for number in range(3):
        node_id = await fleet.join(f"n{number}", site="oslo")
        await fleet.of_nodes(served(100, start_ms=START_MS + DAY_MS, owner=node_id))
    selection = asked("2d", labels={"site": "oslo"})
    reading = Reading(fleet.database, most_windows=2)
    with pytest.raises(TooLarge, match="select a group"):
        await reading.span(selection, ("performance",), await reading.node_ids(selection))


async def test_a_series_is_of_the_granularity_that_was_asked_for(fleet: Fleet) -> None:
    await fleet.merged(
        *(served(100, start_ms=NOW_MS - (hour + 1) * HOUR_MS, width_ms=HOUR_MS) for hour in range(3)),
        piece(labels(30, 10), kind="labels", owner="default", start_ms=NOW_MS - HOUR_MS, baseline=""),
        nodes=4,
    )
    answer = await fleet.view.metrics(asked("6h"), "hourly")
    assert [(of.start, of.requests, of.accuracy) for of in answer.series] == [
        (NOW_MS - 3 * HOUR_MS, 100, None), (NOW_MS - 2 * HOUR_MS, 100, None), (NOW_MS - HOUR_MS, 100, 0.75),
    ]  # fmt: skip
    assert (answer.nodes, answer.deployments) == (4, {"1": [1]})
    with pytest.raises(InvalidInput, match="more than 2000 windows"):
        await fleet.view.metrics(asked("365d"), "5min")


def drawn(random: np.random.Generator, rows: int, shift: float = 0.0) -> dict[str, np.ndarray]:
    return {name: random.normal(shift if name == "b" else 0.0, size=rows) for name in ("a", "b")}


async def test_drift_never_mixes_baselines_and_says_which_nodes_are_on_another(fleet: Fleet) -> None:
    random = np.random.default_rng(1)
    one, other = Baseline(drawn(random, 20_000)), Baseline(drawn(random, 5_000, 3.0))
    first, second = await fleet.baseline(one), await fleet.baseline(other)
    day = START_MS + DAY_MS
    await fleet.merged(
        piece(inputs(one, drawn(random, 6_000)), owner="default", start_ms=START_MS, width_ms=DAY_MS, baseline=first),
        piece(inputs(one, drawn(random, 6_000)), owner="default", start_ms=day, width_ms=DAY_MS, baseline=first),
        nodes=20,
    )
    await fleet.merged(
        piece(inputs(other, drawn(random, 300, 3.0)), owner="default", start_ms=day, width_ms=DAY_MS, baseline=second),
        nodes=3,
    )
    answer = await fleet.view.drift(asked("54h"), alpha=0.05, min_effect=0.01)
    (result,) = answer.results
    assert (result.baseline, result.rows, result.nodes, result.drifted) == (first, 12_000, 20, False)
    assert (result.evidence, result.evidence_days, answer.evidence_from) == ("alwaysValid", 2, START_MS)
    assert [(of.baseline, of.nodes, of.rows) for of in answer.other_baselines] == [(second, 3, 300)]

    answer = await fleet.view.drift(asked("54h"), alpha=0.05, min_effect=0.01, baseline=second)
    assert [(result.baseline, result.rows) for result in answer.results] == [(second, 300)]
    assert [of.baseline for of in answer.other_baselines] == [first]


async def test_drift_of_some_nodes_is_found_where_the_fleet_as_a_whole_hides_it(fleet: Fleet) -> None:
    random = np.random.default_rng(2)
    baseline = Baseline(drawn(random, 20_000))
    digest, day = await fleet.baseline(baseline), START_MS + DAY_MS
    for number in range(12):
        node_id = await fleet.join(f"n{number}", site="oslo" if number < 3 else "bergen")
        rows = inputs(baseline, drawn(random, 500, 1.0 if number < 3 else 0.0))
        await fleet.of_nodes(piece(rows, owner=node_id, start_ms=day, width_ms=DAY_MS, baseline=digest))
    oslo = await fleet.view.drift(asked("2d", labels={"site": "oslo"}), alpha=0.05, min_effect=0.1)
    bergen = await fleet.view.drift(asked("2d", labels={"site": "bergen"}), alpha=0.05, min_effect=0.1)
    assert (oslo.results[0].drifted_features, oslo.results[0].nodes) == (["b"], 3)
    assert (bergen.drifted, bergen.results[0].nodes) == (False, 9)

    everyone = [piece(inputs(baseline, drawn(random, 6_000, 0.25)), owner="default", start_ms=day, width_ms=DAY_MS,
                      baseline=digest)]  # fmt: skip
    await fleet.merged(*everyone)
    answer = await fleet.view.outliers(asked("2d"), alpha=0.05, min_effect=0.1, limit=2)
    assert (answer.nodes, answer.selection.model_version) == (12, "1")
    assert answer.found >= 3  # three of twelve move the fleet itself, from which others differ then
    assert {of.node_id for of in answer.outliers} < {"n0", "n1", "n2"}
    assert all((of.subject, of.feature) == ("feature", "b") for of in answer.outliers)


async def test_quality_is_judged_over_all_nodes_together(fleet: Fleet) -> None:
    random = np.random.default_rng(3)
    baseline = Baseline(drawn(random, 5_000))
    values = drawn(random, 1_000)
    values["a"][:80] = 1e6
    digest = await fleet.baseline(baseline)
    await fleet.merged(piece(inputs(baseline, values), owner="default", start_ms=NOW_MS - HOUR_MS, baseline=digest))
    (result,) = (await fleet.view.quality(asked("6h"))).results
    assert (result.rows, result.baseline, result.failed) == (1_000, digest, {})
    (found,) = [finding for finding in result.findings if finding.check == "range"]
    assert (found.feature, found.affected, found.violated) == ("a", 80, True)
    assert "1e+06" not in found.message


async def test_alerts_are_those_of_the_selection(fleet: Fleet) -> None:
    for node_id, group in (("n0", "north"), ("n1", "south")):
        body = {"id": "a1", "severity": "critical", "status": "firing", "message": "m", "startedAt": NOW_MS - 5,
                "modelName": "m"}  # fmt: skip
        await fleet.recorded(
            await fleet.join(node_id, group=group), "alert", "a1:firing", NOW_MS - 5, json.dumps(body).encode()
        )
    assert [of.node_id for of in await fleet.view.alerts(asked())] == ["n0", "n1"]
    assert [of.node_id for of in await fleet.view.alerts(asked(group="south"))] == ["n1"]


async def test_the_status_tells_who_is_silent_behind_or_has_lost_something(fleet: Fleet) -> None:
    for number in range(4):
        await fleet.join(f"n{number}", group="north" if number else "south")
    await fleet.join("n4", status="revoked")
    await fleet.reported("n0", NOW_MS - 1_000, generation=7)
    await fleet.reported("n1", NOW_MS - 2 * DAY_MS, generation=6)
    await fleet.reported("n2", NOW_MS, lag=12, generation=7)
    await fleet.recorded("n2", "dropped", "d1", NOW_MS, b'{"rows": 3, "items": 90}')
    status = await fleet.view.status(7, DAY_MS)
    assert (status.nodes, status.by_status, status.silent, status.behind) == (5, {"active": 4, "revoked": 1}, 2, 2)
    assert (status.lag, status.lost_rows, status.lost_items, status.generations) == (12, 3, 90, {"7": 2, "6": 1})
    assert [(of.node_id, of.silent) for of in status.notable] == [
        ("n4", False), ("n1", True), ("n3", True), ("n2", False),
    ]  # fmt: skip
