"""`edge-aiops serve` is stopped as service managers do it."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

SLOW = {
    "modelName": "slow", "modelVersion": "1", "framework": "echo", "stage": "production", "options": {"delayMs": 1_000},
}  # fmt: skip


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*")}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stopped_server_finishes_what_is_under_way_and_closes_its_files_in_order(
    server_process: Any, connect: Any, tmp_path: Path, number: signal.Signals
) -> None:
    process = await server_process(tmp_path)
    async with connect(await process.ready()) as client:
        assert (await client.post("/models", SLOW)).status == 201
        first = await client.predict("slow", [0, 0, 0, 0])
        under_way = [asyncio.create_task(client.predict("slow", [number, 0, 0, 0])) for number in range(5)]
        while (await client.get("/models/loaded")).body[0]["inUse"] < 5:  # until all have arrived
            assert not any(task.done() for task in under_way)
            await asyncio.sleep(0.005)
        process.send(number)
        answers = await asyncio.gather(*under_way)
        assert await process.ended() == 0
        with pytest.raises(aiohttp.ClientConnectionError):
            await client.get("/livez")
    assert not {name for name in names_in(tmp_path) if name.endswith(("-wal", ".open", ".partial"))}
    assert "Traceback" not in process.said

    process = await server_process(tmp_path)
    async with connect(await process.ready()) as client:
        for answer in (first, *answers):
            event = (await client.get(f"/events/{answer['inferenceId']}")).body
            assert event["prediction"] == answer["prediction"]
        status = (await client.get("/status")).body
        assert status["node"]["reasons"] == []
        assert status["node"]["hub"]["generation"] == 1
        assert (await client.predict("slow"))["deploymentVersion"] == 1


async def test_a_server_that_is_stopped_as_soon_as_it_is_ready_ends_in_order(
    server_process: Any, tmp_path: Path
) -> None:
    process = await server_process(tmp_path)
    await process.ready()
    process.send(signal.SIGTERM)
    assert await process.ended() == 0


async def test_idle_connections_do_not_hold_up_a_stop(server_process: Any, connect: Any, tmp_path: Path) -> None:
    process = await server_process(tmp_path)
    port = int((await process.ready()).rpartition(":")[2])
    writers = []
    for begun in (b"", b"GET /livez HTTP/1.1\r\nHost: local", b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begun)
        writers.append(writer)
        if begun.endswith(b"\r\n\r\n"):
            await reader.readuntil(b"}")
    async with asyncio.timeout(8):  # less than what requests under way are given
        process.send(signal.SIGTERM)
        assert await process.ended() == 0
    for writer in writers:
        writer.close()


async def test_a_taken_port_and_a_taken_folder_are_told_in_a_sentence(server_process: Any, tmp_path: Path) -> None:
    process = await server_process(tmp_path / "one")
    port = (await process.ready()).rpartition(":")[2]
    for folder, environment, word in (
        (tmp_path / "two", {"EDGE_AIOPS_HTTP__PORT": port}, "--port"),
        (tmp_path / "one", {}, "in use"),
    ):
        other = await server_process(folder, **environment)
        assert await other.ended() == 1
        assert word in other.said
        assert "Traceback" not in other.said
