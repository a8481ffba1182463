"""Notifications reach their places: retried on a schedule, across restarts, and given up in the open."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from edge_aiops.base.errors import InvalidInput, NotFound
from edge_aiops.observe.alerts.deliveries import CROWDED_OUT, MAX_WAITING, DeliveryFilter, Outgoing
from edge_aiops.observe.alerts.schedule import RETRIES_S
from edge_aiops.observe.config import MonitoringConfig, NotifierConfig
from edge_aiops.plugin import NotificationFailed
from edge_aiops.testing.notifiers import notification

A = NotifierConfig(name="a", type="memory")
B = NotifierConfig(name="b", type="memory", severities=("critical",))


async def send(watch: Any, *places: str, **fields: Any) -> None:
    """Let a notification wait for these places."""
    outgoing = [Outgoing(place, notification(**fields)) for place in places]
    watch.outbox.accept(outgoing, await watch.database.write(lambda connection: watch.outbox.put(connection, outgoing)))


async def deliveries(watch: Any, **wanted: Any) -> list[Any]:
    found: list[Any] = (await watch.outbox.page(DeliveryFilter(**wanted))).notifications
    return found


async def tries(watch: Any, clock: Any, seconds: float) -> int:
    """How many attempts there are in so many seconds, second by second."""
    before = len(watch.tried)
    for _ in range(int(seconds)):
        clock.advance(1)
        await watch.outbox.deliver_due()
    return len(watch.tried) - before


def failing(watch: Any, error: BaseException | None) -> None:
    """From now on attempts raise `error`; those of this test are listed in `watch.tried`."""
    watch.tried = getattr(watch, "tried", [])

    def refuse(sent: Any) -> BaseException | None:
        watch.tried.append(sent.id)
        return error

    watch.refuse = refuse


async def test_what_is_delivered_is_delivered_once_and_in_order(watch: Any) -> None:
    for number in range(5):
        await send(watch, "memory", id=f"n{number}")
    await watch.outbox.deliver_due()
    await watch.outbox.deliver_due()
    assert [sent.id for sent in watch.sent] == [f"n{number}" for number in range(5)]
    newest, *_ = await deliveries(watch)
    assert (newest.id, newest.status, newest.attempts, newest.last_error) == ("n4", "delivered", 1, None)


async def test_a_failure_is_tried_again_on_the_schedule_of_standard_webhooks(watch: Any, clock: Any) -> None:
    failing(watch, ConnectionError("refused"))
    await send(watch, "memory", id="n")
    await watch.outbox.deliver_due()
    waits = []
    for least_s in RETRIES_S:
        (waiting,) = await deliveries(watch)
        assert (waiting.status, waiting.last_error) == ("waiting", "ConnectionError: refused")
        wait_s = (waiting.due_at - clock.now_ms()) / 1000
        assert least_s <= wait_s <= 1.2 * least_s
        waits.append(wait_s)
        clock.advance(wait_s - 1)
        await watch.outbox.deliver_due()
        assert len(watch.tried) == len(waits)
        clock.advance(1.001)
        await watch.outbox.deliver_due()
        assert len(watch.tried) == len(waits) + 1
    assert set(watch.tried) == {"n"}
    (dead,) = await deliveries(watch)
    assert (dead.status, dead.attempts, dead.due_at) == ("dead", 10, None)
    assert waits != [float(wait_s) for wait_s in RETRIES_S]  # spread, so that not all come back at once


async def test_a_notifier_that_would_end_the_process_has_failed(watch: Any) -> None:
    failing(watch, SystemExit("no more"))
    await send(watch, "memory")
    await watch.outbox.deliver_due()
    (waiting,) = await deliveries(watch)
    assert (waiting.status, waiting.last_error) == ("waiting", "SystemExit: no more")


async def test_what_the_receiver_asks_for_wins(watch: Any, clock: Any) -> None:
    failing(watch, NotificationFailed("busy", retry_after_s=90))
    await send(watch, "memory")
    await watch.outbox.deliver_due()
    assert await tries(watch, clock, 89) == 0
    assert await tries(watch, clock, 1) == 1
    for asked_s, due_s in ((10 * 86_400, 86_400), (0, 1)):
        failing(watch, NotificationFailed("busy", retry_after_s=asked_s))
        clock.advance(86_400)
        await watch.outbox.deliver_due()
        (waiting,) = await deliveries(watch)
        assert waiting.due_at == clock.now_ms() + due_s * 1000


async def test_a_clock_that_jumps_changes_no_wait(watch: Any, clock: Any) -> None:
    failing(watch, ConnectionError("refused"))
    await send(watch, "memory")
    await watch.outbox.deliver_due()
    clock.jump(365 * 86_400)
    await watch.outbox.deliver_due()
    assert len(watch.tried) == 1
    clock.jump(-2 * 365 * 86_400)
    assert await tries(watch, clock, 6) == 1


async def test_a_restart_goes_on_where_it_was(open_watch: Callable[..., Any], clock: Any) -> None:
    async with open_watch() as watch:
        failing(watch, ConnectionError("refused"))
        await send(watch, "memory", id="n")
        await watch.outbox.deliver_due()
        clock.advance(6)
        await watch.outbox.deliver_due()
        assert len(watch.tried) == 2
    async with open_watch() as watch:
        await watch.outbox.deliver_due()
        assert watch.sent == []  # the third attempt is due after five minutes
        clock.advance(360)
        await watch.outbox.deliver_due()
        assert [sent.id for sent in watch.sent] == ["n"]
        (delivered,) = await deliveries(watch)
        assert (delivered.status, delivered.attempts) == ("delivered", 3)
    async with open_watch() as watch:
        await watch.outbox.deliver_due()
        assert len(watch.sent) == 1


@pytest.mark.parametrize("jump_s", [-10 * 365 * 86_400, 10 * 365 * 86_400])
async def test_no_clock_delays_a_retry_for_years(open_watch: Callable[..., Any], clock: Any, jump_s: float) -> None:
    async with open_watch() as watch:
        failing(watch, ConnectionError("refused"))
        await send(watch, "memory")
        await watch.outbox.deliver_due()
    clock.jump(jump_s)
    async with open_watch() as watch:
        clock.advance(1.2 * 86_400)
        await watch.outbox.deliver_due()
        assert len(watch.sent) == 1


async def test_a_permanent_refusal_ends_the_place_until_it_is_configured_anew(
    open_watch: Callable[..., Any], clock: Any, metrics: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_watch() as watch:
        failing(watch, NotificationFailed("410 Gone", permanent=True))
        await send(watch, "memory", id="n1")
        await send(watch, "memory", id="n2")
        await watch.outbox.deliver_due()
        assert watch.tried == ["n1"]
        assert {(delivery.status, delivery.last_error) for delivery in await deliveries(watch)} == {
            ("dead", "410 Gone")
        }
        assert [record.levelno for record in caplog.records if "is not used until" in record.message] == [
            logging.WARNING
        ]
        (status,) = watch.outbox.status()
        assert (status.state, status.problem, status.waiting) == ("gone", "410 Gone", 0)
        assert watch.outbox.addressed(None, severity="critical") == []
    async with open_watch() as watch:
        assert watch.outbox.status()[0].state == "gone"
        anew = NotifierConfig(name="memory", type="memory", options={"url": "another"})
        await watch.notifiers.configure(MonitoringConfig(notifiers=(anew,)))
        assert watch.outbox.status()[0].state == "ready"
        assert watch.outbox.addressed(None, severity="critical") == ["memory"]


async def test_a_test_that_succeeds_brings_a_place_back(open_watch: Callable[..., Any]) -> None:
    async with open_watch() as watch:
        failing(watch, NotificationFailed("410 Gone", permanent=True))
        await send(watch, "memory")
        await watch.outbox.deliver_due()
        result = await watch.outbox.test("memory")
        assert (result.delivered, result.error) == (False, "410 Gone")
        failing(watch, None)
        assert (await watch.outbox.test("memory")).delivered
        assert watch.outbox.status()[0].state == "ready"
        assert watch.sent[-1].type == "alert.test"
    async with open_watch() as watch:
        assert watch.outbox.status()[0].state == "ready"


async def test_a_test_of_an_unknown_place_names_the_nearest(watch: Any) -> None:
    with pytest.raises(NotFound, match=r"no notifier 'memroy' is configured; did you mean 'memory'\?"):
        await watch.outbox.test("memroy")


async def test_places_take_the_severities_they_are_configured_for(open_watch: Callable[..., Any]) -> None:
    async with open_watch(A, B) as watch:
        assert watch.outbox.addressed(None, severity="warning") == ["a"]
        assert watch.outbox.addressed(None, severity="critical") == ["a", "b"]
        assert watch.outbox.addressed(["b"], severity="critical") == ["b"]
        assert watch.outbox.addressed(["b"], severity="info") == []
        assert watch.outbox.addressed([], severity="critical") == []


async def test_a_place_that_fails_holds_up_no_other(open_watch: Callable[..., Any]) -> None:
    async with open_watch(A, B) as watch:
        watch.refuse = lambda sent: ConnectionError("refused") if sent.id == "for-a" else None
        await send(watch, "a", id="for-a")
        await send(watch, "b", id="for-b")
        await watch.outbox.deliver_due()
        assert [sent.id for sent in watch.sent] == ["for-b"]


async def test_after_a_failure_a_place_is_left_alone_for_this_pass(watch: Any) -> None:
    failing(watch, ConnectionError("refused"))
    for number in range(3):
        await send(watch, "memory", id=f"n{number}")
    await watch.outbox.deliver_due()
    assert watch.tried == ["n0"]


async def test_what_is_for_a_place_that_is_no_longer_configured_is_given_up(open_watch: Callable[..., Any]) -> None:
    async with open_watch(A, B) as watch:
        await send(watch, "b")
        await watch.notifiers.configure(MonitoringConfig(notifiers=(A,)))
        await watch.outbox.deliver_due()
        (dead,) = await deliveries(watch)
        assert (dead.status, dead.last_error) == (
            "dead", "given up: no notifier of this name is configured any more",
        )  # fmt: skip


async def test_what_is_for_a_place_that_cannot_be_made_waits(open_watch: Callable[..., Any]) -> None:
    broken = NotifierConfig(name="a", type="carrier-pigeon")
    async with open_watch(broken) as watch:
        await send(watch, "a")
        await watch.outbox.deliver_due()
        (status,) = watch.outbox.status()
        assert (status.state, status.waiting) == ("unusable", 1)
        assert "carrier-pigeon" in status.problem
        assert "carrier-pigeon" in (await watch.outbox.test("a")).error
        await watch.notifiers.configure(MonitoringConfig(notifiers=(A,)))
        await watch.outbox.deliver_due()
        assert len(watch.sent) == 1


async def test_only_so_many_wait_for_a_place_and_the_oldest_go(open_watch: Callable[..., Any], clock: Any) -> None:
    async with open_watch() as watch:
        outgoing = [Outgoing("memory", notification(id=f"n{number}")) for number in range(MAX_WAITING + 3)]
        watch.outbox.accept(
            outgoing, await watch.database.write(lambda connection: watch.outbox.put(connection, outgoing))
        )
        assert watch.outbox.status()[0].waiting == MAX_WAITING
        given_up = await deliveries(watch, status="dead")
        assert [(delivery.id, delivery.last_error) for delivery in given_up] == [
            (f"n{number}", CROWDED_OUT) for number in (2, 1, 0)
        ]
    async with open_watch() as watch:
        assert watch.outbox.status()[0].waiting == MAX_WAITING


async def test_what_is_under_way_at_the_end_is_sent_again_after_the_restart(open_watch: Callable[..., Any]) -> None:
    async with open_watch() as watch:
        watch.hanging = {"n"}
        await send(watch, "memory", id="n")
        await watch.outbox.deliver_due()
        (waiting,) = await deliveries(watch)
        assert (waiting.status, waiting.attempts) == ("waiting", 0)
    async with open_watch() as watch:
        await watch.outbox.deliver_due()
        assert [sent.id for sent in watch.sent] == ["n"]


async def test_a_slow_place_holds_up_no_other(open_watch: Callable[..., Any]) -> None:
    async with open_watch(A, B) as watch:
        watch.hanging = {"slow"}
        await send(watch, "a", id="slow")
        await send(watch, "a", id="behind-it")
        await watch.outbox.deliver_due()
        for number in range(3):
            await send(watch, "b", id=f"n{number}")
            await watch.outbox.deliver_due()
        assert [sent.id for sent in watch.sent] == ["n0", "n1", "n2"]


async def test_finished_deliveries_are_paged_and_pruned(watch: Any) -> None:
    for number in range(5):
        await send(watch, "memory", id=f"n{number}")
    await watch.outbox.deliver_due()
    page = await watch.outbox.page(DeliveryFilter(notifier="memory", status="delivered"), limit=3)
    rest = await watch.outbox.page(DeliveryFilter(), cursor=page.next_cursor, limit=3)
    assert [delivery.id for delivery in (*page.notifications, *rest.notifications)] == ["n4", "n3", "n2", "n1", "n0"]
    assert rest.next_cursor is None
    assert (await watch.outbox.page(DeliveryFilter(notifier="other"))).notifications == []
    assert await watch.outbox.prune() == 0
    with pytest.raises(InvalidInput, match="cursor"):
        await watch.outbox.page(DeliveryFilter(), cursor="x")
