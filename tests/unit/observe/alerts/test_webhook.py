"""Webhooks, over a real socket: signed so that the reference library verifies them, retried, and bounded."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from standardwebhooks import Webhook, WebhookVerificationError

from edge_aiops.base.clock import SystemClock
from edge_aiops.base.errors import InvalidInput
from edge_aiops.observe.alerts.deliveries import DeliveryFilter, Outgoing
from edge_aiops.observe.alerts.notifiers import Notifiers
from edge_aiops.observe.alerts.outbox import Outbox
from edge_aiops.observe.alerts.webhook import WebhookNotifier, retry_after_s
from edge_aiops.observe.config import MonitoringConfig, NotifierConfig
from edge_aiops.observe.tables import MONITORING_SCHEMA
from edge_aiops.plugin import NotificationFailed, NotifierSpec
from edge_aiops.plugin.extensions import Extensions
from edge_aiops.store.local import LocalDatabase
from edge_aiops.testing.clock import FakeClock
from edge_aiops.testing.notifiers import NotifierContract, notification
from edge_aiops.testing.plugins import plugins_of_modules

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
NEWER = "whsec_" + base64.b64encode(b"n" * 32).decode()


class Receiver:
    """A server that keeps what it gets and answers what the test wants."""

    def __init__(self) -> None:
        self.url = ""
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[web.StreamResponse | float] = []
        """What to answer next, a number: after so many seconds; when there is none left, 204."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Take a webhook."""
        self.got.append((dict(request.headers), await request.read()))
        answer = self.answers.pop(0) if self.answers else web.Response(status=204)
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            return web.Response(status=204)
        return answer


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A server on loopback."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.handle)
    async with TestServer(app) as server:
        receiver.url = str(server.make_url("/hook"))
        yield receiver


@pytest.fixture
async def webhook(receiver: Receiver) -> AsyncIterator[WebhookNotifier]:
    """A notifier that sends to it."""
    notifier = WebhookNotifier({"url": receiver.url, "secret": SECRET, "timeout": "30s"})
    yield notifier
    await notifier.close()


async def failed(webhook: WebhookNotifier) -> NotificationFailed:
    """Why a notification could not be delivered."""
    with pytest.raises(NotificationFailed) as error:
        await webhook.notify(notification())
    return error.value


async def test_the_reference_library_verifies_it(receiver: Receiver, webhook: WebhookNotifier) -> None:
    sent = notification(summary="p95 ≥ 500 ms <b>now</b>")
    await webhook.notify(sent)
    ((headers, body),) = receiver.got
    said = Webhook(SECRET).verify(body, headers)
    assert said == {
        "type": "alert.fired",
        "timestamp": "2025-06-15T15:11:40.000Z",
        "data": {
            "nodeId": "node",
            "severity": "warning",
            "summary": "p95 ≥ 500 ms <b>now</b>",
            "alert": dict(sent.alert),
        },
    }
    assert headers["webhook-id"] == sent.id
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"].startswith("edge-aiops/")


async def test_what_is_changed_on_its_way_is_noticed(receiver: Receiver, webhook: WebhookNotifier) -> None:
    await webhook.notify(notification())
    ((headers, body),) = receiver.got
    for changed_headers, changed_body in (
        (headers, body.replace(b"812", b"100")),
        ({**headers, "webhook-id": "another"}, body),
        ({**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)}, body),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(changed_body, changed_headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEWER).verify(body, headers)


async def test_while_secrets_change_it_is_signed_with_each(receiver: Receiver) -> None:
    notifier = WebhookNotifier({"url": receiver.url, "secret": [NEWER, SECRET]})
    await notifier.notify(notification())
    await notifier.close()
    ((headers, body),) = receiver.got
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (NEWER, SECRET):
        Webhook(secret).verify(body, headers)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_every_2xx_is_delivered(receiver: Receiver, webhook: WebhookNotifier, status: int) -> None:
    receiver.answers = [web.Response(status=status)]
    await webhook.notify(notification())


@pytest.mark.parametrize("status", [301, 307, 400, 401, 404, 408, 409, 422, 500, 502])
async def test_everything_else_is_a_passing_failure(receiver: Receiver, webhook: WebhookNotifier, status: int) -> None:
    receiver.answers = [web.Response(status=status, text="try\n another\x1b day", headers={"Location": receiver.url})]
    error = await failed(webhook)
    assert f"answered {status}" in error.message
    assert (error.permanent, error.retry_after_s) == (False, None)
    assert len(receiver.got) == 1  # a redirect is not followed


async def test_gone_is_for_good(receiver: Receiver, webhook: WebhookNotifier) -> None:
    receiver.answers = [web.Response(status=410)]
    assert (await failed(webhook)).permanent


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_heard(receiver: Receiver, webhook: WebhookNotifier, status: int) -> None:
    receiver.answers = [web.Response(status=status, headers={"Retry-After": "120"})]
    assert (await failed(webhook)).retry_after_s == 120


