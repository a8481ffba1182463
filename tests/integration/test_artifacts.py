"""Model files over HTTP: uploaded as they are, downloaded whole or in parts, kept by content."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from edge_aiops.testing.models import gemm_softmax, mlp
from tests.hub_stores import Stores

CONTENT = mlp(64, 256, 256, 10).SerializeToString()
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
async def client(serve: Any, stores: Stores, tmp_path: Path) -> AsyncIterator[Any]:
    """A client of a running server, on stores of each kind, that calls as a node."""
    async with serve(tmp_path / "data", **stores.options) as connected:
        connected.headers = (await connected.as_node()).headers
        yield connected


@pytest.fixture
def on_hub(stores: Stores, tmp_path: Path) -> Callable[[], Awaitable[list[str]]]:
    """The files that the hub holds now, uploads under way included."""

    async def names() -> list[str]:
        hub = tmp_path / "data" / "hub" / "artifacts"
        held = (
            [] if stores.kind == "sqlite" else [found.sha256 for found in await (await stores.open_artifacts()).all()]
        )
        return held + [path.name for path in files_in(hub)]

    return names


async def uploaded(client: Any, content: Any = CONTENT, query: str = "framework=onnx", path: str = "m/1") -> Any:
    return await client.call("PUT", f"/models/{path}/artifact?{query}", data=content)


async def pieces(content: bytes, size: int = 10_000) -> Any:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def test_an_upload_is_streamed_and_served_as_it_came(client: Any) -> None:
    answer = await uploaded(client, pieces(CONTENT))
    assert answer.status == 201, answer
    assert (answer.body["sha256"], answer.body["sizeBytes"]) == (SHA256, len(CONTENT))
    whole = await client.get(f"/artifacts/{SHA256}")
    assert whole.content == CONTENT
    assert "immutable" in whole.headers["Cache-Control"]
    assert (await uploaded(client)).status == 200


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-99", 206, slice(0, 100)),
        ("bytes=100-", 206, slice(100, None)),
        ("bytes=-50", 206, slice(-50, None)),
        ("bytes=0-0", 206, slice(0, 1)),
        (f"bytes={len(CONTENT) - 10}-{len(CONTENT) + 100}", 206, slice(-10, None)),
        (f"bytes={len(CONTENT)}-", 416, None),
        ("bytes=nonsense", 416, None),
    ],
)
async def test_a_part_of_an_artifact_is_served(client: Any, asked: str, status: int, part: slice | None) -> None:
    await uploaded(client)
    answer = await client.get(f"/artifacts/{SHA256}", headers={"Range": asked})
    assert answer.status == status
    if part is not None:
        assert answer.content == CONTENT[part]


@pytest.mark.parametrize("stores", ["sqlite"], indirect=True)  # what is no digest never gets to the stores
@pytest.mark.parametrize(
    "digest",
    [
        "0" * 64,
        SHA256.upper(),
        SHA256[:-1],
        SHA256 + "0",
        "..%2f..%2fhub.db",
        "%2e%2e%2fhub.db",
        "..",
        "%00",
        "x" * 2000,
    ],
)
async def test_a_digest_that_nothing_has_is_404(client: Any, digest: str) -> None:
    await uploaded(client)
    answer = await client.get(f"/artifacts/{digest}")
    assert answer.problem == (404, "not_found")


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_an_artifact_over_the_limit_is_refused_and_leaves_nothing(
    serve: Any, stores: Stores, on_hub: Any, tmp_path: Path
) -> None:
    async with serve(tmp_path / "data", http__max_upload_bytes=10_000, **stores.options) as client:
        answer = await uploaded(client, pieces(CONTENT))
        assert answer.problem == (413, "too_large")
        assert (await client.get("/models")).body == []
    assert await on_hub() == []


@pytest.mark.parametrize(
    ("content", "query", "problem"),
    [
        (b"", "framework=onnx", (400, "invalid_input")),
        (b"not a model", "framework=onnx", (422, "invalid_model")),
        (CONTENT[:5000], "framework=onnx", (422, "invalid_model")),
        (CONTENT, "framework=nothing", (503, "backend_unavailable")),
        (CONTENT, "framework=echo", (400, "invalid_input")),
        (CONTENT, "", (400, "invalid_input")),
        (CONTENT, "framework=onnx&stage=nowhere", (400, "invalid_input")),
        (CONTENT, "framework=onnx&stagee=production", (400, "invalid_input")),
        (CONTENT, "framework=onnx&metadata=%7Bbroken", (400, "invalid_input")),
        (CONTENT, "framework=onnx&metadata=%5B1%5D", (400, "invalid_input")),
        (CONTENT, "framework=onnx&metadata=%7B%22classLabels%22:%5B%22a%22%5D%7D", (400, "invalid_input")),
    ],
)
async def test_an_upload_that_cannot_be_registered_is_refused_and_leaves_nothing(
    client: Any, content: bytes, query: str, problem: tuple[int, str], on_hub: Any
) -> None:
    answer = await uploaded(client, content, query)
    assert answer.problem == problem
    if problem[0] == 503:
        assert int(answer.headers["Retry-After"]) > 0
    assert (await client.get("/models")).body == []
    assert await on_hub() == []


async def test_an_upload_that_breaks_off_leaves_nothing(client: Any, on_hub: Any) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", client.port)
    head = "PUT /models/m/1/artifact?framework=onnx HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n"
    writer.write(head.encode() + CONTENT[:50_000])
    await writer.drain()
    while not await on_hub():  # noqa: ASYNC110  # a file that appears makes no event
        await asyncio.sleep(0.005)
    writer.close()
    while await on_hub():  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    assert (await client.get("/models")).body == []


async def test_many_uploads_at_once_are_each_registered(client: Any) -> None:
    contents = [gemm_softmax(4, 3, seed=seed).SerializeToString() for seed in range(6)]
    answers = await asyncio.gather(
        *(uploaded(client, pieces(content, 100), path=f"m/{number}") for number, content in enumerate(contents))
    )
    assert [answer.status for answer in answers] == [201] * 6
    for number, content in enumerate(contents):
        version = (await client.get(f"/models/m/{number}")).body
        assert version["sha256"] == hashlib.sha256(content).hexdigest()
        assert (await client.predict("m", modelVersion=str(number)))["deploymentVersion"] == version[
            "deploymentVersion"
        ]


async def test_deleting_the_last_version_with_an_artifact_deletes_it_on_hub_and_where_nodes_keep_nothing(
    serve: Any, stores: Stores, on_hub: Any, tmp_path: Path
) -> None:
    def on_node() -> list[Path]:
        return [path for path in files_in(tmp_path / "data" / "node") if SHA256[2:] in path.name]

    async with serve(tmp_path / "data", fleet__artifacts_max_bytes=0, **stores.options) as client:
        client.headers = (await client.as_node()).headers
        await uploaded(client, path="m/1")
        await uploaded(client, path="n/1")
        assert await on_hub() == [SHA256]
        assert len(on_node()) == 1
        await client.call("DELETE", "/models/m/1")
        assert (await client.get(f"/artifacts/{SHA256}")).status == 200
        await client.call("DELETE", "/models/n/1")
        assert (await client.get(f"/artifacts/{SHA256}")).problem == (404, "not_found")
        assert (await on_hub(), on_node()) == ([], [])


async def test_the_entity_tag_is_the_digest_so_that_any_hub_can_go_on_with_a_download(client: Any) -> None:
    await uploaded(client)
    whole = await client.get(f"/artifacts/{SHA256}")
    assert whole.headers["ETag"] == f'"{SHA256}"'
    assert whole.headers["Accept-Ranges"] == "bytes"
    rest = await client.get(f"/artifacts/{SHA256}", headers={"Range": "bytes=5000-", "If-Range": f'"{SHA256}"'})
    assert (rest.status, rest.content) == (206, CONTENT[5000:])
    assert rest.headers["Content-Range"] == f"bytes 5000-{len(CONTENT) - 1}/{len(CONTENT)}"
    unchanged = await client.get(f"/artifacts/{SHA256}", headers={"If-None-Match": f'"{SHA256}"'})
    assert (unchanged.status, unchanged.content) == (304, b"")
    head = await client.call("HEAD", f"/artifacts/{SHA256}")
    assert (head.status, head.headers["Content-Length"], head.content) == (200, str(len(CONTENT)), b"")


@pytest.mark.parametrize("stores", ["postgresql"], indirect=True)
async def test_a_range_of_something_else_is_answered_with_the_whole(client: Any) -> None:
    await uploaded(client)
    answer = await client.get(f"/artifacts/{SHA256}", headers={"Range": "bytes=5000-", "If-Range": '"another"'})
    assert (answer.status, answer.content) == (200, CONTENT)


@pytest.mark.parametrize("stores", ["postgresql"], indirect=True)
async def test_nodes_are_sent_to_the_object_store_where_the_hub_is_told_to(
    serve: Any, stores: Stores, tmp_path: Path
) -> None:
    async with serve(tmp_path / "data", hub__redirect_artifacts=True, **stores.options) as client:
        client.headers = (await client.as_node()).headers
        await uploaded(client)
        answer = await client.get(f"/artifacts/{SHA256}")
        assert (answer.status, answer.headers["Cache-Control"]) == (302, "no-store")
        async with aiohttp.request("GET", URL(answer.headers["Location"], encoded=True)) as response:
            assert await response.read() == CONTENT
        # The node beside this hub has been there already.
        assert (await client.predict("m", list(range(64)), modelVersion="1"))["modelVersion"] == "1"
