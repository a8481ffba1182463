"""whylogs: profiles of columns and of events, made of sketches."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from benchmarks.peers import data
from benchmarks.peers.case import Case, Work
from benchmarks.peers.resident import resident_bytes

_FEATURES = 10
_NODES = 10
_MODELS = 10


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


def _observe(batch: int) -> Work:
    from whylogs.core import DatasetProfile

    payloads, profile = data.payloads(batch), DatasetProfile()

    def work() -> None:
        for payload in payloads:
            profile.track(json.loads(payload))

    return work


def _observe_frame(batch: int) -> Work:
    import pandas
    from whylogs.core import DatasetProfile

    payloads, profile = data.payloads(batch), DatasetProfile()
    return lambda: profile.track(pandas.DataFrame([json.loads(payload) for payload in payloads]))


def _memory() -> Work:
    import pandas
    from whylogs.core import DatasetProfile

    frame = pandas.DataFrame(data.columns("current", rows=data.WINDOW))

    def observed() -> DatasetProfile:
        profile = DatasetProfile()
        profile.track(frame)
        return profile

    observed()  # what it imports and keeps at its first is not a model's

    def work() -> float:
        before = resident_bytes()
        models = [observed() for _ in range(_MODELS)]
        return (resident_bytes() - before) / len(models)

    return work


def _window(features: int = data.FEATURES) -> Work:
    view = _view(features)
    return lambda: float(len(view.serialize()))


def _merge() -> Work:
    view = _view()

    def work() -> None:
        merged = view
        for _ in range(_NODES):
            merged = merged.merge(view)

    return work


def _view(features: int = data.FEATURES) -> Any:
    import pandas
    import whylogs

    return whylogs.log(pandas.DataFrame(data.columns("current", features=features, rows=data.WINDOW))).view()


CASES = [
    Case("binned", f"whylogs, a profile alone, {_FEATURES} features x 10", _profile, scale=10, once=True),
    Case("event dict", "whylogs, log", _log_event),
    Case("event dict", "whylogs, track", _track_event),
    Case("window", "whylogs", _window),
    *(
        Case(f"observe {batch}", "whylogs, track of dicts", partial(_observe, batch), scale=1 / batch)
        for batch in (1, 8, 64)
    ),
    *(
        Case(f"observe {batch}", "whylogs, track of a frame", partial(_observe_frame, batch), scale=1 / batch)
        for batch in (8, 64)
    ),
    Case("memory", "whylogs, a profile alone", _memory, once=True),
    *(Case(f"window {features}", "whylogs", partial(_window, features)) for features in (20, 100)),
    Case("merge", f"whylogs, {_NODES} nodes x {data.NODES // _NODES}", _merge, scale=data.NODES / _NODES, once=True),
]
