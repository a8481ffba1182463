"""A process that appends events to a journal and says which ones were acknowledged; made to be cut short.

Run as a program: `appender.py FOLDER [--synchronous normal] [--rounds N] [--seed N]`. Each line of its output is an
acknowledgement, written in one piece once the journal's future is done: `event ID NUMBER` or `label ID NUMBER`.
Without rounds it goes on until it is killed. With `--quiet` it rests now and then, so that the log is folded.
With `--state` it keeps a node's state.db beside the journal.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from msgspec import Raw

from edge_aiops.base.clock import SystemClock
from edge_aiops.base.settings import JournalSettings
from edge_aiops.fleet.node.state import NodeState, SavedDesired
from edge_aiops.journal.events import Feedback, NewEvent, ServedBy
from edge_aiops.journal.journal import Journal
from edge_aiops.journal.querying import EventFilter
from edge_aiops.store.local.writer import IDLE_S

_DEPLOYMENTS = [ServedBy("iris", "1", 1), ServedBy("iris", "2", 2), ServedBy("wine", "1", 3)]


class Acknowledged(NamedTuple):
    """What a process had promised when it ended: numbers by inference id."""

    events: dict[str, int]
    labels: dict[str, int]

    @classmethod
    def parse(cls, output: str) -> Acknowledged:
        """From the complete lines of a program's output."""
        events: dict[str, int] = {}
        labels: dict[str, int] = {}
        for line in output.splitlines(keepends=True):
            if line.endswith("\n"):
                what, inference_id, number = line.split()
                {"event": events, "label": labels}[what][inference_id] = int(number)
        return cls(events, labels)


def event(number: int) -> NewEvent:
    """The event with a number; its payload follows from the number, and its size varies from 20 B to 20 KB."""
    size = 20_000 if number % 97 == 0 else number * 7 % 600
    return NewEvent(
        at_ms=SystemClock().now_ms(),
        served_by=_DEPLOYMENTS[number % len(_DEPLOYMENTS)],
        request_id=str(number),
        user_id=None,
        session_id=None,
        rows=1,
        batch_rows=1,
        queue_us=1,
        latency_us=1,
        features=features(number, size),
        prediction=f"[{number}]",
        confidence=None,
        label=str(number),
        error=None,
    )


def features(number: int, size: int) -> str:
    return f'{{"number":{number},"padding":"{"p" * size}"}}'


async def missing(journal: Journal, promised: Acknowledged) -> list[str]:
    """What of `promised` the journal does not hold with its content, read page by page."""
    found = {}
    cursor = None
    while True:
        page = await journal.page(EventFilter(), cursor=cursor, limit=1_000)
        found.update({one.inference_id: one for one in page.events})
        if (cursor := page.next_cursor) is None:
            break
    lost = []
    for inference_id, number in promised.events.items():
        one = found.get(inference_id)
        if one is None or one.request_id != str(number) or bytes(one.features).decode() != event(number).features:
            lost.append(f"event {number}")
    for inference_id, number in promised.labels.items():
        one = found.get(inference_id)
        if one is None or one.correct is not True or bytes(one.actual_outcome) != str(number).encode():
            lost.append(f"label {number}")
    return lost


@contextmanager
def appending(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """The program at work; killed in the end, where it still lives."""
    with subprocess.Popen(
        [sys.executable, __file__, str(folder), *options], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


async def _append(journal: Journal, numbers: list[int], label: bool) -> None:
    # Several calls in one pass of the loop, as of requests that arrive together.
    calls = [(number, *journal.append([event(number)])) for number in numbers]
    lines = []
    for number, (inference_id,), committed in calls:
        await committed
        lines.append(f"event {inference_id} {number}\n")
    os.write(1, "".join(lines).encode())
    if label:
        number, (inference_id,), _ = calls[0]
        await journal.label(inference_id, Feedback(actual_outcome=Raw(str(number).encode())))
        os.write(1, f"label {inference_id} {number}\n".encode())


async def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--synchronous", default="full")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--quiet", action="store_true")
    parser.add_argument("--state", action="store_true")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    state = await NodeState.open(options.folder, clock=SystemClock()) if options.state else None
    if state is not None:
        await state.identity()
        await state.save_desired(SavedDesired(1, "etag", b"{}" * 5_000))
    settings = JournalSettings(synchronous=options.synchronous)
    journal = await Journal.open(options.folder, clock=SystemClock(), settings=settings)
    numbers = itertools.count(options.first)
    for done in itertools.count(1):
        size = chance.choice([1, 1, 1, 2, 3, 8, 40])
        await _append(journal, list(itertools.islice(numbers, size)), label=chance.random() < 0.2)
        if chance.random() < 0.02:
            await journal.database.checkpoint()
        if options.quiet and chance.random() < 0.03:
            await asyncio.sleep(1.2 * IDLE_S)
        if chance.random() < 0.01 or done == options.rounds:
            await journal.close()
            if done == options.rounds:
                break
            journal = await Journal.open(options.folder, clock=SystemClock(), settings=settings)
    if state is not None:
        await state.close()


if __name__ == "__main__":
    asyncio.run(_main())
