"""A node pushes when the hub wants it to, and does what each of its answers asks for."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from edge_aiops.base.errors import EdgeAiopsError, Forbidden, InvalidInput, Unavailable
from edge_aiops.base.settings import FleetSettings
from edge_aiops.fleet.messages.identity import Session
from edge_aiops.fleet.messages.push import Push, PushRow, Reported
from edge_aiops.fleet.messages.rollout import Activation
from edge_aiops.fleet.node.hub_client import HubClient
from edge_aiops.fleet.node.push import CHECK_IN_S, EXCHANGE_TIMEOUT_S, LONGEST_S, SHUT_OUT_S, Pusher
from edge_aiops.testing.clock import FakeClock

from .outbound import FIVE_MINUTES_MS, Site

Answer = Callable[[Push], web.Response | None]


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    with suppress(ConnectionError):
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.01)
    return response


class Hub:
    """A stand-in that takes in what comes, unless `answer` says something else."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.pushes: list[Push] = []
        self.encodings: list[str | None] = []
        self.sizes: list[int] = []
        self.answer: Answer = lambda _: None
        self.next_in_ms = 60_000
        self.generation = 1
        self.trickles = False
        self.came, self.held = asyncio.Event(), asyncio.Event()
        self.held.set()

    async def push(self, request: web.Request) -> web.StreamResponse:
        self.sizes.append(request.content_length or 0)
        push = msgspec.msgpack.decode(await request.read(), type=Push)
        self.pushes.append(push)
        self.encodings.append(request.headers.get("Content-Encoding"))
        self.came.set()
        await self.held.wait()
        if self.trickles:
            return await endless(request)
        said = self.answer(push)
        if said is not None:
            return said
        pushed = self._site.pushed(push)
        pushed = msgspec.structs.replace(pushed, next_in_ms=self.next_in_ms, generation=self.generation)
        return web.Response(body=msgspec.json.encode(pushed), content_type="application/json")

    @property
    def rows(self) -> list[PushRow]:
        return [row for push in self.pushes for row in push.rows]


class Pushing:
    """A node with an outbox, and its hub."""

    def __init__(self, site: Site, hub: Hub, pusher: Pusher) -> None:
        self.site, self.hub, self.pusher = site, hub, pusher

    async def count(self, *requests: int) -> None:
        """Windows that are over."""
        for count in requests:
            await self.site.count(count)
            self.site.clock.advance(FIVE_MINUTES_MS / 1000)
        self.site.clock.advance(60)

    async def failing(self, kind: type[EdgeAiopsError] = Unavailable) -> str:
        with pytest.raises(kind) as failed:
            await self.pusher.exchange()
        assert self.pusher.status.last_error == str(failed.value)
        return str(failed.value)


@asynccontextmanager
async def pushing(
    folder: Path, *, seed: int = 1, timeout_s: float = EXCHANGE_TIMEOUT_S, **settings: Any
) -> AsyncIterator[Pushing]:
    clock = FakeClock()
    site = await Site.open(folder, clock)
    hub = Hub(site)
    app = web.Application(client_max_size=8 * 1024**2)
    app.router.add_post("/fleet/push", hub.push)

    async def reported() -> Reported:
        return Reported(generation=1, health={"ready": True})

    async def session() -> Session:
        return Session(token="token", expires_in_s=900)

    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        pusher = Pusher(
            HubClient(str(server.make_url("/")), http=http, open_session=session),
            site.outbox,
            settings=FleetSettings(**settings),
            clock=clock,
            reported=reported,
            chance=random.Random(seed),
            timeout_s=timeout_s,
        )
        yield Pushing(site, hub, pusher)
    await site.close()


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Pushing]:
    async with pushing(tmp_path) as node:
        yield node


def refusing(status: int, *, headers: dict[str, str] | None = None, **members: Any) -> Answer:
    body = msgspec.json.encode({"status": status, "detail": "it is so", **members})
    return lambda _: web.Response(body=body, status=status, headers=headers, content_type="application/problem+json")


async def test_what_waits_arrives_and_is_not_sent_again(node: Pushing) -> None:
    await node.count(5, 6)
    await node.pusher.exchange()
    await node.pusher.exchange()
    assert node.site.requests() == 11
    assert len(node.hub.pushes) == 1
    assert node.hub.encodings == ["gzip"]
    assert node.hub.pushes[0].reported.health == {"ready": True}
    assert node.pusher.status.last_push == node.site.clock.now_ms()


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_first_push_waits_a_random_part_of_the_interval(tmp_path: Path, seed: int) -> None:
    async with pushing(tmp_path, seed=seed) as node:
        assert node.pusher.wait_s == random.Random(seed).uniform(0, 30)


async def test_the_hub_says_when_to_push_next(node: Pushing) -> None:
    for said_ms, wait_s in ((60_000, 60), (0, 1), (10**9, LONGEST_S)):
        node.hub.next_in_ms = said_ms
        await node.count(1)
        await node.pusher.exchange()
        assert node.pusher.wait_s == wait_s


async def test_a_node_with_nothing_to_say_says_so_every_five_minutes(node: Pushing) -> None:
    await node.pusher.exchange()
    for _ in range(4):
        node.site.clock.advance(60)
        await node.pusher.exchange()
        assert node.pusher.wait_s <= 60
    assert len(node.hub.pushes) == 1
    node.site.clock.advance(CHECK_IN_S - 240)
    await node.pusher.exchange()
    assert len(node.hub.pushes) == 2
    assert node.hub.pushes[1].rows == ()


