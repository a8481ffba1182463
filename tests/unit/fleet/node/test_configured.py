"""What a hub wants of monitoring is in force on the node as a whole, or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from edge_aiops.base.clock import SystemClock
from edge_aiops.base.errors import Conflict, InvalidInput
from edge_aiops.fleet.messages.desired import DesiredState, Sampling
from edge_aiops.fleet.node.configured import Configured
from edge_aiops.fleet.node.policy import Policy
from edge_aiops.observe.monitoring import Monitoring
from edge_aiops.plugin.loader import Plugins

HUB = "http://hub.example"
RULE = {"id": "busy", "conditions": [{"metric": "requests", "operator": ">", "threshold": 5}], "createdAt": 7}


@pytest.fixture
async def monitoring(tmp_path: Path) -> AsyncIterator[Monitoring]:
    opened = await Monitoring.open(tmp_path, clock=SystemClock(), plugins=Plugins(), node_id="0" * 32)
    yield opened
    await opened.close()


@pytest.fixture
async def configured(monitoring: Monitoring) -> Configured:
    return Configured(monitoring, policy=Policy(sampling=True), hub=HUB)


def desired(**fields: Any) -> DesiredState:
    return DesiredState(generation=1, models=(), **fields)


async def test_a_capability_that_is_not_known_is_reported_and_nothing_is_applied(
    configured: Configured, monitoring: Monitoring
) -> None:
    with pytest.raises(Conflict, match="requires 'teleportation'"):
        await configured.apply(desired(requires=("rules", "teleportation"), alert_rules=(RULE,)))
    assert configured.unsupported == ("teleportation",)
    assert configured.problems == ["the hub requires 'teleportation', which this node cannot do: update it"]
    assert "busy" not in {rule.id for rule in monitoring.rules.all()}
    await configured.apply(desired(requires=("rules",), alert_rules=(RULE,)))
    assert (configured.unsupported, configured.problems) == ((), [])
    assert monitoring.rules.get("busy").created_at == 7


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"alert_rules": (RULE, {**RULE, "id": "x", "severity": "dire"})}, "alertRules[1].severity"),
        ({"alert_rules": ({"name": "no id"},)}, "alertRules[0].id"),
        ({"alert_rules": ({**RULE, "createdAt": "soon"},)}, "alertRules[0].createdAt"),
        ({"alert_rules": (RULE,), "monitoring": {"m": {"driftt": {}}}}, "monitoring['m'].driftt"),
        ({"alert_rules": (RULE,), "monitoring": {"m": {"alertCheck": "1s"}}}, "monitoring['m'].alertCheck"),
    ],
)
async def test_of_a_state_with_one_mistake_nothing_is_in_force(
    configured: Configured, monitoring: Monitoring, wrong: dict[str, Any], field: str
) -> None:
    before = desired(monitoring={"": {"drift": {"driftCheck": "1h"}}}, sampling={"m": Sampling(rate=0.5)})
    await configured.apply(before)
    with pytest.raises(InvalidInput) as refusal:
        await configured.apply(desired(**wrong))
    assert [blamed for blamed, _ in refusal.value.fields] == [field]
    assert "busy" not in {rule.id for rule in monitoring.rules.all()}
    assert monitoring.configuration.of().drift.drift_check == 3600
    assert configured.sampling() == {"m": Sampling(rate=0.5)}


async def test_what_cannot_be_in_force_after_a_restart_is_reported_and_kept_out_with_the_policy(
    monitoring: Monitoring,
) -> None:
    configured = Configured(monitoring, policy=Policy(), hub=HUB)
    wanted = desired(alert_rules=({**RULE, "severity": "dire"},), sampling={"m": Sampling(rate=0.5)})
    allowed = await configured.restore(wanted)
    assert allowed.sampling == configured.sampling() == {}
    assert [problem.split(":")[0] for problem in configured.problems] == [
        "no samples of m are sent to the hub",
        "what the hub wanted of monitoring is not in force",
    ]
    await configured.apply(desired())
    assert configured.problems == []


async def test_a_configuration_of_the_node_that_only_stands_with_the_hubs_is_refused(
    configured: Configured, monitoring: Monitoring
) -> None:
    await configured.apply(desired(monitoring={"": {"drift": {"inputDrift": {"method": "psi"}}}}))
    with pytest.raises(InvalidInput, match="no significance level"):
        await monitoring.configure("", {"drift": {"inputDrift": {"threshold": 2}}})


async def test_a_notifier_that_a_hubs_rule_names_may_be_left_out_of_the_nodes_own(
    configured: Configured, monitoring: Monitoring
) -> None:
    await configured.apply(desired(alert_rules=({**RULE, "notifiers": ["log"]},)))
    await monitoring.configure("", {"notifiers": [{"name": "second", "type": "log"}]})
    assert monitoring.notifiers.names == ("second",)
    await configured.apply(desired(alert_rules=({**RULE, "notifiers": ["log"]},)))
    assert monitoring.rules.get("busy").notifiers == ("log",)
