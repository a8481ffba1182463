"""Model files over HTTP: uploaded as they are, downloaded whole or in parts, kept by content."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest

from edge_aiops.testing.models import gemm_softmax, mlp

CONTENT = mlp(64, 256, 256, 10).SerializeToString()
SHA256 = hashlib.sha256(CONTENT).hexdigest()


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


async def test_an_artifact_over_the_limit_is_refused_and_leaves_nothing(serve: Any, tmp_path: Path) -> None:
    async with serve(tmp_path, http__max_upload_bytes=10_000) as client:
        answer = await uploaded(client, pieces(CONTENT))
        assert answer.problem == (413, "too_large")
        assert (await client.get("/models")).body == []
    assert files_in(tmp_path / "hub" / "artifacts") == []


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
    client: Any, content: bytes, query: str, problem: tuple[int, str], tmp_path: Path
) -> None:
    answer = await uploaded(client, content, query)
    assert answer.problem == problem
    if problem[0] == 503:
        assert int(answer.headers["Retry-After"]) > 0
    assert (await client.get("/models")).body == []
    assert files_in(tmp_path / "data" / "hub" / "artifacts") == []


async def test_an_upload_that_breaks_off_leaves_nothing(client: Any, tmp_path: Path) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", client.port)
    head = "PUT /models/m/1/artifact?framework=onnx HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n"
    writer.write(head.encode() + CONTENT[:50_000])
    await writer.drain()
    artifacts = tmp_path / "data" / "hub" / "artifacts"
    while not files_in(artifacts):  # noqa: ASYNC110  # a file that appears makes no event
        await asyncio.sleep(0.005)
    writer.close()
    while files_in(artifacts):  # noqa: ASYNC110
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


async def test_deleting_the_last_version_with_an_artifact_deletes_it_on_the_hub_and_where_nodes_keep_nothing(
    serve: Any, tmp_path: Path
) -> None:
    def files() -> list[Path]:
        return [path for path in files_in(tmp_path / "data") if SHA256[2:] in path.name]

    async with serve(tmp_path / "data", fleet__artifacts_max_bytes=0) as client:
        await uploaded(client, path="m/1")
        await uploaded(client, path="n/1")
        assert len(files()) == 2
        await client.call("DELETE", "/models/m/1")
        assert (await client.get(f"/artifacts/{SHA256}")).status == 200
        await client.call("DELETE", "/models/n/1")
        assert (await client.get(f"/artifacts/{SHA256}")).problem == (404, "not_found")
        assert files() == []
