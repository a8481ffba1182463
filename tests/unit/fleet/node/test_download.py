"""Artifacts come in verified chunks, from whoever gives them, and an interruption costs one chunk at the most."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from edge_aiops.base.chunks import CHUNK_BYTES, ChunkDigests
from edge_aiops.base.errors import EdgeAiopsError, StorageFull, StoreError, Unavailable
from edge_aiops.fleet.messages.identity import Session
from edge_aiops.fleet.node.download import Downloads
from edge_aiops.fleet.node.files import Artifact, ModelFiles
from edge_aiops.fleet.node.hub_client import HubClient
from edge_aiops.fleet.node.sources import Source, SourceFault, Sources
from edge_aiops.testing.clock import FakeClock

CONTENT = b"".join(number.to_bytes(4, "big") for number in range((3 * CHUNK_BYTES + 1_000_000) // 4))
DIGESTS = ChunkDigests()
DIGESTS.add(CONTENT)
ARTIFACT = Artifact(DIGESTS.sha256, len(CONTENT), DIGESTS.chunks)
WITHOUT_CHUNKS = ARTIFACT._replace(chunks=())


class Place:
    """Gives away one content over a real socket, as the test wants it given."""

    def __init__(self, content: bytes = CONTENT) -> None:
        self.content = content
        self.stop_at: int | None = None
        """Breaks the connection before this byte of the content."""
        self.ranges = True
        self.redirect = ""
        self.endless = False
        self.before_each: Callable[[], None] = lambda: None
        """Called before each small piece; the content comes in one otherwise."""
        self.status = 200
        self.asked: list[tuple[int, dict[str, str]]] = []
        """First byte and headers of each request."""
        self.sent = 0
        self.url = ""

    async def _artifact(self, request: web.Request) -> web.StreamResponse:
        start = request.http_range.start or 0
        self.asked.append((start, dict(request.headers)))
        if self.redirect:
            return web.Response(status=307, headers={"Location": f"{self.redirect}/artifacts/x?signed=1"})
        if self.status != 200:
            return web.Response(status=self.status)
        start = start if self.ranges else 0
        headers = {"Content-Range": f"bytes {start}-{len(self.content) - 1}/{len(self.content)}"} if start else {}
        response = web.StreamResponse(status=206 if start else 200, headers=headers)
        await response.prepare(request)
        end = len(self.content) if self.stop_at is None else self.stop_at
        size = 64 * 1024
        for place in range(start, end, size):
            self.before_each()
            piece = self.content[place : min(place + size, end)]
            self.sent += len(piece)
            await response.write(piece)
        if self.stop_at is not None:
            self.stop_at = None
            assert request.transport is not None
            request.transport.close()
        while self.endless:
            await response.write(b"x" * size)
        return response

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Place]:
        app = web.Application()
        app.router.add_get("/artifacts/{sha256}", self._artifact)
        async with TestServer(app) as server:
            self.url = str(server.make_url("")).rstrip("/")
            yield self


@pytest.fixture
async def hub() -> AsyncIterator[Place]:
    async with Place().running() as place:
        yield place


@pytest.fixture
async def neighbour() -> AsyncIterator[Place]:
    async with Place().running() as place:
        yield place


class Device:
    """A node's folder of models, filled by downloads; `new` ones after each start."""

    def __init__(self, folder: Path, http: aiohttp.ClientSession, clock: FakeClock) -> None:
        self.folder = folder
        self.offsets: list[int] = []
        self._http = http
        self._clock = clock

    def start(self, hub: Place, *neighbours: Place) -> None:
        self.files = ModelFiles(self.folder)
        asking = HubClient(hub.url, http=self._http, open_session=open_session)
        places = [place.url for place in neighbours]
        self._downloads = Downloads(self.files, Sources(asking, places, http=self._http, clock=self._clock))

    async def fetch(self, artifact: Artifact = ARTIFACT, **more: Any) -> None:
        arguments = {"keep": (), "go_on": self.offsets.append, **more}
        await self._downloads.fetch(artifact, **arguments)

    @property
    def whole(self) -> bool:
        path = self.files.path(ARTIFACT.sha256)
        return path.exists() and path.read_bytes() == CONTENT


async def open_session() -> Session:
    return Session(token="secret", expires_in_s=900)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def device(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Device]:
    async with aiohttp.ClientSession() as http:
        yield Device(tmp_path / "models", http, clock)


