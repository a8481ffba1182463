"""Alerts fire, are told, acknowledged and resolved; once each, whatever the clock and restarts do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from edge_aiops.base.errors import Conflict, EdgeAiopsError, InvalidInput, NotFound

DAY = 86_400
YEAR = 365 * DAY


async def told(watch: Any) -> list[str]:
    """The kinds of all notifications so far, in order."""
    await watch.outbox.deliver_due()
    return [notification.type for notification in watch.sent]


async def test_an_alert_fires_says_what_is_wrong_and_is_resolved(watch: Any, metrics: Any, clock: Any) -> None:
    await watch.rule(name="Requests take long", severity="critical")
    metrics.say("p95Latency", 812.4)
    began_ms = clock.now_ms()
    await watch.alerts.evaluate()
    alert = await watch.one()
    assert alert.message == "Requests take long: p95Latency of iris 1 is 812.4 ms, above 500 ms, over 5 minutes"
    assert (alert.status, alert.severity, alert.value, alert.threshold) == ("firing", "critical", 812.4, 500)
    assert (alert.started_at, alert.fired_at, alert.resolved_at) == (began_ms, began_ms, None)
    (judged,) = alert.conditions
    assert (judged.value, judged.holds, judged.unit) == (812.4, True, "ms")

    metrics.say("p95Latency", 120)
    await watch.pass_time(15)
    over = await watch.one()
    assert (over.id, over.status, over.resolution) == (alert.id, "resolved", "the conditions are over")
    assert over.resolved_at == began_ms + 15_000
    assert await told(watch) == ["alert.fired", "alert.resolved"]
    fired, resolved = watch.sent
    assert (fired.severity, fired.node_id, fired.summary) == ("critical", "node", alert.message)
    assert resolved.summary == f"Resolved, the conditions are over: {alert.message}"
    assert fired.alert["id"] == resolved.alert["id"] == alert.id
    assert fired.id != resolved.id


async def test_an_alert_that_goes_on_is_one_alert_and_told_once(watch: Any, metrics: Any) -> None:
    await watch.rule()
    metrics.say("p95Latency", 812)
    await watch.pass_time(600)
    metrics.say("p95Latency", 950)
    await watch.pass_time(15)
    assert (await watch.one()).value == 950
    assert await told(watch) == ["alert.fired"]


async def test_what_fires_again_is_a_new_alert(watch: Any, metrics: Any) -> None:
    await watch.rule()
    for value in (812, 100, 812):
        metrics.say("p95Latency", value)
        await watch.pass_time(15)
    newest, oldest = await watch.all()
    assert (newest.status, oldest.status) == ("firing", "resolved")
    assert newest.id > oldest.id


async def test_it_fires_only_after_its_duration(watch: Any, metrics: Any) -> None:
    await watch.rule(forDuration="1m")
    metrics.say("p95Latency", 812)
    await watch.alerts.evaluate()
    await watch.pass_time(45)
    assert (await watch.one()).status == "pending"
    await watch.pass_time(15)
    assert (await watch.one()).status == "firing"


async def test_what_ends_before_its_duration_leaves_nothing(watch: Any, metrics: Any) -> None:
    await watch.rule(forDuration="1m")
    metrics.say("p95Latency", 812)
    await watch.pass_time(30)
    metrics.say("p95Latency", 100)
    await watch.pass_time(15)
    assert await watch.all() == []
    assert await told(watch) == []


async def test_a_value_between_both_thresholds_neither_fires_nor_resolves(watch: Any, metrics: Any) -> None:
    condition = {"metric": "p95Latency", "operator": ">", "threshold": 500, "clearThreshold": 400}
    await watch.rule(conditions=[condition])
    for value, status in ((450, None), (501, "firing"), (450, "firing"), (401, "firing"), (400, "resolved")):
        metrics.say("p95Latency", value)
        await watch.pass_time(15)
        assert [alert.status for alert in await watch.all()] == ([status] if status else []), value
    assert await told(watch) == ["alert.fired", "alert.resolved"]


async def test_missing_data_neither_fire_nor_resolve(watch: Any, metrics: Any) -> None:
    await watch.rule()
    await watch.pass_time(60)
    assert await watch.all() == []
    metrics.say("p95Latency", 812)
    await watch.pass_time(15)
    metrics.say("p95Latency", None)
    await watch.pass_time(600)
    alert = await watch.one()
    assert (alert.status, alert.value) == ("firing", 812)
    assert alert.conditions[0].holds is None


@pytest.mark.parametrize(
    ("match", "latency", "errors", "fires"),
    [
        ("all", 812, 0.2, True), ("all", 812, 0.01, False), ("all", 812, None, False), ("all", 100, None, False),
        ("any", 812, 0.01, True), ("any", 100, 0.2, True), ("any", 812, None, True), ("any", 100, 0.01, False),
        ("any", 100, None, False),
    ],
)  # fmt: skip
async def test_several_conditions_hold_all_or_any(
    watch: Any, metrics: Any, match: str, latency: float, errors: float | None, fires: bool
) -> None:
    conditions = [
        {"metric": "p95Latency", "operator": ">", "threshold": 500},
        {"metric": "errorRate", "operator": ">", "threshold": 0.1},
    ]
    await watch.rule(conditions=conditions, match=match)
    metrics.say("p95Latency", latency)
    metrics.say("errorRate", errors)
    await watch.alerts.evaluate()
    assert bool(await watch.all()) is fires


async def test_the_message_tells_each_condition_that_holds(watch: Any, metrics: Any) -> None:
    conditions = [
        {"metric": "nullRate", "feature": "age", "operator": ">=", "threshold": 0.1},
        {"metric": "driftScore", "driftType": "input", "operator": ">", "threshold": 0.3},
        {"metric": "requests", "operator": ">", "threshold": 1_000_000, "windowMinutes": 1},
    ]
    await watch.rule(conditions=conditions, match="any", name="Odd")
    metrics.say("nullRate", 0.1)
    metrics.say("driftScore", 0.5123)
    metrics.say("requests", 7)
    await watch.alerts.evaluate()
    assert (await watch.one()).message == (
        "Odd: nullRate (age) of iris 1 is 10 %, at or above 10 %, over 60 minutes"
        " and driftScore (input) of iris 1 is 0.5123, above 0.3"
    )


async def test_the_message_tells_what_is_behind_the_value(watch: Any, metrics: Any) -> None:
    await watch.rule(
        "drift", conditions=[{"metric": "driftConfirmed", "driftType": "input", "operator": ">=", "threshold": 1}]
    )
    metrics.say("driftConfirmed", 1, details="drifted: 'age'")
    await watch.alerts.evaluate()
    message = "drift: driftConfirmed (input) of iris 1 is 1, at or above 1 (drifted: 'age')"
    assert (await watch.one()).message == message
    for value, details, told in ((1, None, "'age'"), (None, None, "'age'"), (1, "drifted: 'sex'", "'sex'")):
        metrics.say("driftConfirmed", value, details=details)
        await watch.pass_time(15)
        alert = await watch.one()
        assert alert.message == message.replace("'age'", told)
        assert alert.conditions[0].details == f"drifted: {told}"
    metrics.say("driftConfirmed", 0)
    await watch.pass_time(15)
    over = await watch.one()
    assert (over.status, over.message) == ("resolved", alert.message)
    assert over.conditions[0].details is None


@pytest.mark.parametrize("operator", [">", "<"])
async def test_what_nobody_watches_any_more_is_over(watch: Any, metrics: Any, operator: str) -> None:
    await watch.rule(conditions=[{"metric": "qualityScore", "operator": operator, "threshold": 0.5}])
    metrics.say("qualityScore", 0.7 if operator == ">" else 0.3)
    await watch.alerts.evaluate()
    assert (await watch.one()).status == "firing"
    metrics.say("qualityScore", None, watched=False)
    await watch.pass_time(15)
    assert (await watch.one()).status == "resolved"


async def test_few_requests_say_nothing(watch: Any, metrics: Any) -> None:
    condition = {"metric": "errorRate", "operator": ">", "threshold": 0.05, "minRequests": 20}
    await watch.rule(conditions=[condition])
    metrics.say("errorRate", 1.0)
    for requests, fires in ((None, False), (0, False), (19, False), (20, True)):
        metrics.say("requests", requests)
        await watch.pass_time(15)
        assert bool(await watch.all()) is fires, requests


@pytest.mark.parametrize(
    ("stage", "silence", "fires"), [("production", 4_000, True), ("staging", 4_000, False), ("production", None, False)]
)
async def test_absence_is_of_versions_in_production_that_had_traffic(
    watch: Any, metrics: Any, stage: str, silence: float | None, fires: bool
) -> None:
    watch.serve("1", stage=stage)
    await watch.rule("silent", conditions=[{"metric": "timeSinceLastEvent", "operator": ">", "threshold": 3_600}])
    await watch.rule("few", conditions=[{"metric": "requests", "operator": "<", "threshold": 1}])
    metrics.say("timeSinceLastEvent", silence)
    metrics.say("requests", 0)
    await watch.alerts.evaluate()
    assert {alert.rule_id for alert in await watch.all()} == ({"silent", "few"} if fires else set())


async def test_a_version_that_leaves_production_is_not_missed_any_more(watch: Any, metrics: Any) -> None:
    await watch.rule("silent", conditions=[{"metric": "timeSinceLastEvent", "operator": ">", "threshold": 3_600}])
    metrics.say("timeSinceLastEvent", 4_000)
    await watch.alerts.evaluate()
    assert (await watch.one()).status == "firing"
    watch.serve("1", stage="staging")
    await watch.pass_time(15)
    assert (await watch.one()).status == "resolved"


async def test_many_requests_are_judged_at_every_stage(watch: Any, metrics: Any) -> None:
    watch.serve("1", stage="candidate")
    await watch.rule("many", conditions=[{"metric": "requests", "operator": ">", "threshold": 5}])
    metrics.say("requests", 6)
    await watch.alerts.evaluate()
    assert (await watch.one()).rule_id == "many"


async def test_each_model_version_has_an_alert_of_its_own(watch: Any, metrics: Any) -> None:
    watch.serve("1", "2", "3")
    await watch.rule("all-models")
    await watch.rule("one-version", modelName="iris", modelVersion="2")
    await watch.rule("another-model", modelName="wine")
    for version, value in (("1", 812), ("2", 900), ("3", 100)):
        metrics.say("p95Latency", value, version=version)
    await watch.alerts.evaluate()
    assert sorted((alert.rule_id, alert.model_version, alert.value) for alert in await watch.all()) == [
        ("all-models", "1", 812), ("all-models", "2", 900), ("one-version", "2", 900),
    ]  # fmt: skip


@pytest.mark.parametrize("phase", ["pending", "firing"])
@pytest.mark.parametrize("jump_s", [YEAR, -YEAR])
async def test_a_clock_that_jumps_neither_fires_nor_hides(
    watch: Any, metrics: Any, clock: Any, phase: str, jump_s: float
) -> None:
    await watch.rule(forDuration="1m", clearDuration="1m")
    metrics.say("p95Latency", 812)
    await watch.alerts.evaluate()
    await watch.pass_time(60 if phase == "firing" else 30)
    if phase == "firing":
        metrics.say("p95Latency", 100)
        await watch.pass_time(30)
    clock.jump(jump_s)
    await watch.alerts.evaluate()
    assert (await watch.one()).status == phase
    await watch.pass_time(60)
    assert (await watch.one()).status == ("resolved" if phase == "firing" else "firing")


async def test_a_restart_neither_loses_nor_repeats_a_firing_alert(open_watch: Callable[..., Any], metrics: Any) -> None:
    metrics.say("p95Latency", 812)
    async with open_watch() as watch:
        await watch.rule()
        await watch.alerts.evaluate()
        before = await watch.one()
        assert await told(watch) == ["alert.fired"]
    async with open_watch() as watch:
        assert await watch.one() == before
        await watch.pass_time(60)
        assert (await watch.one()).id == before.id
        assert await told(watch) == ["alert.fired"]
        metrics.say("p95Latency", 100)
        await watch.pass_time(15)
        assert await told(watch) == ["alert.fired", "alert.resolved"]


async def test_a_notification_not_yet_sent_is_sent_after_the_restart(
    open_watch: Callable[..., Any], metrics: Any
) -> None:
    metrics.say("p95Latency", 812)
    async with open_watch() as watch:
        await watch.rule()
        await watch.alerts.evaluate()
    async with open_watch() as watch:
        assert await told(watch) == ["alert.fired"]


async def test_what_held_before_a_restart_counts_but_not_the_time_it_was_off(
    open_watch: Callable[..., Any], metrics: Any, clock: Any
) -> None:
    metrics.say("p95Latency", 812)
    async with open_watch() as watch:
        await watch.rule(forDuration="5m")
        await watch.alerts.evaluate()
        await watch.pass_time(240)
        before = await watch.one()
    clock.advance(DAY)
    async with open_watch() as watch:
        await watch.alerts.evaluate()
        alert = await watch.one()
        assert (alert.id, alert.status) == (before.id, "pending")
        await watch.pass_time(45)
        assert (await watch.one()).status == "pending"
        await watch.pass_time(15)
        assert (await watch.one()).status == "firing"


async def test_an_alert_that_waits_is_written_once_a_minute(watch: Any, metrics: Any) -> None:
    await watch.rule(forDuration="5m")
    metrics.say("p95Latency", 812)
    await watch.alerts.evaluate()
    for seconds, held_s in ((45, 0), (15, 60), (45, 60), (15, 120)):
        await watch.pass_time(seconds)
        assert await watch.database.read("SELECT held_ms FROM alert") == [(held_s * 1000,)]


async def test_an_alert_is_repeated_until_somebody_has_seen_it(watch: Any, metrics: Any) -> None:
    await watch.rule(repeatInterval="1m")
    metrics.say("p95Latency", 812)
    await watch.alerts.evaluate()
    await watch.pass_time(120)
    assert await told(watch) == ["alert.fired"] * 3
    assert len({notification.id for notification in watch.sent}) == 3
    await watch.alerts.acknowledge((await watch.one()).id, by="ada")
    await watch.pass_time(600)
    assert await told(watch) == [*["alert.fired"] * 3, "alert.acknowledged"]


async def test_acknowledging_says_who_and_when_and_why(watch: Any, metrics: Any, clock: Any) -> None:
    await watch.rule()
    metrics.say("p95Latency", 812)
    await watch.alerts.evaluate()
    alert_id = (await watch.one()).id
    clock.advance(5)
    seen = await watch.alerts.acknowledge(alert_id, by="<b>Ada</b>", note="known: the cache is cold\nsee wiki")
    assert (seen.acknowledged, seen.acknowledged_by, seen.acknowledge_note) == (
        True, "<b>Ada</b>", "known: the cache is cold\nsee wiki",
    )  # fmt: skip
    assert seen.acknowledged_at == clock.now_ms()
    clock.advance(5)
    assert await watch.alerts.acknowledge(alert_id, by="<b>Ada</b>", note="again") == seen
    with pytest.raises(Conflict, match="'<b>Ada</b>' acknowledged this alert already"):
        await watch.alerts.acknowledge(alert_id, by="Bob")
    await watch.pass_time(15)
    assert (await watch.one()).acknowledged_by == "<b>Ada</b>"
    assert await told(watch) == ["alert.fired", "alert.acknowledged"]


async def test_an_acknowledgement_survives_a_restart(open_watch: Callable[..., Any], metrics: Any) -> None:
    metrics.say("p95Latency", 812)
    async with open_watch() as watch:
        await watch.rule(repeatInterval="1m")
        await watch.alerts.evaluate()
        await watch.alerts.acknowledge((await watch.one()).id, by="ada")
    async with open_watch() as watch:
        await watch.pass_time(300)
        assert (await watch.one()).acknowledged_by == "ada"
        assert await told(watch) == ["alert.fired", "alert.acknowledged"]


async def test_a_resolved_alert_can_still_be_acknowledged(watch: Any, metrics: Any) -> None:
    await watch.rule()
    for value in (812, 100):
        metrics.say("p95Latency", value)
        await watch.pass_time(15)
    seen = await watch.alerts.acknowledge((await watch.one()).id, by="ada")
    assert (seen.status, seen.acknowledged) == ("resolved", True)
    assert await watch.one() == seen


async def test_what_cannot_be_acknowledged(watch: Any, metrics: Any) -> None:
    await watch.rule(forDuration="1h")
    metrics.say("p95Latency", 812)
    await watch.alerts.evaluate()
    with pytest.raises(Conflict, match="has not fired yet"):
        await watch.alerts.acknowledge((await watch.one()).id, by="ada")
    for nobody in (" ", "a\nb", "\x1b[31m"):
        with pytest.raises(InvalidInput, match="acknowledgedBy"):
            await watch.alerts.acknowledge((await watch.one()).id, by=nobody)
    for unknown in ("", "x", "01976f6b-0000-7000-8000-000000000001", "'; DROP TABLE alert; --"):
        with pytest.raises(NotFound, match="there is no alert"):
            await watch.alerts.acknowledge(unknown, by="ada")


@pytest.mark.parametrize("phase", ["pending", "firing"])
@pytest.mark.parametrize(
    ("ends", "reason"),
    [
        ("deleted", "the rule was deleted"),
        ("switched off", "the rule was switched off"),
        ("narrowed", "the rule does not cover this model version any more"),
        ("unserved", "the model version is not served any more"),
    ],
)
async def test_an_alert_that_nothing_is_about_any_more_ends_with_a_reason(
    watch: Any, metrics: Any, phase: str, ends: str, reason: str
) -> None:
    for_duration = "1h" if phase == "pending" else "0s"
    await watch.rule(forDuration=for_duration)
    metrics.say("p95Latency", 812)
    await watch.alerts.evaluate()
    if ends == "deleted":
        await watch.rules.delete("slow")
    elif ends == "switched off":
        await watch.rule(forDuration=for_duration, enabled=False)
    elif ends == "narrowed":
        await watch.rule(forDuration=for_duration, modelName="wine")
    else:
        watch.models.clear()
    await watch.pass_time(15)
    alerts = await watch.all()
    assert [alert.resolution for alert in alerts] == ([reason] if phase == "firing" else [])
    assert watch.alerts.active() == []


async def test_a_rule_that_changes_while_its_alert_fires_is_followed(watch: Any, metrics: Any) -> None:
    await watch.rule(name="Slow")
    metrics.say("p95Latency", 812)
    await watch.alerts.evaluate()
    await watch.rule(name="Very slow", severity="critical")
    await watch.pass_time(15)
    alert = await watch.one()
    assert (alert.status, alert.rule_name, alert.severity) == ("firing", "Very slow", "critical")
    await watch.rule(conditions=[{"metric": "p95Latency", "operator": ">", "threshold": 1_000}])
    await watch.pass_time(15)
    assert (await watch.one()).status == "resolved"


async def test_a_metric_that_cannot_be_read_hinders_no_other(watch: Any, metrics: Any) -> None:
    await watch.rule("slow")
    await watch.rule("broken", conditions=[{"metric": "accuracy", "operator": "<", "threshold": 0.5}])
    metrics.say("p95Latency", 812)
    metrics.failing.add("accuracy")
    with pytest.raises(EdgeAiopsError, match="accuracy cannot be read"):
        await watch.alerts.evaluate()
    assert (await watch.one()).rule_id == "slow"


async def test_alerts_are_found_by_what_they_are_and_paged(watch: Any, metrics: Any) -> None:
    watch.serve("1", "2", "3")
    await watch.rule("slow")
    await watch.rule("failing", conditions=[{"metric": "errorRate", "operator": ">", "threshold": 0.1}],
                     severity="critical", forDuration="1h")  # fmt: skip
    for version in "123":
        metrics.say("p95Latency", 812, version=version)
        await watch.pass_time(15)
    metrics.say("errorRate", 0.5, version="3")
    metrics.say("p95Latency", 100, version="1")
    await watch.pass_time(15)
    first = next(alert for alert in await watch.all() if alert.model_version == "2")
    await watch.alerts.acknowledge(first.id, by="ada")

    async def versions(**wanted: Any) -> list[str]:
        return [alert.model_version for alert in await watch.all(**wanted)]

    assert await versions() == ["3", "3", "2", "1"]
    assert await versions(status="firing") == ["3", "2"]
    assert await versions(status="active") == ["3", "3", "2"]
    assert await versions(status="resolved") == ["1"]
    assert await versions(severity="critical") == ["3"]
    assert await versions(acknowledged=True) == ["2"]
    assert await versions(acknowledged=False) == ["3", "3", "1"]
    assert await versions(model_name="wine") == []

    from edge_aiops.observe.alerts.records import AlertFilter

    page = await watch.alerts.page(AlertFilter(), limit=3)
    rest = await watch.alerts.page(AlertFilter(), cursor=page.next_cursor, limit=3)
    assert ([alert.model_version for alert in page.alerts], [alert.model_version for alert in rest.alerts]) == (
        ["3", "3", "2"], ["1"],
    )  # fmt: skip
    assert rest.next_cursor is None
    for cursor, limit, field in (("nonsense", 1, "cursor"), (None, 0, "limit"), (None, 1_001, "limit")):
        with pytest.raises(InvalidInput, match=field):
            await watch.alerts.page(AlertFilter(), cursor=cursor, limit=limit)


async def test_old_resolved_alerts_are_deleted_a_fifth_at_a_time(watch: Any, metrics: Any, clock: Any) -> None:
    await watch.rule()
    for value in (812, 100) * 10 + (812,):
        metrics.say("p95Latency", value)
        await watch.pass_time(15)
    clock.advance(YEAR)
    assert await watch.alerts.prune(clock.now_ms()) == 2
    assert len(await watch.all()) == 9
    assert (await watch.all(status="firing"))[0].value == 812
    assert await watch.alerts.prune(clock.now_ms() - 2 * YEAR * 1000) == 0


async def test_a_hundred_rules_over_fifty_versions_are_judged_well_under_a_second(watch: Any, metrics: Any) -> None:
    import asyncio

    watch.serve(*(str(number) for number in range(50)))
    names = ("p95Latency", "p99Latency", "meanLatency", "maxLatency", "requests")
    await asyncio.gather(
        *(
            watch.rule(
                f"r{number}",
                conditions=[
                    {"metric": names[number % 5], "operator": ">", "threshold": number + 1, "windowMinutes": 5},
                    {"metric": "errorRate", "operator": ">", "threshold": 0.5, "minRequests": 10},
                ],
                match="any",
            )
            for number in range(100)
        )
    )
    for version in range(50):
        metrics.say("p95Latency", 0.5, version=str(version))
        metrics.say("errorRate", 0.1, version=str(version))
        metrics.say("requests", 0.5, version=str(version))
    began = time.process_time()
    await watch.alerts.evaluate()
    assert time.process_time() - began < 1.0
    asked = [(condition.reading, name, version) for condition, name, version in metrics.asked]
    assert len(asked) == len(set(asked)) == 6 * 50
