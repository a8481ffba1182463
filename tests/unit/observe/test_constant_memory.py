"""A window takes as much memory with a million events as with fifty thousand."""

from __future__ import annotations

import itertools
import json
import random

import numpy as np

from benchmarks.peers.resident import resident_bytes
from edge_aiops.journal.events import NewEvent, ServedBy
from edge_aiops.observe.columns import InputColumns
from edge_aiops.observe.models import ObservedModel
from edge_aiops.observe.performance import Performance
from edge_aiops.observe.summaries import RoleSummary, Sketches
from edge_aiops.stats.summaries import Baseline

A_MILLION = 1_000_000
BATCH = 500
SMALL = 8 * 1024**2
"""By how much a process with many tests behind it may grow by itself; kept, a million numbers would take as much."""
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
        features=json.dumps(
            {
                "age": chance.gauss(40, 9),
                "country": chance.choice(["de", "fr", "it"]),
                "id": str(chance.random()),
                "extra": chance.random(),
            }
        ),
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
    assert resident_bytes() - resident < SMALL


def test_features_of_a_million_events_take_constant_memory() -> None:
    """Those of the baseline, and those that it does not name, one of which is different each time."""
    random = np.random.default_rng(1)
    baseline = Baseline(
        {"age": random.normal(40, 9, size=10_000), "country": random.choice(["de", "fr", "it"], size=10_000).tolist()}
    )
    reader = InputColumns(ObservedModel(served_by=MODEL, stage="production"), baseline)
    summary, sketches = RoleSummary(baseline, max_features=100), Sketches()
    kept = [reader.read(batch) for batch in batches()]
    for columns in kept:
        summary.update(columns)
        sketches.update(columns)
    stored, resident = len(summary.to_bytes()) + len(sketches.to_bytes()), resident_bytes()
    for columns in itertools.islice(itertools.cycle(kept), A_MILLION // BATCH - len(kept)):
        summary.update(columns)
        sketches.update(columns)
    assert summary.rows == A_MILLION
    assert summary.profile is not None
    assert summary.profile["age"].moments.count == A_MILLION
    assert {"id", "extra"} <= set(summary.loose)
    assert len(summary.to_bytes()) + len(sketches.to_bytes()) < 1.5 * stored
    assert resident_bytes() - resident < SMALL