async def test_what_is_there_is_known_chunk_by_chunk(device: Device, hub: Place) -> None:
    device.start(hub)
    await device.fetch()
    assert device.whole
    assert device.offsets == [CHUNK_BYTES, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES, len(CONTENT)]
    assert [path.name for path in device.folder.iterdir()] == [ARTIFACT.sha256]


@pytest.mark.parametrize("artifact", [ARTIFACT, WITHOUT_CHUNKS], ids=["chunks", "no chunks"])
async def test_after_an_interruption_at_most_one_chunk_comes_again(
    device: Device, hub: Place, artifact: Artifact
) -> None:
    hub.stop_at = 2 * CHUNK_BYTES + 1_234_567
    device.start(hub)
    await device.fetch(artifact)
    assert device.whole
    assert [start for start, _ in hub.asked] == [0, 2 * CHUNK_BYTES]
    assert hub.sent - len(CONTENT) <= CHUNK_BYTES
    assert hub.asked[1][1]["If-Range"] == f'"{ARTIFACT.sha256}"'


@pytest.mark.parametrize("artifact", [ARTIFACT, WITHOUT_CHUNKS], ids=["chunks", "no chunks"])
async def test_a_node_that_died_goes_on_where_it_was(device: Device, hub: Place, artifact: Artifact) -> None:
    def die(offset: int) -> None:
        if offset >= 2 * CHUNK_BYTES:
            raise KeyboardInterrupt

    device.start(hub)
    with pytest.raises(KeyboardInterrupt):
        await device.fetch(artifact, go_on=die)
    assert ARTIFACT.sha256 not in device.files
    device.start(hub)
    await device.fetch(artifact)
    assert device.whole
    assert [start for start, _ in hub.asked] == [0, 2 * CHUNK_BYTES]


@pytest.mark.parametrize("lost", [1, 1_000_000, CHUNK_BYTES + 5])
async def test_what_a_power_cut_has_torn_comes_again_and_nothing_else(device: Device, hub: Place, lost: int) -> None:
    device.start(hub)
    device.folder.joinpath(ARTIFACT.sha256 + ".partial").write_bytes(CONTENT[: 3 * CHUNK_BYTES - lost] + bytes(lost))
    await device.fetch()
    assert device.whole
    assert hub.asked[0][0] == (3 * CHUNK_BYTES - lost) // CHUNK_BYTES * CHUNK_BYTES


async def test_a_file_torn_where_there_are_no_chunk_digests_is_fetched_anew(device: Device, hub: Place) -> None:
    device.start(hub)
    device.folder.joinpath(ARTIFACT.sha256 + ".partial").write_bytes(CONTENT[:1_000] + bytes(1_000))
    await device.fetch(WITHOUT_CHUNKS)
    assert device.whole
    assert [start for start, _ in hub.asked] == [2_000, 0]


async def test_a_source_that_knows_no_ranges_is_passed_over_to_the_right_place(device: Device, hub: Place) -> None:
    hub.stop_at, hub.ranges = CHUNK_BYTES + 10, False
    device.start(hub)
    await device.fetch()
    assert device.whole
    assert hub.sent == len(CONTENT) + CHUNK_BYTES + 10


async def test_a_redirect_is_followed_without_the_session(device: Device, hub: Place, neighbour: Place) -> None:
    hub.redirect = neighbour.url
    device.start(hub)
    neighbour.stop_at = CHUNK_BYTES + 1
    await device.fetch()
    assert device.whole
    assert [headers.get("Authorization") for _, headers in hub.asked] == ["Bearer secret"] * 2
    assert [headers.get("Authorization") for _, headers in neighbour.asked] == [None] * 2
    assert [start for start, _ in neighbour.asked] == [0, CHUNK_BYTES]
    assert all("If-Range" not in headers for _, headers in neighbour.asked)  # its tags are others


async def test_neighbours_are_asked_first_and_the_hub_goes_on_where_they_ended(
    device: Device, hub: Place, neighbour: Place
) -> None:
    neighbour.content = CONTENT[: CHUNK_BYTES + 5]
    device.start(hub, neighbour)
    await device.fetch()
    assert device.whole
    assert [start for start, _ in neighbour.asked] == [0, CHUNK_BYTES]
    assert [start for start, _ in hub.asked] == [CHUNK_BYTES]
    assert all("Authorization" not in headers for _, headers in neighbour.asked)  # the session is for the hub alone


def corrupted(place: Place) -> None:
    place.content = CONTENT[:CHUNK_BYTES] + b"!" + CONTENT[CHUNK_BYTES + 1 :]


