"""What the journal holds of a model, window by window, and what monitoring has made of it."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from edge_aiops.observe.granularity import WIDTH_MS, Granularity

GRANULARITIES: tuple[Granularity, ...] = ("5min", "hourly", "daily")

_RECORDED = """
    SELECT at_ms - at_ms % :width_ms, model_version, count(*), count(error), count(feedback.place), total(correct)
    FROM event
    JOIN served_by ON served_by.number = event.served_by
    LEFT JOIN feedback ON feedback.place = event.place
    WHERE model_name = :model_name
    GROUP BY 1, 2
"""


class Counts(NamedTuple):
    """What is counted in a window; every label of these tests says whether the prediction was right."""

    requests: int
    errors: int
    labelled: int
    right: int


Totals = dict[Granularity, dict[tuple[int, str], Counts]]
"""By granularity, then by the window's start and the model's version."""


def recorded(folder: Path, model_name: str) -> Totals:
    """Counted anew from the events and labels of the journal in `folder`, which may be written to meanwhile."""
    with closing(sqlite3.connect(f"file:{folder / 'events.db'}?mode=ro", uri=True)) as connection:
        return {
            granularity: {
                (start, version): Counts(*map(int, counts))
                for start, version, *counts in connection.execute(
                    _RECORDED, {"width_ms": WIDTH_MS[granularity], "model_name": model_name}
                )
            }
            for granularity in GRANULARITIES
        }


async def summarised(client: Any, model_name: str) -> Totals:
    """What the server says of every window of today and of the days before."""
    return {granularity: await _series(client, model_name, granularity) for granularity in GRANULARITIES}


async def _series(client: Any, model_name: str, granularity: Granularity) -> dict[tuple[int, str], Counts]:
    answer = await client.get(f"/monitoring/metrics/{model_name}?granularity={granularity}")
    assert answer.status == 200, answer
    return {
        (window["start"], window["modelVersion"]): Counts(
            window["requests"],
            window["errors"],
            window["labelled"],
            round((window["accuracy"] or 0) * window["labelled"]),
        )
        for window in answer.body["windows"]
    }


async def settled(client: Any, folder: Path, model_name: str, *, timeout_s: float = 30, still_s: float = 0.0) -> Totals:
    """What monitoring says once it is what the journal holds, or at the end of the time that it has for it.

    After that it may not move: it is looked at again after `still_s`.
    """
    give_up_at = time.monotonic() + timeout_s
    said = await summarised(client, model_name)
    while said != recorded(folder, model_name) and time.monotonic() < give_up_at:
        await asyncio.sleep(0.1)
        said = await summarised(client, model_name)
    if still_s:
        await asyncio.sleep(still_s)
        said = await summarised(client, model_name)
    return said
