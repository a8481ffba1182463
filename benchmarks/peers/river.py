"""River: statistics of one event at a time."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from benchmarks.peers import data
from benchmarks.peers.case import Case, Work
from benchmarks.peers.resident import resident_bytes

_MODELS = 100


def _event() -> Work:
    event = data.event()
    kept = _kept(event)

    def work() -> None:
        for name, value in event.items():
            for statistic in kept[name]:
                statistic.update(value)

    return work


def _observe(batch: int) -> Work:
    payloads = data.payloads(batch)
    kept = _kept(json.loads(payloads[0]))

    def work() -> None:
        for payload in payloads:
            for name, value in json.loads(payload).items():
                for statistic in kept[name]:
                    statistic.update(value)

    return work


def _memory() -> Work:
    names = list(data.columns("current", rows=1))
    _kept(names)

    def work() -> float:
        before = resident_bytes()
        models = [_kept(names) for _ in range(_MODELS)]
        return (resident_bytes() - before) / len(models)

    return work


def _kept(names: Any) -> dict[str, Any]:
    from river import stats

    return {name: (stats.Var(), stats.Min(), stats.Max()) for name in names}  # Var keeps the mean too


_LABEL = "River, variance, min, max"

CASES = [
    Case("event dict", "river, variance, min, max", _event),
    *(Case(f"observe {batch}", _LABEL, partial(_observe, batch), scale=1 / batch) for batch in (1, 8, 64)),
    Case("memory", _LABEL, _memory, once=True),
]
