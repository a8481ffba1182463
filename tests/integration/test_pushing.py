"""A node tells its hub what it has counted, over the same protocol as between machines."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

HASTE = {"fleet__sync_interval": "1s", "hub__push_interval": "1s"}


async def soon(ask: Any, *, timeout_s: float = 30) -> Any:
    """What `ask` gives, once it gives something."""
    give_up_at = time.monotonic() + timeout_s
    found = await ask()
    while not found and time.monotonic() < give_up_at:
        await asyncio.sleep(0.2)
        found = await ask()
    return found


async def test_what_a_node_counted_before_it_was_stopped_reaches_the_hub(serve: Any, tmp_path: Path) -> None:
    async with serve(tmp_path) as client:
        await client.register("model", framework="echo", stage="production")
        events = [await client.predict("model", [number, 0, 0, 1]) for number in range(6)]
        label = {"actualOutcome": "a", "correct": True}
        assert (await client.call("PATCH", f"/events/{events[0]['inferenceId']}", json=label)).status == 200
    async with serve(tmp_path, **HASTE) as client:

        async def pushed() -> Any:
            fleet = (await client.get("/status")).body["node"]["fleet"]
            return fleet if fleet["lastPush"] and fleet["acknowledged"] and not fleet["lagRows"] else None

        fleet = await soon(pushed)
        assert fleet is not None
        assert fleet["lastError"] is None and fleet["deadLetters"] == [] and fleet["lostRows"] == 0
        assert (await client.get("/fleet/status")).body["nodes"] == 1
    with closing(sqlite3.connect(tmp_path / "hub" / "hub.db")) as hub:
        counted = dict(hub.execute("SELECT kind, sum(n) FROM fleet_rows WHERE model_name = 'model' GROUP BY kind"))
    assert (counted["performance"], counted["inputs"], counted["labels"]) == (6, 6, 1)
