"""Lives through a data set again: each row is predicted at its time, and its label comes when it became known."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeVar

from edge_aiops.cli.demo.api import Api
from edge_aiops.cli.demo.clock import StoryClock
from edge_aiops.cli.demo.datasets import Row

AT_ONCE = 32
"""Requests under way together; they are all at the time of the first of them."""

MOMENT_MS = 300_000
"""What is looked at as often as this is looked at once more when all labels are told."""

_Item = TypeVar("_Item")

DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS


class _Due(NamedTuple):
    at_ms: int
    inference_id: str
    truth: str


class Replay:
    """Sends rows to one model. `labels_after_ms`: how long after a prediction it shows whether it was right."""

    def __init__(self, api: Api, clock: StoryClock, model: str, *, labels_after_ms: int) -> None:
        self._api = api
        self._clock = clock
        self._model = model
        self._labels_after_ms = labels_after_ms
        self._due: deque[_Due] = deque()

    async def predict(self, rows: Sequence[Row]) -> None:
        """Predict each row at its time."""
        for together in _together(rows):
            self._clock.move_to(together[0].at_ms)
            ids = await asyncio.gather(*(self._api.predict(self._model, row.features) for row in together))
            for row, inference_id in zip(together, ids, strict=True):
                self._due.append(_Due(row.at_ms + self._labels_after_ms, inference_id, row.truth))

    async def tell_labels(self, until_ms: int) -> None:
        """Tell the labels that became known a moment before `until_ms`, which it then is."""
        self._clock.move_to(until_ms - MOMENT_MS)
        known = []
        while self._due and self._due[0].at_ms < self._clock.now_ms():
            known.append(self._due.popleft())
        for together in _together(known):
            await asyncio.gather(*(self._api.label(due.inference_id, due.truth) for due in together))
        self._clock.move_to(until_ms)


def spans(rows: Sequence[Row], span_ms: int) -> list[tuple[int, list[Row]]]:
    """The rows by spans of time, counted from the first row's: the end of each in milliseconds, and its rows."""
    first_ms = rows[0].at_ms
    found: dict[int, list[Row]] = {}
    for row in rows:
        found.setdefault((row.at_ms - first_ms) // span_ms, []).append(row)
    return [(first_ms + (span + 1) * span_ms, found[span]) for span in sorted(found)]


def _together(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    return (items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE))
