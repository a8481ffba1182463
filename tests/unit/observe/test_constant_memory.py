"""A window takes as much memory with a million events as with a thousand."""

from __future__ import annotations

import itertools
import random

from benchmarks.peers.resident import resident_bytes
from edge_aiops.journal.events import NewEvent, ServedBy
from edge_aiops.observe.performance import Performance

A_MILLION = 1_000_000
BATCH = 500
MODEL = ServedBy("model", "1", 1)


def batches() -> list[list[NewEvent]]:
    """A hundred batches of events with random times."""
    chance = random.Random(1)
    return [[event(chance) for _ in range(BATCH)] for _ in range(100)]


def event(chance: random.Random) -> NewEvent:
    return NewEvent(
        at_ms=chance.randrange(300_000),
        served_by=MODEL,
        request_id=None,
        user_id=None,
        session_id=None,
        rows=1,
        batch_rows=8,
        queue_us=chance.randrange(10_000),
        latency_us=int(chance.lognormvariate(7, 1)),
        features=None,
        prediction=None,
        confidence=f"{chance.random():.6f}",
        label=None,
        error=None,
    )


def test_performance_of_a_million_events_takes_constant_memory() -> None:
    performance, kept = Performance(), batches()
    for batch in kept:
        performance.update(batch)
    resident = resident_bytes()
    for batch in itertools.islice(itertools.cycle(kept), A_MILLION // BATCH - len(kept)):
        performance.update(batch)
    assert performance.requests == A_MILLION
    assert len(performance.to_bytes()) < 4_096
    assert resident_bytes() - resident < 1_000_000
