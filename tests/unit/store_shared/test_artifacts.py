"""The artifact store keeps whole files under their digest, and nothing of uploads that failed."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import resource
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from edge_aiops.base.errors import NotFound, SettingsError, TooLarge, Unavailable
from edge_aiops.store.shared.artifacts import ArtifactInfo, ArtifactStore
from tests.hub_stores import Stores

MiB = 1024 * 1024
CONTENT = bytes(range(256)) * 12 * 1024
SHA256 = hashlib.sha256(CONTENT).hexdigest()


async def pieces(content: bytes, *, size: int = 50_000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def stored(store: ArtifactStore, content: bytes) -> str:
    async with store.stage(pieces(content), max_bytes=64 * MiB) as upload:
        await store.put(upload)
        return upload.sha256


async def whole(store: ArtifactStore, sha256: str, *, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([piece async for piece in store.read(sha256, start=start, end=end)])


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
async def store(tmp_path: Path) -> ArtifactStore:
    return await ArtifactStore.open(tmp_path / "artifacts")


@pytest.fixture
async def any_store(stores: Stores) -> ArtifactStore:
    """A store of each kind."""
    return await stores.open_artifacts()


async def test_an_upload_is_read_back_under_the_digest_of_its_content(store: ArtifactStore, tmp_path: Path) -> None:
    assert await stored(store, CONTENT) == SHA256
    assert await whole(store, SHA256) == CONTENT
    assert await store.info(SHA256) == ArtifactInfo(SHA256, len(CONTENT))
    assert await store.all() == [ArtifactInfo(SHA256, len(CONTENT))]
    assert files(tmp_path) == [store.path(SHA256)]


@pytest.mark.parametrize(("start", "end"), [(0, 1), (5, 100_000), (len(CONTENT) - 3, None), (7, 7), (0, 0)])
async def test_any_range_can_be_read(any_store: ArtifactStore, start: int, end: int | None) -> None:
    await stored(any_store, CONTENT)
    assert await whole(any_store, SHA256, start=start, end=end) == CONTENT[start:end]


@pytest.mark.parametrize(("start", "end"), [(-1, 5), (5, 4), (0, len(CONTENT) + 1)])
async def test_a_range_outside_is_refused(any_store: ArtifactStore, start: int, end: int) -> None:
    await stored(any_store, CONTENT)
    with pytest.raises(ValueError, match="do not lie within"):
        await whole(any_store, SHA256, start=start, end=end)


async def test_what_is_put_is_all_there_is(any_store: ArtifactStore, stores: Stores) -> None:
    assert await any_store.all() == []
    assert await stored(any_store, CONTENT) == SHA256
    await asyncio.gather(*(stored(any_store, CONTENT) for _ in range(4)))
    assert await any_store.all() == [ArtifactInfo(SHA256, len(CONTENT))]
    assert await any_store.info(SHA256) == ArtifactInfo(SHA256, len(CONTENT))
    assert files(stores.incoming) == []


async def test_artifacts_are_told_apart_by_when_they_were_put(any_store: ArtifactStore) -> None:
    await stored(any_store, CONTENT)
    now_ms = time.time_ns() // 1_000_000
    assert await any_store.all(before_ms=now_ms - 600_000) == []
    assert await any_store.all(before_ms=now_ms + 600_000) == [ArtifactInfo(SHA256, len(CONTENT))]


async def test_a_large_artifact_goes_in_parts_and_comes_back_whole(any_store: ArtifactStore) -> None:
    content = random.Random(0).randbytes(12 * MiB + 7)
    sha256 = await stored(any_store, content)
    assert await any_store.info(sha256) == ArtifactInfo(sha256, len(content))
    assert await whole(any_store, sha256) == content
    assert await whole(any_store, sha256, start=4 * MiB - 1, end=9 * MiB) == content[4 * MiB - 1 : 9 * MiB]


@pytest.mark.parametrize("stores", ["postgresql"], indirect=True)
async def test_an_object_store_can_be_read_by_a_link(any_store: ArtifactStore) -> None:
    await stored(any_store, CONTENT)
    link = await any_store.link(SHA256, valid_s=60)
    assert link
    async with aiohttp.request("GET", URL(link, encoded=True)) as response:
        assert await response.read() == CONTENT


async def test_a_folder_makes_no_links(store: ArtifactStore) -> None:
    assert await store.link(SHA256, valid_s=60) is None


@pytest.mark.parametrize("url", ["ftp://models", "models", "s3:/models"])
async def test_a_url_of_no_object_store_is_refused_with_the_right_form(url: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"hub\.artifacts.*s3://bucket/prefix"):
        await ArtifactStore.open(url, incoming=tmp_path)


async def test_an_object_store_that_nobody_serves_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Unavailable, match="is it running") as caught:
        await ArtifactStore.open("s3://models", incoming=tmp_path)
    assert "127.0.0.1:1" in caught.value.message
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("stores", ["postgresql"], indirect=True)
async def test_a_bucket_that_is_not_there_is_said_so(stores: Stores) -> None:
    with pytest.raises(Unavailable, match="404"):
        await ArtifactStore.open("s3://nowhere", incoming=stores.incoming)


async def test_an_upload_that_is_not_put_leaves_nothing(store: ArtifactStore, tmp_path: Path) -> None:
    async with store.stage(pieces(CONTENT), max_bytes=64 * MiB) as upload:
        assert upload.path.read_bytes() == CONTENT
    assert files(tmp_path) == []


async def test_an_upload_over_the_limit_is_stopped_while_it_comes(store: ArtifactStore, tmp_path: Path) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield bytes(MiB)

    with pytest.raises(TooLarge, match=r"http\.max_upload_bytes"):
        async with store.stage(endless(), max_bytes=3 * MiB):
            pass
    assert taken == 4
    assert files(tmp_path) == []


async def test_an_upload_whose_sender_breaks_off_leaves_nothing(store: ArtifactStore, tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield CONTENT
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        async with store.stage(broken(), max_bytes=64 * MiB):
            pass
    assert files(tmp_path) == []


async def test_an_upload_cancelled_as_it_begins_leaves_nothing(store: ArtifactStore, tmp_path: Path) -> None:
    async def upload() -> None:
        async with store.stage(pieces(CONTENT), max_bytes=64 * MiB):
            pass

    for steps in range(5):
        task = asyncio.create_task(upload())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert files(tmp_path) == []


@pytest.mark.parametrize("after", range(6))
async def test_a_cancelled_upload_leaves_nothing(store: ArtifactStore, tmp_path: Path, after: int) -> None:
    reached = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        for number in range(8):
            if number == after:
                reached.set()
            yield bytes(MiB)

    async def upload() -> None:
        async with store.stage(slow(), max_bytes=64 * MiB) as staged:
            await store.put(staged)
            await asyncio.Event().wait()

    task = asyncio.create_task(upload())
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert files(tmp_path / "artifacts" / "incoming") == []
    assert [artifact.size_bytes for artifact in await store.all()] in ([], [8 * MiB])


async def test_opening_sweeps_what_a_killed_process_left_and_spares_uploads_under_way(tmp_path: Path) -> None:
    program = """
