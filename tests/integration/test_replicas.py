"""Two hubs on one PostgreSQL and one object store, behind one address: when one is killed, nothing is missed."""

from __future__ import annotations

import asyncio
import hashlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import asyncpg
import msgspec
import pytest
from yarl import URL

from edge_aiops.fleet.messages.push import MEDIA_TYPE
from edge_aiops.testing.models import mlp
from tests.conftest import Client
from tests.device import Device
from tests.hub_stores import PostgreSQL, Stores
from tests.unit.fleet.hub.pushes import BOOT, push, row

NODES = 4
PUSHES = 40
MODELS = 6

pytestmark = pytest.mark.parametrize("stores", ["postgresql"], indirect=True)


class Replicas(NamedTuple):
    """Two running hubs, and the address that they share."""

    url: str
    processes: list[Any]
    database: str

    def kill_one(self) -> None:
        """End the first without a warning."""
        self.processes[0].send(signal.SIGKILL)


async def query(database: str, question: str) -> list[Any]:
    """The rows that a database gives."""
    connection = await asyncpg.connect(database)
    try:
        return [tuple(found) for found in await connection.fetch(question)]
    finally:
        await connection.close()


@asynccontextmanager
async def balanced(urls: Iterable[str]) -> AsyncIterator[str]:
    """One address before several: each connection goes to the next of them that takes it."""
    turns = [(url.host, url.port) for url in map(URL, urls)]

    async def upstream() -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        for _ in range(len(turns)):
            turns.append(turns.pop(0))
            with suppress(OSError):
                return await asyncio.open_connection(*turns[-1])
        return None

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError):
                while data := await reader.read(65536):
                    writer.write(data)
                    await writer.drain()
        finally:
            writer.close()

    handlers: set[asyncio.Task[Any]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (task := asyncio.current_task()) is not None:
            handlers.add(task)
        if (up := await upstream()) is None:
            writer.close()
            return
        await asyncio.gather(pipe(reader, up[1]), pipe(up[0], writer))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for handler in handlers:
            handler.cancel()
        if handlers:
            await asyncio.wait(handlers)


@pytest.fixture
async def replicas(
    stores: Stores, postgresql_server: PostgreSQL, server_process: Any, tmp_path: Path
) -> AsyncIterator[Replicas]:
    """Two hubs that start at the same time, on a database without any tables."""
    bare = stores._replace(database=await postgresql_server.bare_database())
    processes = [await server_process(tmp_path / name, command="hub", **bare.environment) for name in ("a", "b")]
    async with balanced(await asyncio.gather(*(process.ready() for process in processes))) as url:
        yield Replicas(url, processes, str(bare.database))


async def persist(attempt: Callable[[], Awaitable[int]]) -> None:
    """Try until it succeeds, as a client with patience does; what is refused for good is a failure."""
    while True:
        with suppress(aiohttp.ClientError):
            status = await attempt()
            assert status < 300 or status >= 500, status
            if status < 300:
                return
        await asyncio.sleep(0.05)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Each request on a connection of its own, so that the hubs share them."""
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(60)) as opened:
        yield opened


async def test_pushes_go_on_when_a_hub_is_killed_and_none_is_lost_or_counted_twice(
    replicas: Replicas, session: aiohttp.ClientSession
) -> None:
    # Challenge, session and pushes reach whichever hub has the turn.
    nodes = [await Client(replicas.url, session).as_node() for _ in range(NODES)]
    acknowledged = {node.node_id: 0 for node in nodes}
    half_way = asyncio.Event()

    async def attempt(node: Device, body: bytes) -> int:
        headers = {"Content-Type": MEDIA_TYPE, **node.headers}
        answer = await node.client.post("/fleet/push", data=body, headers=headers)
        if answer.status == 200:
            acknowledged[node.node_id] = answer.body["cursors"][str(BOOT)]
        return int(answer.status)

    async def go_on_pushing(node: Device) -> None:
        """Push 40 windows, each of them twice: first with one request less than it will have."""
        for number in range(1, PUSHES + 1):
            rows = [row(number, seq=number, start_ms=number * 300_000)]
            if number < PUSHES:
                rows.append(row(number, seq=number + 1, start_ms=(number + 1) * 300_000))
            body = msgspec.msgpack.encode(push(*rows, have={BOOT: acknowledged[node.node_id]}))
            await persist(partial(attempt, node, body))
            if sum(acknowledged.values()) > NODES * PUSHES / 2:
                half_way.set()

    async def kill() -> None:
        await half_way.wait()
        replicas.kill_one()

    await asyncio.gather(kill(), *map(go_on_pushing, nodes))
    assert set(acknowledged.values()) == {PUSHES}
    totals = await query(
        replicas.database, "SELECT node_id, count(*), sum(n) FROM fleet_rows GROUP BY node_id ORDER BY node_id"
    )
    assert totals == [(node_id, PUSHES, PUSHES * (PUSHES + 1) / 2) for node_id in sorted(acknowledged)]
    assert await query(replicas.database, "SELECT DISTINCT cursor FROM fleet_cursors") == [(PUSHES,)]


async def test_uploads_go_on_when_a_hub_is_killed_and_every_version_is_whole(
    replicas: Replicas, session: aiohttp.ClientSession, stores: Stores
) -> None:
    contents = [mlp(8, 64, number + 2).SerializeToString() for number in range(MODELS)]
    registered = 0

    async def upload(number: int) -> None:
        nonlocal registered

        async def slowly() -> AsyncIterator[bytes]:
            for start in range(0, len(contents[number]), 1000):
                yield contents[number][start : start + 1000]
                await asyncio.sleep(0)

        async def attempt() -> int:
            path = f"/models/m/{number}/artifact?framework=onnx"
            async with session.put(f"{replicas.url}{path}", data=slowly()) as answer:
                return answer.status

        await persist(attempt)
        registered += 1
        if registered == 1:
            replicas.kill_one()

    await asyncio.gather(*(upload(number) for number in range(MODELS)))
    node = await Client(replicas.url, session).as_node()
    versions = {version["modelVersion"]: version for version in (await node.client.get("/models/m/versions")).body}
    assert versions.keys() == {str(number) for number in range(MODELS)}
    assert sorted(version["deploymentVersion"] for version in versions.values()) == list(range(1, MODELS + 1))
    for number, content in enumerate(contents):
        assert versions[str(number)]["sha256"] == hashlib.sha256(content).hexdigest()
        assert (await node.get(f"/artifacts/{versions[str(number)]['sha256']}")).content == content
    assert await query(replicas.database, "SELECT generation FROM catalogue") == [(MODELS,)]


async def test_background_work_goes_on_at_the_other_hub(stores: Stores, server_process: Any, tmp_path: Path) -> None:
    async def holder() -> tuple[str, int]:
        asked = "SELECT holder, term FROM leases WHERE name = 'collect artifacts' AND expires_at > 0"
        while not (found := await query(str(stores.database), asked)):  # noqa: ASYNC110  # a row makes no event
            await asyncio.sleep(0.05)
        name, term = found[0]
        return name, term

    first = await server_process(tmp_path / "a", command="hub", **stores.environment)
    await first.ready()
    before = await holder()
    second = await server_process(tmp_path / "b", command="hub", **stores.environment)
    await second.ready()
    assert await holder() == before
    first.send(signal.SIGKILL)
    await first.ended()
    # As time would do it to the lease of a hub that is gone.
    await query(str(stores.database), "UPDATE leases SET expires_at = 0")
    after = await holder()
    assert (before[1], after[1]) == (1, 2)
    assert after[0] != before[0]
