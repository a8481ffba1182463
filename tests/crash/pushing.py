"""A node without models: it journals predictions and labels, counts them, and pushes, as fast as it can, until killed.

Arguments: its folder, the hub, and `first`, or `last` to push what is left and end.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import aiohttp
from msgspec import Raw

from edge_aiops.base.clock import SystemClock
from edge_aiops.base.errors import EdgeAiopsError
from edge_aiops.base.settings import FleetSettings, JournalSettings
from edge_aiops.fleet.messages.identity import Session
from edge_aiops.fleet.messages.push import Reported
from edge_aiops.fleet.node.hub_client import HubClient
from edge_aiops.fleet.node.outbox import Outbox
from edge_aiops.fleet.node.outbox_keeping import OutboxKeeping
from edge_aiops.fleet.node.push import Pusher
from edge_aiops.journal.events import Feedback, NewEvent, ServedBy
from edge_aiops.journal.journal import Journal
from edge_aiops.observe.models import ObservedModel
from edge_aiops.observe.monitoring import Monitoring
from edge_aiops.plugin.loader import Plugins

MODEL = ServedBy("model", "1", 1)
CLOCK = SystemClock()


async def work(folder: Path, hub_url: str, *, last: bool) -> None:
    monitoring = await Monitoring.open(folder, clock=CLOCK, plugins=Plugins(environment={}), node_id="node")
    journal = await Journal.open(folder, clock=CLOCK, settings=JournalSettings(), read_to=monitoring.read_to)
    outbox = await Outbox.open(monitoring.database, clock=CLOCK)
    monitoring.serve([ObservedModel(served_by=MODEL, stage="production", feature_names=("a", "b"))])
    await monitoring.follow(journal, forwarding=outbox)
    keeping = OutboxKeeping(outbox, journal, monitoring.observer, clock=CLOCK)
    async with aiohttp.ClientSession() as http:
        pusher = Pusher(
            HubClient(hub_url, http=http, open_session=_session),
            outbox,
            settings=FleetSettings(),
            clock=CLOCK,
            reported=_reported,
        )
        await monitoring.flush()  # what was left by those before
        await _push(pusher)
        print("ready", flush=True)
        while not last:
            await asyncio.gather(_predict(journal), _predict(journal))
            await monitoring.flush()
            print("counted", flush=True)
            await keeping.run()
            await _push(pusher)
        await outbox.keep_house()
        while outbox.status.lag_rows:
            await _push(pusher)
            await outbox.keep_house()
    await journal.close()
    await monitoring.close()


async def _predict(journal: Journal) -> None:
    for _ in range(5):
        event = NewEvent(
            CLOCK.now_ms(), MODEL, None, None, None, 1, 1, 10, 900, "[1, 2]", '{"y":[1]}', "0.9", '"a"', None
        )
        (inference_id,), on_disk = journal.append([event])
        await on_disk
        await journal.label(inference_id, Feedback(actual_outcome=Raw(b'"a"')))


async def _push(pusher: Pusher) -> None:
    try:
        await pusher.exchange()
    except EdgeAiopsError as error:
        print(error, file=sys.stderr)


async def _session() -> Session:
    return Session(token="token", expires_in_s=900)


async def _reported() -> Reported:
    return Reported(generation=0)


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), sys.argv[2], last=sys.argv[3] == "last"))