def test_retry_after_may_be_a_date_and_nonsense_is_none() -> None:
    in_an_hour = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    assert retry_after_s(in_an_hour) == pytest.approx(3_600, abs=5)
    assert retry_after_s("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    for nonsense in ("soon", "-5", "1e9", "٣", "9" * 400, ""):
        assert retry_after_s(nonsense) is None


async def test_a_slow_server_is_not_waited_for(receiver: Receiver) -> None:
    webhook = WebhookNotifier({"url": receiver.url, "secret": SECRET, "timeout": "1s"})
    receiver.answers = [30.0]
    async with asyncio.timeout(10):
        assert (await failed(webhook)).message == "no answer within 1s"
    await webhook.close()


async def test_an_endless_answer_is_not_read(receiver: Receiver, webhook: WebhookNotifier) -> None:
    receiver.answers = [web.Response(status=500, body=b"x" * 50_000_000)]
    assert len((await failed(webhook)).message) < 300


async def test_nobody_there_is_a_passing_failure() -> None:
    notifier = WebhookNotifier({"url": "http://127.0.0.1:1/hook", "secret": SECRET})
    assert not (await failed(notifier)).permanent
    await notifier.close()


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({}, "url"),
        ({"url": ""}, "url"),
        ({"url": 5}, "url"),
        ({"url": "ftp://example/"}, "url"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"url": "//example/"}, "url"),
        ({"url": "https://"}, "url"),
        ({"url": "https://example:99999/"}, "url"),
        ({"url": "https://[::1/"}, "url"),
        ({"url": "https://example/\r\nX-Injected: 1"}, "url"),
        ({"secret": None}, "secret"),
        ({"secret": []}, "secret"),
        ({"secret": "hunter2hunter2"}, "secret"),
        ({"secret": "whsec_!!!"}, "secret"),
        ({"secret": "whsec_" + base64.b64encode(b"short").decode()}, "secret"),
        ({"secret": "whsec_" + base64.b64encode(b"x" * 65).decode()}, "secret"),
        ({"secret": [SECRET, 5]}, "secret"),
        ({"timeout": "31s"}, "timeout"),
        ({"timeout": "0.5s"}, "timeout"),
        ({"timeout": 20}, "timeout"),
        ({"timeout": "soon"}, "timeout"),
        ({"secrte": SECRET}, "secrte"),
    ],
)
def test_a_wrong_option_is_refused_by_name_and_no_secret_is_told(options: dict[str, Any], field: str) -> None:
    usual = {} if not options else {"url": "https://example/", "secret": SECRET}
    with pytest.raises(InvalidInput) as refused:
        WebhookNotifier({**usual, **options})
    assert [blamed for blamed, _ in refused.value.fields] == [f"options.{field}"]
    assert "hunter2" not in str(refused.value)
    assert SECRET not in str(refused.value)


def test_an_unpadded_secret_is_taken() -> None:
    key = secrets.token_bytes(25)
    WebhookNotifier({"url": "https://example/", "secret": "whsec_" + base64.b64encode(key).decode().rstrip("=")})


class TestWebhookContract(NotifierContract):
    plugin = "edge_aiops.observe.plugin"
    notifier_name = "webhook"

    @pytest.fixture
    def options(self, receiver: Receiver) -> dict[str, Any]:
        return {"url": receiver.url, "secret": SECRET}

    @pytest.fixture
    def unreachable(self) -> dict[str, Any]:
        return {"url": "http://127.0.0.1:1/hook", "secret": SECRET}


@pytest.fixture
def opened(tmp_path: Path, receiver: Receiver) -> Callable[[FakeClock], Any]:
    """Opens an outbox whose only place is the receiver, over the test's database."""

    @asynccontextmanager
    async def open_it(clock: FakeClock) -> AsyncIterator[tuple[Outbox, LocalDatabase]]:
        database = await LocalDatabase.open(tmp_path / "monitoring.db", MONITORING_SCHEMA, clock=SystemClock())
        plugins = plugins_of_modules("edge_aiops.observe.plugin")
        notifiers = Notifiers(
            Extensions(plugins, hook="register_notifiers", spec=NotifierSpec), environment={"HOOK_SECRET": SECRET}
        )
        place = NotifierConfig(name="hook", type="webhook", options={"url": receiver.url, "secret": "env:HOOK_SECRET"})
        await notifiers.configure(MonitoringConfig(notifiers=(place,)))
        outbox = await Outbox.open(database, notifiers=notifiers, clock=clock, node_id="node")
        try:
            yield outbox, database
        finally:
            await outbox.close()
            await notifiers.close()
            await database.close()

    return open_it


async def test_a_webhook_comes_through_failures_and_a_restart_under_one_id(
    opened: Callable[[FakeClock], Any], receiver: Receiver
) -> None:
    clock = FakeClock()
    receiver.answers = [web.Response(status=500), web.Response(status=503, headers={"Retry-After": "60"})]
    outgoing = [Outgoing("hook", notification(id="the-one"))]
    async with opened(clock) as (outbox, database):
        numbers = await database.write(lambda connection: outbox.put(connection, outgoing))
        outbox.accept(outgoing, numbers)
        await outbox.deliver_due()
        clock.advance(6)
        await outbox.deliver_due()
        assert len(receiver.got) == 2
    async with opened(clock) as (outbox, database):
        clock.advance(59)
        await outbox.deliver_due()
        assert len(receiver.got) == 2
        clock.advance(1)
        await outbox.deliver_due()
        (delivery,) = (await outbox.page(DeliveryFilter())).notifications
        assert (delivery.status, delivery.attempts) == ("delivered", 3)
    assert [headers["webhook-id"] for headers, _ in receiver.got] == ["the-one"] * 3
    assert len({body for _, body in receiver.got}) == 1
    for headers, body in receiver.got:
        assert json.loads(body) == Webhook(SECRET).verify(body, headers)


async def test_a_receiver_that_is_gone_gets_nothing_more(
    opened: Callable[[FakeClock], Any], receiver: Receiver
) -> None:
    clock = FakeClock()
    receiver.answers = [web.Response(status=410)]
    outgoing = [Outgoing("hook", notification(id=f"n{number}")) for number in range(3)]
    async with opened(clock) as (outbox, database):
        outbox.accept(outgoing, await database.write(lambda connection: outbox.put(connection, outgoing)))
        await outbox.deliver_due()
        clock.advance(10 * 86_400)
        await outbox.deliver_due()
    assert len(receiver.got) == 1