def truncated(place: Place) -> None:
    place.content = CONTENT[:1_000]


def another(place: Place) -> None:
    place.content, place.endless = b"x" * len(CONTENT), True


def refusing(place: Place) -> None:
    place.status = 403


@pytest.mark.parametrize("bad", [corrupted, truncated, another, refusing])
async def test_a_neighbour_that_lies_or_fails_is_named_passed_over_and_left_for_a_while(
    device: Device, hub: Place, neighbour: Place, clock: FakeClock, bad: Callable[[Place], None]
) -> None:
    bad(neighbour)
    hub.status = 503
    device.start(hub, neighbour)
    with pytest.raises(EdgeAiopsError) as caught:
        await device.fetch()
    assert neighbour.url in caught.value.message
    assert "503" in caught.value.message
    assert isinstance(caught.value, StoreError if bad in (corrupted, another) else Unavailable)
    assert ARTIFACT.sha256 not in device.files
    hub.status = 200
    asked = len(neighbour.asked)
    await device.fetch()
    assert device.whole
    assert len(neighbour.asked) == asked
    device.files.path(ARTIFACT.sha256).unlink()
    neighbour.content, neighbour.endless, neighbour.status = CONTENT, False, 200
    clock.advance(3_601)
    await device.fetch()
    assert device.whole
    assert len(neighbour.asked) == asked + 1


async def test_an_endless_neighbour_is_left_when_it_has_sent_what_was_asked(
    device: Device, hub: Place, neighbour: Place
) -> None:
    neighbour.endless = True
    device.start(hub, neighbour)
    async with asyncio.timeout(60):
        await device.fetch()
    assert device.whole
    assert hub.asked == []


async def test_a_neighbour_that_trickles_is_left(
    device: Device, hub: Place, neighbour: Place, clock: FakeClock
) -> None:
    neighbour.before_each = lambda: clock.advance(100)
    device.start(hub, neighbour)
    await device.fetch()
    assert device.whole
    assert len(hub.asked) == 1


async def test_nothing_is_fetched_without_space_for_it_and_a_fifth(
    device: Device, hub: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    device.start(hub)
    free = [len(CONTENT) * 12 // 10 - 1]
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": free[0]}))
    with pytest.raises(StorageFull):
        await device.fetch()
    assert hub.asked == []
    free[0] += 2
    await device.fetch()
    assert device.whole


async def test_space_is_made_of_what_nothing_needs_the_least_recently_used_first(
    device: Device, hub: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    device.start(hub)
    names = [hashlib.sha256(bytes([number])).hexdigest() for number in range(3)]
    for used_s, name in enumerate(names):
        (device.folder / name).write_bytes(b"x" * 10)
        os.utime(device.folder / name, (used_s, used_s))
    needed = len(CONTENT) * 12 // 10

    def usage(folder: Path) -> Any:
        return type("Usage", (), {"free": needed + 25 - sum((folder / name).exists() * 10 for name in names)})

    monkeypatch.setattr("shutil.disk_usage", usage)
    await device.fetch(keep={names[0]})
    assert [(device.folder / name).exists() for name in names] == [True, False, True]


async def test_an_artifact_of_no_bytes_is_an_artifact(device: Device, hub: Place) -> None:
    device.start(hub)
    empty = Artifact(hashlib.sha256().hexdigest(), 0)
    await device.fetch(empty)
    assert device.files.path(empty.sha256).read_bytes() == b""
    assert hub.asked == []


async def test_a_file_that_rots_on_the_disk_is_found_and_removed(device: Device, hub: Place) -> None:
    device.start(hub)
    await device.fetch()
    assert await device.files.is_whole(ARTIFACT.sha256)
    with device.files.path(ARTIFACT.sha256).open("r+b") as file:
        file.write(b"!")
    assert not await device.files.is_whole(ARTIFACT.sha256)
    assert ARTIFACT.sha256 not in device.files


async def test_a_source_whose_headers_never_end_is_given_up() -> None:
    left = asyncio.Event()

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        with suppress(ConnectionError):
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.01)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        left.set()

    async with await asyncio.start_server(trickle, "127.0.0.1", 0) as server, aiohttp.ClientSession() as http:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        source = Source(
            url,
            lambda method, path, **more: http.request(method, url + path, **more),
            http=http,
            clock=FakeClock(),
            timeout_s=0.2,
        )
        with pytest.raises(SourceFault, match="Timeout"):
            async with source.opened(ARTIFACT.sha256, 0):
                pass
        await left.wait()
