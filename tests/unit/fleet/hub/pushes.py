"""Pushes of nodes, made by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from edge_aiops.fleet.hub.boots import Pushing, Verdict
from edge_aiops.fleet.messages.push import Push, PushRecord, PushRow, Reported, RowKey
from edge_aiops.observe.performance import Performance
from edge_aiops.store.shared.bulk import Ask, Steps

NODE, OTHER = "1" * 32, "2" * 32
BOOT = 2**62 + 11
START_MS = 1_750_000_200_000 - 1_750_000_200_000 % 300_000


def requests(n: int) -> bytes:
    """The summary of `n` requests."""
    summary = Performance()
    summary.requests = n
    return summary.to_bytes()


def row(n: int = 1, *, seq: int = 1, revision: int | None = None, stream: int = BOOT, **key: Any) -> PushRow:
    """A row of `n` requests; `key` says what differs from the first window of a model."""
    said = {
        "boot": BOOT,
        "kind": "performance",
        "model_name": "model",
        "model_version": "1",
        "deployment": 1,
        "baseline": "",
        "width_ms": 300_000,
        "start_ms": START_MS,
        **key,
    }
    summary = requests(n)
    digest = hashlib.sha256(summary).digest()
    return PushRow(stream, seq, RowKey(**said), n if revision is None else revision, n, summary, digest)


def record(
    id: str = "1", *, seq: int = 1, kind: Any = "alert", body: bytes = b"{}", at_ms: int = START_MS
) -> PushRecord:
    """A record of the same stream."""
    return PushRecord(BOOT, seq, kind, id, START_MS, body)


def push(*items: PushRow | PushRecord, have: dict[int, int] | None = None, **more: Any) -> Push:
    """A push of rows and records."""
    return Push(
        boot=BOOT,
        have={BOOT: 0} if have is None else have,
        rows=tuple(item for item in items if isinstance(item, PushRow)),
        records=tuple(item for item in items if isinstance(item, PushRecord)),
        reported=Reported(generation=0),
        **{"clock": START_MS, **more},
    )


def _all(pushing: Sequence[Pushing]) -> Sequence[Verdict | None]:
    return ["default" for _ in pushing]


class Judge:
    """Has a verdict on each push at once; without `judged` every node is welcome, in one group."""

    def __init__(self, judged: Callable[[Sequence[Pushing]], Sequence[Verdict | None]] | None = None) -> None:
        self._judged = judged or _all

    def admit(self, pushing: Sequence[Pushing]) -> Steps[Sequence[Verdict | None]]:
        yield Ask("SELECT 1")
        return self._judged(pushing)

    async def note(self, pushing: Sequence[Pushing]) -> Sequence[Verdict]:
        raise AssertionError(f"there was a verdict on {pushing} before")