async def test_a_newer_desired_state_is_pulled(node: Pushing) -> None:
    node.hub.generation = 5
    await node.pusher.exchange()
    assert await node.pusher.newer() == 5


async def test_failures_are_waited_out_longer_and_longer(node: Pushing) -> None:
    await node.count(5)
    node.hub.answer = refusing(500)
    longest = 0.0
    for failure in range(1, 16):
        assert "500" in await node.failing()
        assert 0 <= node.pusher.wait_s <= min(LONGEST_S, 2 * 2**failure)
        longest = max(longest, node.pusher.wait_s)
    assert longest > 60
    node.hub.answer = lambda _: None
    await node.pusher.exchange()
    assert node.site.requests() == 5
    assert node.pusher.status.last_error is None


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_obeyed(node: Pushing, status: int) -> None:
    node.hub.answer = refusing(status, headers={"Retry-After": "123"})
    await node.failing()
    assert node.pusher.wait_s == 123


async def test_a_hub_that_is_away_is_waited_for(node: Pushing) -> None:
    node.hub.answer = lambda _: web.Response(body=b"{", status=200)
    assert "Pushed" in await node.failing()
    assert node.pusher.wait_s <= 4


async def test_a_hub_whose_answer_never_ends_is_given_up(tmp_path: Path) -> None:
    async with pushing(tmp_path, timeout_s=1.5) as node:  # long enough for the answer that ends
        await node.count(5)
        node.hub.trickles = True
        assert "did not take a push within 1.5 s" in await node.failing()
        node.hub.trickles = False
        await node.pusher.exchange()
        assert [row.n for row in node.hub.rows] == [5, 5]


async def test_a_hub_that_went_back_gets_again_what_it_lost(node: Pushing) -> None:
    await node.count(1)
    await node.pusher.exchange()
    backup, cursors = dict(node.site.hub), dict(node.site.cursors)
    await node.count(2, 4)
    await node.pusher.exchange()
    node.site.hub, node.site.cursors = backup, cursors

    def went_back(push: Push) -> web.Response | None:
        if any(acked > node.site.cursors.get(stream, 0) for stream, acked in push.have.items()):
            return refusing(409, fleet={"cursors": {str(stream): seq for stream, seq in cursors.items()}})(push)
        return None

    node.hub.answer = went_back
    node.site.clock.advance(CHECK_IN_S)
    await node.pusher.exchange()
    assert node.pusher.wait_s == 1
    await node.pusher.exchange()
    assert node.site.requests() == 7


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_a_row_that_the_hub_names_is_set_apart(node: Pushing, status: int) -> None:
    await node.count(1, 2, 4)
    node.hub.answer = refusing(status, errors=[{"field": "rows[1].summary", "message": "it is odd"}])
    await node.pusher.exchange()
    node.hub.answer = lambda _: None
    await node.pusher.exchange()
    assert node.site.requests() == 5
    await node.site.outbox.keep_house()
    (letter,) = node.pusher.status.dead_letters
    assert "it is so" in letter.reason
    assert node.pusher.status.lost_items == 2


async def test_a_row_that_the_hub_does_not_name_is_found(node: Pushing) -> None:
    await node.count(*range(1, 9))

    def odd(push: Push) -> web.Response | None:
        return refusing(422)(push) if any(row.revision == 3 for row in push.rows) else None

    node.hub.answer = odd
    for _ in range(16):
        await node.pusher.exchange()
    assert node.site.requests() == sum(range(1, 9)) - 3
    await node.site.outbox.keep_house()
    assert node.pusher.status.lost_items == 3


async def test_a_push_without_rows_that_is_refused_is_a_failure(node: Pushing) -> None:
    node.hub.answer = refusing(400)
    assert "400" in await node.failing(InvalidInput)


@pytest.mark.parametrize("status", [403, 410])
async def test_a_node_that_is_shut_out_stops_and_says_so(node: Pushing, status: int) -> None:
    node.hub.answer = refusing(status, code="node_revoked")
    await node.failing(Forbidden)
    assert node.pusher.wait_s == SHUT_OUT_S
    assert node.pusher.status.shut_out
    node.hub.answer = lambda _: None
    await node.pusher.exchange()
    assert not node.pusher.status.shut_out


@pytest.mark.parametrize("limit", ["bytes_per_hour", "bytes_per_day"])
async def test_bytes_are_not_overspent_but_for_what_is_urgent(tmp_path: Path, limit: str) -> None:
    async with pushing(tmp_path, **{limit: 1_000}) as node:
        await node.count(1)
        await node.pusher.exchange()
        await node.count(2)
        await node.pusher.exchange()
        assert len(node.hub.pushes) == 1
        active = Activation(model_name="m", model_version="1", deployment=1, state="active", at_ms=1)
        await node.site.report(active)
        await node.pusher.exchange()
        assert [record.kind for record in node.hub.pushes[1].records] == ["rollout"]
        assert node.hub.pushes[1].rows == ()
        node.site.clock.advance(3_600 * (2 if limit == "bytes_per_hour" else 48))
        await node.pusher.exchange()
        assert node.site.requests() == 3


async def test_a_push_that_is_broken_off_goes_again(node: Pushing) -> None:
    await node.count(5)
    node.pusher.wait_s = 0
    node.hub.held.clear()
    task = asyncio.create_task(node.pusher.turn())
    await node.hub.came.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    node.hub.held.set()
    await node.pusher.exchange()
    assert len(node.hub.pushes) == 2
    assert node.site.requests() == 5
