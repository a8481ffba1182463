"""River: statistics of one event at a time."""

from __future__ import annotations

from benchmarks.peers import data
from benchmarks.peers.case import Case, Work


def _event() -> Work:
    from river import stats

    event = data.event()
    kept = {name: (stats.Var(), stats.Min(), stats.Max()) for name in event}  # Var keeps the mean too

    def work() -> None:
        for name, value in event.items():
            for statistic in kept[name]:
                statistic.update(value)

    return work


CASES = [Case("event dict", "river, variance, min, max", _event)]