import asyncio, os, signal, sys
from pathlib import Path
from edge_aiops.store.shared.artifacts import ArtifactStore
async def endless():
    yield b"x" * 2_000_000
    os.kill(os.getpid(), signal.SIGKILL)
async def main():
    store = await ArtifactStore.open(Path(sys.argv[1]))
    async with store.stage(endless(), max_bytes=10**9):
        pass
asyncio.run(main())
"""
    root = tmp_path / "artifacts"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, str(root), env=environment)
    assert await process.wait() == -signal.SIGKILL
    left = files(root)
    assert len(left) == 1

    store = await ArtifactStore.open(root)
    assert files(root) == []
    async with store.stage(pieces(CONTENT), max_bytes=64 * MiB) as upload:
        other = await ArtifactStore.open(root)
        await other.put(upload)
    assert await whole(other, SHA256) == CONTENT


async def test_the_same_content_is_kept_once(store: ArtifactStore, tmp_path: Path) -> None:
    await asyncio.gather(*(stored(store, CONTENT) for _ in range(8)))
    assert files(tmp_path) == [store.path(SHA256)]


async def test_a_truncated_artifact_is_mended_when_its_content_comes_again(store: ArtifactStore) -> None:
    await stored(store, CONTENT)
    path = store.path(SHA256)
    assert path
    path.write_bytes(CONTENT[:1000])
    await stored(store, CONTENT)
    assert await whole(store, SHA256) == CONTENT


async def test_a_deleted_artifact_is_gone_and_deleting_again_does_nothing(any_store: ArtifactStore) -> None:
    await stored(any_store, CONTENT)
    await any_store.delete(SHA256)
    await any_store.delete(SHA256)
    with pytest.raises(NotFound):
        await any_store.info(SHA256)
    with pytest.raises(NotFound):
        await whole(any_store, SHA256)
    assert await any_store.all() == []


@pytest.mark.parametrize("digest", ["../../etc/passwd", "", "A" * 64, "a" * 63, "a" * 64 + "/..", "a" * 64 + "\n"])
async def test_what_is_no_digest_is_not_found(any_store: ArtifactStore, digest: str) -> None:
    with pytest.raises(NotFound):
        await any_store.info(digest)
    with pytest.raises(NotFound):
        await whole(any_store, digest)


async def test_a_write_that_fails_leaves_nothing(store: ArtifactStore, tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * MiB, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            async with store.stage(pieces(CONTENT), max_bytes=64 * MiB):
                pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert files(tmp_path) == []


async def test_a_copy_has_every_artifact_and_copies_none_twice(any_store: ArtifactStore, tmp_path: Path) -> None:
    await stored(any_store, CONTENT)
    await any_store.copy_to(tmp_path / "copy")
    await stored(any_store, b"another")
    await any_store.copy_to(tmp_path / "copy")
    copy = await ArtifactStore.open(tmp_path / "copy")
    assert sorted(await copy.all(), key=str) == sorted(await any_store.all(), key=str)
    assert await whole(copy, SHA256) == CONTENT


async def test_an_object_store_behind_a_url_does_the_same(tmp_path: Path) -> None:
    remote = tmp_path / "remote"
    remote.mkdir()
    store = await ArtifactStore.open(remote.as_uri(), incoming=tmp_path / "incoming")
    async with store.stage(pieces(CONTENT), max_bytes=64 * MiB) as upload:
        await store.prepare(upload)
        await store.put(upload)
    assert store.path(SHA256) is None
    assert await whole(store, SHA256, start=10, end=20) == CONTENT[10:20]
    await store.copy_to(tmp_path / "copy")
    assert await whole(await ArtifactStore.open(tmp_path / "copy"), SHA256) == CONTENT
    await store.delete(SHA256)
    assert await store.all() == []
    assert files(tmp_path / "incoming") == []


async def test_an_object_store_behind_a_url_needs_a_local_folder_for_uploads() -> None:
    with pytest.raises(ValueError, match="local folder"):
        await ArtifactStore.open("memory:///")


async def test_what_is_deleted_while_a_copy_is_made_is_passed_over(store: ArtifactStore, tmp_path: Path) -> None:
    kept = await stored(store, CONTENT)
    gone = [await stored(store, b"%d" % number) for number in range(20)]

    async def delete() -> None:
        for sha256 in sorted(gone, reverse=True):
            await store.delete(sha256)

    await asyncio.gather(store.copy_to(tmp_path / "copy"), delete())
    copy = await ArtifactStore.open(tmp_path / "copy")
    assert await whole(copy, kept) == CONTENT
