"""whylogs: profiles of columns and of events, made of sketches."""

from __future__ import annotations

from typing import Any

from benchmarks.peers import data
from benchmarks.peers.case import Case, Work

_FEATURES = 10
_NODES = 10


def _profile() -> Work:
    import pandas
    import whylogs

    frame = pandas.DataFrame(data.columns("current", features=_FEATURES))
    return lambda: whylogs.log(frame)


def _log_event() -> Work:
    import whylogs

    event = data.event()
    return lambda: whylogs.log(event)


def _track_event() -> Work:
    from whylogs.core import DatasetProfile

    event, profile = data.event(), DatasetProfile()
    return lambda: profile.track(event)


def _window() -> Work:
    view = _view()
    return lambda: float(len(view.serialize()))


def _merge() -> Work:
    view = _view()

    def work() -> None:
        merged = view
        for _ in range(_NODES):
            merged = merged.merge(view)

    return work


def _view() -> Any:
    import pandas
    import whylogs

    return whylogs.log(pandas.DataFrame(data.columns("current", rows=data.WINDOW))).view()


CASES = [
    Case("binned", f"whylogs, a profile alone, {_FEATURES} features x 10", _profile, scale=10, once=True),
    Case("event dict", "whylogs, log", _log_event),
    Case("event dict", "whylogs, track", _track_event),
    Case("window", "whylogs", _window),
    Case("merge", f"whylogs, {_NODES} nodes x {data.NODES // _NODES}", _merge, scale=data.NODES / _NODES, once=True),
]
