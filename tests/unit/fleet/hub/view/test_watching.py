"""The hub has an alert of its own for as long as something is wrong with the fleet, and one at a time of each."""

from __future__ import annotations

import numpy as np

from edge_aiops.fleet.hub.view.alerts import HUB, FleetAlert
from edge_aiops.fleet.hub.view.selection import Selection
from edge_aiops.fleet.hub.view.watching import FLEET_DRIFT, NODE_SILENT, FleetWatch
from edge_aiops.stats.summaries import Baseline
from edge_aiops.store.shared.leases import Lease, Leases
from tests.unit.fleet.hub.view.conftest import NOW_MS, Fleet
from tests.unit.fleet.hub.view.made import DAY_MS, HOUR_MS, START_MS, inputs, piece


async def lease_of(fleet: Fleet) -> Lease:
    lease = await Leases(fleet.database, clock=fleet.clock).hold("fleet watch", "me", ttl_s=3_600)
    assert lease is not None
    return lease


def watch_of(fleet: Fleet) -> FleetWatch:
    return FleetWatch(fleet.database, fleet.view, clock=fleet.clock, min_effect=0.001, silent_after_s=86_400)


async def alerts(fleet: Fleet) -> list[FleetAlert]:
    everything = Selection(from_ms=0, until_ms=2**50, asked_from=0, asked_to=2**50)
    return await fleet.view.alerts(everything)


async def test_drift_of_the_fleet_fires_once_and_is_resolved_when_it_is_over(fleet: Fleet) -> None:
    random = np.random.default_rng(1)
    baseline = Baseline({"x": random.normal(size=100_000)})
    digest = await fleet.baseline(baseline)
    for day, shift in ((START_MS + DAY_MS, 0.0), (START_MS + 2 * DAY_MS, 0.05)):
        summary = inputs(baseline, {"x": random.normal(shift, size=60_000)})
        for start_ms, width_ms in ((day, DAY_MS), (day + HOUR_MS, HOUR_MS)):
            window = piece(summary, owner="default", start_ms=start_ms, width_ms=width_ms, baseline=digest)
            await fleet.merged(window, nodes=200)
    watch, lease = watch_of(fleet), await lease_of(fleet)
    await watch.look_at_drift(lease)
    await watch.look_at_drift(lease)
    (alert,) = await alerts(fleet)
    assert (alert.node_id, alert.rule_name, alert.subject, alert.status) == (HUB, FLEET_DRIFT, "input", "firing")
    assert "input drift of m 1 over the fleet, in x: effect 0.00" in alert.message
    assert "of up to 200 nodes" in alert.message

    fleet.clock.advance(3 * 86_400)  # nothing came since
    await watch.look_at_drift(lease)
    (alert,) = await alerts(fleet)
    assert (alert.status, alert.resolved_at) == ("resolved", NOW_MS + 3 * DAY_MS)


async def test_a_node_that_falls_silent_while_others_push_has_an_alert_until_it_is_back(fleet: Fleet) -> None:
    for node_id in ("n0", "n1"):
        await fleet.reported(await fleet.join(node_id), NOW_MS - 2 * DAY_MS)
    watch, lease = watch_of(fleet), await lease_of(fleet)
    await watch.look_at_nodes(lease)
    assert await alerts(fleet) == []  # nobody pushed: the hub was not reached
    await fleet.reported("n1", NOW_MS)
    await watch.look_at_nodes(lease)
    (alert,) = await alerts(fleet)
    assert (alert.rule_name, alert.subject, alert.message) == (
        NODE_SILENT, "n0", "node n0 (default) was not heard of for 24 hours",
    )  # fmt: skip
    fleet.clock.advance(1)
    await fleet.reported("n0", NOW_MS + 1_000)
    await watch.look_at_nodes(lease)
    assert [of.status for of in await alerts(fleet)] == ["resolved"]


async def test_a_node_in_quarantine_has_a_critical_alert(fleet: Fleet) -> None:
    await fleet.join("n0", status="quarantined", reason="two nodes act as one")
    watch = watch_of(fleet)
    await watch.look_at_nodes(await lease_of(fleet))
    (alert,) = await alerts(fleet)
    assert (alert.severity, alert.subject) == ("critical", "n0")
    assert alert.message == "node n0 (default) is in quarantine: two nodes act as one"
    await watch.look_at_drift(await lease_of(fleet))  # settles alerts of drift only
    assert [of.status for of in await alerts(fleet)] == ["firing"]
