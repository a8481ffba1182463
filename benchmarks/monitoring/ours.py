"""Ours: a node's monitoring, from events that have just been committed to windows, files and checks of drift."""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks.monitoring.figures import BATCHES
from benchmarks.monitoring.observed import Observed, events
from benchmarks.peers import data
from benchmarks.peers.case import Case, Work
from benchmarks.peers.resident import resident_bytes
from edge_aiops.journal.events import NewEvent
from edge_aiops.observe.granularity import WIDTH_MS
from edge_aiops.stats.summaries import Baseline, Profile

_BEAT = 1_024
"""Events between two beats of the observer, which works once a second."""
_MODELS = 10
_WINDOW_MS = WIDTH_MS["5min"]
_WINDOWS = 12 * 24


def _observe(batch: int) -> Work:
    observed = Observed()
    observed.add_models(["model"], features=data.EVENT_FEATURES)
    made = events(_BEAT, features=data.EVENT_FEATURES, at_ms=observed.clock.now_ms())
    batches = [made[first : first + batch] for first in range(0, _BEAT, batch)]

    def work() -> None:
        for one in batches:
            observed.hand(one)
        observed.run(observed.monitoring.catch_up())

    return work


def _statistics(batch: int) -> Work:
    profile = Profile(Baseline(data.columns("reference", features=data.EVENT_FEATURES, rows=10_000)))
    if batch == 1:
        event = data.event()
        return lambda: profile.update_event(event)
    rows = np.column_stack(list(data.columns("current", features=data.EVENT_FEATURES, rows=batch).values()))
    return lambda: profile.update_rows(rows)


def _memory() -> Work:
    observed = Observed()
    names = [f"model-{number}" for number in range(_MODELS)]
    sent = {
        name: events(data.WINDOW, features=data.FEATURES, model=name, at_ms=observed.clock.now_ms())
        for name in ["first", *names]
    }
    _serve(observed, ["first"], sent)  # what is imported and kept at the first is not a model's

    def work() -> float:
        before = resident_bytes()
        _serve(observed, names, sent)
        return (resident_bytes() - before) / len(names)

    return work


def _serve(observed: Observed, names: list[str], sent: dict[str, list[NewEvent]]) -> None:
    observed.add_models(names, features=data.FEATURES)
    for name in names:
        observed.hand(sent[name])
    observed.run(observed.monitoring.catch_up())


def _window(features: int) -> Work:
    observed = _filled(features, windows=1)
    query = "SELECT sum(length(summary)) FROM window WHERE width_ms = ?"
    return lambda: float(observed.run(observed.monitoring.database.read(query, (_WINDOW_MS,)))[0][0])


def _file(features: int) -> Work:
    def work() -> float:
        observed = _filled(features, windows=12)
        before = observed.file.stat().st_size
        _fill(observed, features, windows=_WINDOWS - 12)
        return (observed.file.stat().st_size - before) / (_WINDOWS - 12)

    return work


def _check() -> Work:
    observed = _filled(data.FEATURES, windows=_WINDOWS, events_a_window=100_000 // _WINDOWS)
    return lambda: observed.run(observed.monitoring.drift.check("model", "1", trigger="demand"))


def _filled(features: int, *, windows: int, events_a_window: int = data.WINDOW) -> Observed:
    observed = Observed()
    observed.add_models(["model"], features=features)
    _fill(observed, features, windows=windows, events_a_window=events_a_window)
    return observed


def _fill(observed: Observed, features: int, *, windows: int, events_a_window: int = data.WINDOW) -> None:
    """Let so many windows pass, each written and merged upwards by the hour as in a node."""
    made = events(events_a_window, features=features, at_ms=0)
    for _ in range(windows):
        at_ms = observed.clock.now_ms()
        observed.hand([event._replace(at_ms=at_ms) for event in made])
        observed.run(observed.monitoring.flush())
        observed.clock.advance(_WINDOW_MS / 1000)
        if observed.clock.now_ms() % WIDTH_MS["hourly"] == 0:
            observed.run(observed.monitoring.roll_up())
    observed.run(observed.monitoring.database.checkpoint())


CASES = [
    *(Case(f"observe {batch}", "edge_aiops", partial(_observe, batch), scale=1 / _BEAT) for batch in BATCHES),
    *(Case(f"statistics {batch}", "edge_aiops", partial(_statistics, batch), scale=1 / batch) for batch in BATCHES),
    Case("memory", "edge_aiops", _memory, once=True),
    *(Case(f"window {features}", "edge_aiops", partial(_window, features)) for features in (20, 100)),
    *(Case(f"file {features}", "edge_aiops", partial(_file, features), once=True) for features in (20, 100)),
    Case("check", "edge_aiops", _check),
]
