"""A node that was offline for 400 days: what its outbox takes by then, and how long it takes to empty it.

The real outbox in a file, the real ingest of a hub with SQLite, and five minutes of traffic every five minutes of
made-up time; only the way between them is a function call.
"""

from __future__ import annotations

import asyncio
import gzip
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.table import Row
from edge_aiops.base.settings import Settings
from edge_aiops.fleet.messages.identity import JoinRequest, join_proof
from edge_aiops.fleet.messages.push import Push, Pushed, PushRow, RowKey
from edge_aiops.fleet.node.outbox import MOST_BYTES, Outbox
from edge_aiops.fleet.node.push import OVERHEAD_BYTES
from edge_aiops.fleet.simulate.traffic import Counted, Traffic
from edge_aiops.hub.hub import Hub
from edge_aiops.journal.boots import Boot, new_boot
from edge_aiops.observe.forwarding import Delta
from edge_aiops.observe.performance import Performance
from edge_aiops.observe.series import Series, Window
from edge_aiops.observe.tables import MONITORING_SCHEMA
from edge_aiops.plugin.loader import Plugins
from edge_aiops.plugin.registry import Backends
from edge_aiops.store.local import LocalDatabase
from edge_aiops.testing.clock import FakeClock

DAYS, WINDOWS_AN_HOUR, WINDOW_MS = 400, 12, 300_000
FEATURES, REQUESTS = 20, 300
SETS = 600
"""Of summaries are drawn and come again: so many that no push has one twice, which would compress too well."""
NODE = "1" * 32


class Drained(NamedTuple):
    """What came of it."""

    counted: int
    arrived: int
    outbox_bytes: int
    pushes: int
    sent_bytes: int
    seconds: float


def rows() -> list[Row]:
    """Every row of this benchmark."""
    drained = asyncio.run(offline(DAYS))
    return [
        Row(
            f"requests of {DAYS} days offline that arrive",
            f"{drained.arrived:,}",
            f"{drained.counted:,}",
            target="all",
            met=drained.arrived == drained.counted,
        ),
        Row(
            "  the outbox by then",
            f"{drained.outbox_bytes / 1e6:,.1f} MB",
            target="<= 64 MiB",
            met=drained.outbox_bytes <= MOST_BYTES,
        ),
        Row("  to empty it", f"{drained.seconds:,.1f} s", f"{drained.pushes:,} pushes"),
        Row("  sent, compressed, with headers", f"{drained.sent_bytes / 1e6:,.1f} MB"),
    ]


async def offline(days: int) -> Drained:
    """Count for so many days, then push all of it."""
    clock = FakeClock()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = await LocalDatabase.open(
            folder / "monitoring.db", MONITORING_SCHEMA, clock=clock, synchronous="normal"
        )
        outbox = await Outbox.open(database, clock=clock)
        counted = await _count(outbox, database, clock, days)
        outbox_bytes = outbox.status.waiting_bytes + outbox.status.kept_bytes
        backends = Backends(Plugins())
        async with Hub.open(folder / "hub", settings=Settings(), backends=backends, clock=clock) as hub:
            await _join(hub)
            drained = await _drain(outbox, hub)
        await database.close()
    return drained._replace(counted=counted, outbox_bytes=outbox_bytes)


async def _count(outbox: Outbox, database: LocalDatabase, clock: FakeClock, days: int) -> int:
    """Hour by hour: as twelve windows where the outbox has narrow ones, which makes no difference in wider ones."""
    windows, hours = _drawn(REQUESTS), _drawn(REQUESTS * WINDOWS_AN_HOUR)
    boot = Boot(new_boot())
    for hour in range(days * 24):
        start_ms = clock.now_ms() // WINDOW_MS * WINDOW_MS
        deltas: dict[Window, Delta] = {}
        for place in range(1 if boot.width_ms > WINDOW_MS else WINDOWS_AN_HOUR):
            drawn = hours if boot.width_ms > WINDOW_MS else windows
            deltas |= {
                Window(Series(one.kind, "model", "1", 1, 0), WINDOW_MS, start_ms + place * WINDOW_MS): Delta(
                    one.summary, one.n
                )
                for one in drawn[(hour * WINDOWS_AN_HOUR + place) % len(drawn)]
            }
        await database.write(lambda connection, boot=boot, deltas=deltas: outbox.grown(connection, boot, deltas))
        clock.advance(3_600)
        width_ms = await outbox.keep_house()
        if width_ms != boot.width_ms or hour % 24 == 23:
            boot = Boot(new_boot(), width_ms=width_ms)
    clock.advance(2 * 86_400)
    await outbox.keep_house()
    return days * 24 * WINDOWS_AN_HOUR * REQUESTS


def _drawn(requests: int) -> list[list[Counted]]:
    traffic, random = Traffic(features=FEATURES, requests=requests, shift=0.0, seed=1), np.random.default_rng(1)
    return [traffic.window(random, 0, shifted=False) for _ in range(SETS)]


async def _join(hub: Hub) -> None:
    key, token = Ed25519PrivateKey.generate(), await hub.enrolment.token_for(NODE)
    public = key.public_key().public_bytes_raw()
    proof = key.sign(join_proof(NODE, public, token))
    await hub.enrolment.join(JoinRequest(token=token, node_id=NODE, public_key=public, proof=proof))


async def _drain(outbox: Outbox, hub: Hub) -> Drained:
    arrived: dict[RowKey, PushRow] = {}
    pushes = sent = 0
    started = time.perf_counter()
    while (push := await outbox.batch()) is not None:
        body = await asyncio.to_thread(_packed, push)
        said = await hub.ingest.push(NODE, push)
        assert isinstance(said, Pushed), said
        await outbox.acknowledge(said)
        pushes, sent = pushes + 1, sent + len(body) + OVERHEAD_BYTES
        arrived |= {row.key: row for row in push.rows if row.key.kind == "performance"}
    seconds = time.perf_counter() - started
    requests = sum(Performance.from_bytes(row.summary).requests for row in arrived.values())
    return Drained(0, requests, 0, pushes, sent, seconds)


def _packed(push: Push) -> bytes:
    return gzip.compress(msgspec.msgpack.encode(push), mtime=0)
