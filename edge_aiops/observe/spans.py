"""Spans of time that somebody asks for."""

from __future__ import annotations

from edge_aiops.base.errors import InvalidInput


def end_of_span(from_ms: int | None, until_ms: int | None, *, now_ms: int) -> int:
    """Where a span ends: at `until_ms`, or now. Raises `InvalidInput` for one that begins no earlier, or in the
    future."""
    if from_ms is not None and from_ms >= now_ms:
        raise InvalidInput.of("from", f"{from_ms} is not before now, {now_ms}; send milliseconds since the epoch")
    if until_ms is None:
        return now_ms
    if from_ms is not None and from_ms >= until_ms:
        raise InvalidInput.of("from", f"{from_ms} is not before `to`, {until_ms}; send a span with an extent")
    return until_ms
