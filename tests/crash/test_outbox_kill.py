"""Kill -9 while a node counts and pushes: the hub has what the journal has, no more and no less."""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from edge_aiops.fleet.messages.push import Push, Pushed, PushRow
from edge_aiops.observe.labels import LabelCounts
from edge_aiops.observe.performance import Performance

NODE = Path(__file__).parent / "pushing.py"


class LossyHub:
    """Takes in every push that arrives; of some the answer is lost, some come late."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.rows: dict[object, PushRow] = {}
        self.feedback: set[str] = set()
        self._cursors: dict[int, int] = {}
        self.lost = 0

    async def push(self, request: web.Request) -> web.Response:
        push = msgspec.msgpack.decode(await request.read(), type=Push)
        await asyncio.sleep(self._chance.choice([0.0, 0.0, 0.05]))
        for row in push.rows:
            if row.key not in self.rows or self.rows[row.key].revision < row.revision:
                self.rows[row.key] = row
        self.feedback |= {record.id for record in push.records if record.kind == "feedback"}
        for one in (*push.rows, *push.records):
            self._cursors[one.boot] = max(self._cursors.get(one.boot, 0), one.seq)
        if self._chance.random() < 0.2:
            self.lost += 1
            return web.Response(status=503)
        cursors = {boot: self._cursors.get(boot, 0) for boot in (*push.have, push.boot)}
        pushed = Pushed(cursors=cursors, written=0, generation=0, next_in_ms=0, server_time=0)
        return web.Response(body=msgspec.json.encode(pushed), content_type="application/json")

    def counts(self) -> tuple[int, int, int]:
        """Requests, labels and labelled predictions."""
        rows = self.rows.values()
        return (
            sum(Performance.from_bytes(row.summary).requests for row in rows if row.key.kind == "performance"),
            sum(LabelCounts.from_bytes(row.summary).n for row in rows if row.key.kind == "labels"),
            len(self.feedback),
        )


def journaled(folder: Path) -> tuple[int, int, int]:
    with closing(sqlite3.connect(folder / "events.db")) as connection:
        (events,) = connection.execute("SELECT count(*) FROM event").fetchone()
        (labels,) = connection.execute("SELECT count(*) FROM feedback").fetchone()
    return events, labels, labels


async def kill_again_and_again(folder: Path, *, kills: int, seed: int) -> LossyHub:
    """A node that is killed at moments of its work, and then has the time to push all."""
    chance = random.Random(seed)
    hub = LossyHub(chance)
    app = web.Application(client_max_size=8 * 1024**2)
    app.router.add_post("/fleet/push", hub.push)
    async with TestServer(app) as server:
        url = str(server.make_url("/"))
        for _ in range(kills):
            process = await asyncio.create_subprocess_exec(
                sys.executable, str(NODE), str(folder), url, "first", stdout=asyncio.subprocess.PIPE
            )
            assert process.stdout is not None
            assert await process.stdout.readline() == b"ready\n"
            await asyncio.sleep(chance.uniform(0.05, 0.6))
            # What the next process is the first to count of this one would wait until its window is over.
            assert await process.stdout.readline() == b"counted\n"
            process.send_signal(signal.SIGKILL)
            await process.stdout.read()
            assert await process.wait() == -signal.SIGKILL
        process = await asyncio.create_subprocess_exec(sys.executable, str(NODE), str(folder), url, "last")
        assert await process.wait() == 0
    return hub


async def test_the_hub_has_what_the_journal_has_after_every_kill(tmp_path: Path) -> None:
    hub = await kill_again_and_again(tmp_path, kills=3, seed=1)
    assert hub.counts() == journaled(tmp_path)
    assert hub.counts()[0] > 20
    assert len({row.key.boot for row in hub.rows.values()}) == 3


@pytest.mark.soak
@pytest.mark.timeout(7_200)
async def test_the_hub_has_what_the_journal_has_after_two_hundred_kills(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hub = await kill_again_and_again(tmp_path, kills=200, seed=2)
    with capsys.disabled():
        print(f"\n200 kills, {hub.lost} lost answers: {hub.counts()} at the hub, {journaled(tmp_path)} in the journal")
    assert hub.counts() == journaled(tmp_path)
