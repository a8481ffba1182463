"""Rules are read strictly and kept; the built-in ones can be changed, switched off and restored."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from edge_aiops.base.errors import Conflict, InvalidInput, NotFound
from edge_aiops.observe.alerts.defaults import DEFAULT_RULES
from edge_aiops.observe.alerts.rule import AlertRule, rule_of
from edge_aiops.observe.alerts.rules import Rules

from .conftest import features_of

CONDITION: dict[str, Any] = {"metric": "p95Latency", "operator": ">", "threshold": 500}
DEEP: Any = "x"
for _ in range(900):
    DEEP = [DEEP]


def condition(**fields: Any) -> dict[str, Any]:
    return {"condition": {**CONDITION, **fields}}


def conditions(*given: Any) -> dict[str, Any]:
    return {"conditions": list(given)}


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({}, "conditions", "required"),
    ({"conditions": []}, "conditions", "required"),
    ({**condition(), "conditions": [CONDITION]}, "condition", "either"),
    (conditions(*[CONDITION] * 11), "conditions", "11 are more than 10"),
    (conditions("nonsense"), "conditions[0]", "no JSON"),
    (conditions(CONDITION, 5), "conditions[1]", "5 is not an object"),
    ({"condition": "{"}, "condition", "JSON"),
    ({"condition": {}}, "condition.metric", "required"),
    ({"condition": {"metric": "errorRate"}}, "condition.operator", "required"),
    (condition(metric="p95Latncy"), "condition.metric", "did you mean 'p95Latency'?"),
    (condition(metric="P95LATENCY"), "condition.metric", "did you mean 'p95Latency'?"),
    (condition(metric="zzz"), "condition.metric", "There are: errorRate"),
    (condition(metric=["p95Latency"]), "condition.metric", "is not a metric"),
    (condition(metric="<script>alert(1)</script>"), "condition.metric", "<script>"),
    (condition(metric="x" * 10_000), "condition.metric", "..."),
    (condition(operator="=>"), "condition.operator", "did you mean"),
    (condition(operator="; DROP TABLE alert"), "condition.operator", "There are: >, >=, <, <=, ==, !="),
    (condition(threshold="500"), "condition.threshold", "Expected `float`"),
    (condition(threshold=float("nan")), "condition.threshold", "finite"),
    (condition(threshold=float("inf")), "condition.threshold", "finite"),
    (condition(threshold=-1), "condition.threshold", "never negative"),
    (condition(metric="errorRate", threshold=5), "condition.threshold", "from 0 to 1; 5 % is written 0.05"),
    (condition(metric="driftConfirmed", driftType="input", threshold=2), "condition.threshold", "from 0 to 1"),
    (condition(metric="driftConfirmed", driftType="input", threshold=1), "condition.threshold", "did you mean >=?"),
    (condition(metric="errorRate", threshold=1), "condition.threshold", "is never above 1"),
    (condition(operator="<", threshold=0), "condition.threshold", "is never below 0"),
    (condition(operator=">=", clearThreshold=0), "condition.clearThreshold", "the alert never ends"),
    (condition(metric="qualityViolations", check="nul_rate"), "condition.check", "did you mean 'null_rate'?"),
    (condition(clearThreshold=500), "condition.clearThreshold", "below the threshold 500"),
    (condition(clearThreshold=600), "condition.clearThreshold", "below the threshold 500"),
    (condition(operator="<", clearThreshold=400), "condition.clearThreshold", "above the threshold 500"),
    (condition(operator="==", clearThreshold=400), "condition.clearThreshold", "no other side"),
    (condition(clearThreshold=float("nan")), "condition.clearThreshold", "finite"),
    (condition(windowMinutes=0), "condition.windowMinutes", "0 is not from 1 to 43200"),
    (condition(windowMinutes=43_201), "condition.windowMinutes", "43201 is not from 1 to 43200"),
    (condition(windowMinutes=2.5), "condition.windowMinutes", "Expected `int"),
    (condition(windowMinutes=10**30), "condition.windowMinutes", ""),
    (condition(minRequests=0), "condition.minRequests", "0 is not from 1"),
    (condition(minLabels=5), "condition.minLabels", "p95Latency has no such parameter; it takes windowMinutes"),
    (condition(driftType="input"), "condition.driftType", "no such parameter"),
    (condition(widowMinutes=5), "condition.widowMinutes", "did you mean 'windowMinutes'?"),
    (condition(metric="driftScore"), "condition.driftType", "one of input, prediction"),
    (condition(metric="driftScore", driftType="inputs"), "condition.driftType", "did you mean 'input'?"),
    (
        condition(metric="driftScore", driftType="input", windowMinutes=5),
        "condition.windowMinutes",
        "no such parameter",
    ),
    (condition(metric="nullRate", threshold=0.1), "condition.feature", "nullRate needs it"),
    (condition(metric="nullRate", threshold=0.1, feature="a\nb"), "condition.feature", "not a name"),
    (condition(metric="nullRate", threshold=0.1, feature="a" * 300), "condition.feature", "not a name"),
    (condition(feature=DEEP), "condition.feature", "Expected `str"),
    (condition(metric=DEEP), "condition.metric", "is not a metric"),
    (conditions(DEEP), "conditions[0]", "is not an object"),
    ({**condition(), "id": DEEP}, "id", "of the path"),
    ({**condition(), "severity": "fatal"}, "severity", "There are: critical, warning, info"),
    ({**condition(), "severity": "warn"}, "severity", "did you mean 'warning'?"),
    ({**condition(), "match": "some"}, "match", "There are: all, any"),
    ({**condition(), "forDuration": "5"}, "forDuration", "not a duration"),
    ({**condition(), "forDuration": "-5m"}, "forDuration", "not a duration"),
    ({**condition(), "forDuration": "31d"}, "forDuration", "longer than 30 days"),
    ({**condition(), "clearDuration": "soon"}, "clearDuration", "not a duration"),
    ({**condition(), "repeatInterval": "1s"}, "repeatInterval", "shorter than 1m"),
    ({**condition(), "modelName": "../etc/passwd"}, "modelName", "is not a name"),
    ({**condition(), "modelVersion": "1"}, "modelVersion", "without modelName"),
    ({**condition(), "notifiers": ["memroy"]}, "notifiers[0]", "did you mean 'memory'?"),
    ({**condition(), "notifiers": ["memory"] * 33}, "notifiers", "33 are more than 32"),
    ({**condition(), "name": "two\nlines"}, "name", "one line"),
    ({**condition(), "name": "   "}, "name", "one line"),
    ({**condition(), "name": "x" * 129}, "name", "one line"),
    ({**condition(), "description": "x" * 2_001}, "description", "more than 2000"),
    ({**condition(), "enabled": "yes"}, "enabled", "Expected `bool`"),
    ({**condition(), "id": "other"}, "id", "is not the 'slow' of the path"),
    ({**condition(), "servity": "info"}, "servity", "did you mean 'severity'?"),
]


@pytest.mark.parametrize(("values", "field", "said"), REFUSED)
def test_a_bad_rule_is_refused_by_name(values: dict[str, Any], field: str, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        rule_of("slow", values, notifiers=("memory",), checks=("null_rate",), now_ms=0)
    assert field in [blamed for blamed, _ in refused.value.fields]
    assert said in str(refused.value)
    assert len(str(refused.value)) < 2_000


@pytest.mark.parametrize("rule_id", ["", "A", "a b", "../a", "a/b", "x" * 65, "metrics", "é", "-a", "a\n"])
def test_an_id_that_is_no_slug_is_refused(rule_id: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        rule_of(rule_id, condition(), notifiers=(), checks=(), now_ms=0)
    assert [field for field, _ in refused.value.fields] == ["id"]


async def test_nothing_is_stored_of_a_refused_rule(watch: Any) -> None:
    before = watch.rules.all()
    for values, _, _ in REFUSED[:5]:
        with pytest.raises(InvalidInput):
            await watch.rules.put("slow", values)
    assert watch.rules.all() == before
    assert await watch.database.read("SELECT id FROM alert_rule WHERE id = 'slow'") == []


async def test_the_examples_of_the_issue_are_taken(watch: Any) -> None:
    latency = await watch.rules.put(
        "latency", {"condition": {"metric": "p95Latency", "operator": ">", "threshold": 500, "windowMinutes": 5}}
    )
    drift = await watch.rules.put(
        "drift", {"condition": {"metric": "driftScore", "driftType": "input", "operator": ">", "threshold": 0.3}}
    )
    assert (latency.severity, latency.match, latency.for_duration, latency.enabled) == ("warning", "all", "0s", True)
    assert latency.conditions[0].window_minutes == 5
    assert drift.conditions[0].drift_type == "input"


NULLS = {"metric": "nullRate", "feature": "petl", "operator": ">", "threshold": 0.1}


async def test_the_null_rate_of_a_feature_that_the_model_does_not_have_is_refused(watch: Any) -> None:
    for sent, field in (({"condition": NULLS}, "condition"), ({"conditions": [CONDITION, NULLS]}, "conditions[1]")):
        with pytest.raises(InvalidInput, match=r"is not a feature of iris; did you mean 'petal'\?") as refused:
            await watch.rules.put("nulls", {**sent, "modelName": "iris"})
        assert [blamed for blamed, _ in refused.value.fields] == [f"{field}.feature"]
    for model in ({}, {"modelName": "later"}, {"modelName": "iris", "modelVersion": "2"}):
        await watch.rules.put("nulls", {"condition": NULLS, **model})
    await watch.rules.put("nulls", {"condition": {**NULLS, "feature": "petal"}, "modelName": "iris"})


async def test_structured_fields_may_be_json_strings(watch: Any) -> None:
    by_object = await watch.rules.put("a", condition())
    for given in ({"condition": json.dumps(CONDITION)}, conditions(json.dumps(CONDITION)),
                  {"conditions": json.dumps([CONDITION])}):  # fmt: skip
        assert (await watch.rules.put("a", given)).conditions == by_object.conditions


async def test_durations_are_told_in_one_way(watch: Any) -> None:
    rule = await watch.rules.put("slow", {**condition(), "forDuration": "90s", "repeatInterval": "0.5h"})
    assert (rule.for_duration, rule.repeat_interval) == ("1m30s", "30m")


async def test_a_metric_brings_its_window(watch: Any) -> None:
    rule = await watch.rules.put("wrong", condition(metric="accuracy", operator="<", threshold=0.9))
    assert rule.conditions[0].window_minutes == 1_440


async def test_markup_in_texts_is_kept_as_it_is(watch: Any) -> None:
    name = '<b onmouseover="alert(1)">fast</b> & {0} %s'
    assert (await watch.rules.put("slow", {**condition(), "name": name})).name == name


async def test_rules_survive_a_restart(open_watch: Callable[..., Any]) -> None:
    async with open_watch() as watch:
        stored = await watch.rules.put("slow", {**condition(), "name": "Slow", "notifiers": ["memory"]})
    async with open_watch() as watch:
        assert watch.rules.get("slow") == stored


async def test_what_is_told_of_a_rule_can_be_sent_back(watch: Any, clock: Any) -> None:
    import msgspec

    stored = await watch.rules.put("slow", {**condition(), "name": "Slow"})
    clock.advance(60)
    again = await watch.rules.put("slow", msgspec.to_builtins(stored))
    assert again.created_at == stored.created_at
    assert again.updated_at == stored.updated_at + 60_000
    assert msgspec.structs.replace(again, updated_at=stored.updated_at) == stored


async def test_a_rule_without_an_id_is_named_after_its_name(watch: Any) -> None:
    first = await watch.rules.add({**condition(), "name": "Iris: too slow!"})
    second = await watch.rules.add({**condition(), "name": "iris too slow"})
    assert (first.id, second.id) == ("iris-too-slow", "iris-too-slow-2")
    with pytest.raises(InvalidInput, match="needs a name"):
        await watch.rules.add({**condition(), "name": "!!!"})


async def test_default_rules_are_there_and_on(open_watch: Callable[..., Any]) -> None:
    async with open_watch(default_rules=True) as watch:
        assert watch.rules.all() == list(DEFAULT_RULES.values())
        assert all(rule.enabled and rule.default and not rule.modified for rule in watch.rules.all())


@pytest.mark.parametrize("rule_id", list(DEFAULT_RULES))
def test_a_default_rule_is_one_that_could_be_sent(rule_id: str) -> None:
    import msgspec

    rule = DEFAULT_RULES[rule_id]
    said = msgspec.to_builtins(rule)
    sent = rule_of(rule_id, said, notifiers=(), checks=(), now_ms=1)
    assert msgspec.structs.replace(sent, default=True, modified=False, created_at=None, updated_at=None) == rule


async def test_a_default_rule_is_changed_in_part_switched_off_and_restored(open_watch: Callable[..., Any]) -> None:
    async with open_watch(default_rules=True) as watch:
        builtin = watch.rules.get("high-latency")
        changed = await watch.rules.put("high-latency", {"severity": "critical"})
        assert (changed.severity, changed.conditions, changed.modified) == ("critical", builtin.conditions, True)
        off = await watch.rules.delete("high-latency")
        assert (off.enabled, off.severity, off.default) == (False, "critical", True)
    async with open_watch(default_rules=True) as watch:
        assert not watch.rules.get("high-latency").enabled
        assert await watch.rules.put("high-latency", {}) == builtin
    async with open_watch(default_rules=True) as watch:
        assert watch.rules.get("high-latency") == builtin


async def test_a_deleted_rule_is_gone(watch: Any) -> None:
    await watch.rules.put("slow", condition())
    await watch.rules.delete("slow")
    with pytest.raises(NotFound, match="there is no rule 'slow'"):
        await watch.rules.delete("slow")
    with pytest.raises(NotFound, match="did you mean 'high-latency'"):
        watch.rules.get("high-latncy")


async def test_there_is_an_end_to_the_number_of_rules(watch: Any, clock: Any) -> None:
    stored = {f"r{number}": _numbered(f"r{number}") for number in range(1_000)}
    rules = Rules(watch.database, stored, clock=clock, notifiers=lambda: (), checks=(), features=features_of)
    with pytest.raises(Conflict, match="1000 rules"):
        await rules.put("one-more", condition())
    assert (await rules.put("r7", condition())).id == "r7"
    assert isinstance(await rules.put("high-latency", {"severity": "info"}), AlertRule)


def _numbered(rule_id: str) -> AlertRule:
    return rule_of(rule_id, condition(), notifiers=(), checks=(), now_ms=0)
