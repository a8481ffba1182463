"""What the hub wants of monitoring on its nodes: judged as nodes would, and part of the desired state at once."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from edge_aiops.base.errors import Conflict, InvalidInput, UnknownModel
from edge_aiops.fleet.hub.desired import desired_state
from edge_aiops.fleet.hub.wishes import FleetWish
from edge_aiops.fleet.messages.desired import DesiredState, Sampling
from edge_aiops.hub.hub import Hub
from edge_aiops.observe.alerts.rules import UnknownRule

BUSY = {"condition": {"metric": "requests", "operator": ">", "threshold": 5}}
HOOK = {"name": "ops", "type": "webhook", "options": {"url": "env:OPS_URL", "secret": "env:OPS_SECRET"}}
SECRET = "whsec_c3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nz"


async def wanted(hub: Hub) -> DesiredState:
    return (await desired_state(hub.registry, hub.configurations)).state


async def test_a_hub_that_was_told_nothing_leaves_monitoring_to_its_nodes(hub: Hub) -> None:
    state = await wanted(hub)
    assert (state.alert_rules, state.monitoring, state.sampling, state.requires) == (None, {}, {}, ())


async def test_every_change_is_a_new_generation_that_is_announced_and_told_to_nodes(hub: Hub, register: Any) -> None:
    await register("iris", "1", featureNames=["a", "b", "c", "d"])
    told: list[int] = []
    hub.subscribe(lambda generation: asyncio.sleep(0, told.append(generation)))
    rule = await hub.configurations.put_rule("busy", BUSY)
    assert (rule.id, rule.origin, rule.default) == ("busy", "hub", False)
    await hub.configurations.configure("", {"drift": {"driftCheck": "1h"}})
    await hub.configurations.sample("iris", Sampling(rate=0.5))
    state = await wanted(hub)
    assert told == [2, 3, 4]
    assert state.generation == 4
    assert [msgspec.to_builtins(rule)] == list(state.alert_rules or ())
    assert state.monitoring == {"": {"drift": {"driftCheck": "1h"}}}
    assert state.sampling == {"iris": Sampling(rate=0.5)}
    assert state.requires == ("monitoring", "rules")
    await hub.configurations.delete_rule("busy")
    await hub.configurations.configure("", {})
    await hub.configurations.sample("iris", Sampling(rate=0))
    state = await wanted(hub)
    assert (state.alert_rules, state.monitoring, state.sampling, state.requires) == (None, {}, {}, ())


async def test_what_changes_nothing_is_no_new_generation(hub: Hub, fake_clock: Any) -> None:
    await hub.configurations.put_rule("busy", BUSY)
    fake_clock.advance(60)
    again = await hub.configurations.put_rule("busy", BUSY)
    assert again.updated_at == again.created_at
    shown = await hub.configurations.shown()
    assert shown.generation == 1
    same = FleetWish(generation=1, rules=[msgspec.to_builtins(rule) for rule in shown.rules])
    assert await hub.configurations.replace(same) == shown
    assert await hub.registry.generation() == 1


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"rules": [{"id": "x", "condition": {"metric": "p95Latncy"}}]}, "rules[0].condition.metric"),
        ({"rules": [{"id": "x", **BUSY}, {"id": "x", **BUSY}]}, "rules[1].id"),
        ({"rules": [BUSY]}, "rules[0].id"),
        ({"rules": [{"id": "x", **BUSY, "notifiers": ["ops"]}]}, "rules[0].notifiers[0]"),
        (
            {"rules": [{"id": "x", "modelName": "iris", "condition": {
                "metric": "nullRate", "feature": "z", "operator": ">", "threshold": 0.1}}]},
            "rules[0].condition.feature",
        ),
        ({"monitoring": {"": {"drift": {"inputDrift": {"method": "z"}}}}}, "monitoring[''].drift.inputDrift.method"),
        ({"monitoring": {"iris": {"quality": {"checks": ["z"]}}}}, "monitoring['iris'].quality.checks[0]"),
        ({"monitoring": {"iris": {"retention": {"hourly": "1d"}}}}, "monitoring['iris'].retention"),
        ({"monitoring": {"": {"retention": {"hourly": "soon"}}}}, "monitoring[''].retention.hourly"),
        ({"monitoring": {"": {"notifiers": [{"name": "a", "type": "pager"}]}}}, "notifiers[0].type"),
        ({"sampling": {"": Sampling(rate=1)}}, "sampling"),
    ],
)  # fmt: skip
async def test_what_no_node_could_do_is_refused_by_its_field(
    hub: Hub, register: Any, wish: dict[str, Any], field: str
) -> None:
    await register("iris", "1", featureNames=["a", "b", "c", "d"])
    with pytest.raises(InvalidInput) as refusal:
        await hub.configurations.replace(FleetWish(**wish))
    assert [blamed for blamed, _ in refusal.value.fields] == [field]
    assert (await hub.configurations.shown()).generation == 0


async def test_models_must_be_there_when_they_are_first_named(hub: Hub, register: Any) -> None:
    with pytest.raises(UnknownModel):
        await hub.configurations.configure("iris", {"enabled": False})
    with pytest.raises(UnknownModel):
        await hub.configurations.sample("iris", Sampling(rate=1))
    with pytest.raises(UnknownModel):
        await hub.configurations.replace(FleetWish(monitoring={"iris": {"enabled": False}}))
    await register("iris", "1")
    await hub.configurations.configure("iris", {"enabled": False})
    await hub.registry.delete("iris", "1")
    await hub.configurations.configure("iris", {"enabled": True})


async def test_a_document_is_replaced_only_by_one_that_was_made_from_it(hub: Hub) -> None:
    await hub.configurations.put_rule("busy", BUSY)
    with pytest.raises(Conflict, match="changed at generation 1"):
        await hub.configurations.replace(FleetWish(generation=0))
    assert (await hub.configurations.replace(FleetWish(generation=1))).rules == ()


async def test_of_changes_at_the_same_time_none_is_lost(hub: Hub) -> None:
    await asyncio.gather(*(hub.configurations.put_rule(f"r{number}", BUSY) for number in range(8)))
    shown = await hub.configurations.shown()
    assert [rule.id for rule in shown.rules] == [f"r{number}" for number in range(8)]
    assert shown.generation == 8


async def test_an_unknown_rule_is_named_with_the_nearest(hub: Hub) -> None:
    await hub.configurations.put_rule("busy", BUSY)
    for ask in (hub.configurations.rule, hub.configurations.delete_rule):
        with pytest.raises(UnknownRule, match="did you mean 'busy'"):
            await ask("bussy")


async def test_secrets_are_hidden_and_stay_when_sent_back_so(hub: Hub) -> None:
    plain = {"name": "ops", "type": "webhook", "options": {"url": "http://ops.example/x/y", "secret": SECRET}}
    shown = await hub.configurations.configure("", {"notifiers": [plain]})
    hidden = shown.monitoring[""]["notifiers"][0]
    assert hidden["options"] == {"url": "http://ops.example/x/(not shown)", "secret": "(not shown)"}
    back = FleetWish(monitoring={"": {"notifiers": [{**hidden, "severities": ["critical"]}]}})
    await hub.configurations.replace(back)
    (kept,) = (await wanted(hub)).monitoring[""]["notifiers"]
    assert (kept["options"], kept["severities"]) == (plain["options"], ["critical"])


async def test_what_a_notifier_takes_from_the_environment_is_looked_for_on_nodes_only(hub: Hub) -> None:
    await hub.configurations.configure("", {"notifiers": [HOOK]})
    await hub.configurations.put_rule("busy", {**BUSY, "notifiers": ["ops"]})
    with pytest.raises(InvalidInput, match="rule 'busy' names it"):
        await hub.configurations.configure("", {})


async def test_the_configuration_survives_a_restart(open_hub: Any) -> None:
    async with open_hub() as hub:
        await hub.configurations.put_rule("high-latency", {"enabled": False})
        before = await hub.configurations.shown()
    async with open_hub() as hub:
        assert await hub.configurations.shown() == before
        assert (await hub.configurations.rule("high-latency")).modified
