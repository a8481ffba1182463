"""What a push must be beyond its types; what is wrong is named by its place, so that the node can set it apart."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from edge_aiops.base.errors import InvalidInput
from edge_aiops.fleet.hub.windows import DAY_MS, FIVE_MINUTES_MS, HOUR_MS
from edge_aiops.fleet.messages.push import Push, PushRecord, PushRow, Reported
from edge_aiops.observe.series import check_told
from edge_aiops.stats import UnreadableSummary

WIDTHS_MS = (FIVE_MINUTES_MS, HOUR_MS, DAY_MS)
LATEST_MS = 4_102_444_800_000
"""The year 2100. A clock that is wrong is shown and never refused; but no window begins after this."""
MOST_REPORTED_BYTES = 1024 * 1024
"""Of what a node says of itself, as JSON; a node with a thousand model versions needs a third of it."""

MOST_ITEMS = 2**40
"""Of one row: a trillion. What is merged of many rows must fit into 63 bits."""

_OBJECT = msgspec.json.Decoder(dict[str, Any])


def check(push: Push) -> None:
    """Raises `InvalidInput` that names the row or the record."""
    _check_reported(push.reported)
    for place, row in enumerate(push.rows):
        _check_row(row, f"rows[{place}]")
    for place, record in enumerate(push.records):
        _check_record(record, f"records[{place}]")


def _check_reported(reported: Reported) -> None:
    try:
        size = len(msgspec.json.encode(reported))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput.of("reported", f"cannot be written as JSON: {error}") from error
    if size > MOST_REPORTED_BYTES:
        raise InvalidInput.of("reported", f"has {size:,} bytes as JSON, and may have {MOST_REPORTED_BYTES:,}")


def _check_row(row: PushRow, field: str) -> None:
    key = row.key
    if hashlib.sha256(row.summary).digest() != row.sha256:
        raise InvalidInput.of(f"{field}.sha256", "is not the SHA-256 of the summary; it was damaged on its way")
    try:
        check_told(key.kind, row.summary)
    except UnreadableSummary as error:
        raise InvalidInput.of(f"{field}.summary", str(error)) from error
    if key.width_ms not in WIDTHS_MS:
        raise InvalidInput.of(f"{field}.key.width_ms", f"{key.width_ms} is none of {WIDTHS_MS}")
    if key.start_ms % key.width_ms:
        raise InvalidInput.of(
            f"{field}.key.start_ms", f"{key.start_ms} is no multiple of the window's width, {key.width_ms}"
        )
    if key.start_ms > LATEST_MS:
        raise InvalidInput.of(f"{field}.key.start_ms", f"{key.start_ms} is after the year 2100")
    for name, count in (("revision", row.revision), ("n", row.n)):
        if count > MOST_ITEMS:
            raise InvalidInput.of(f"{field}.{name}", f"{count} is more than any window has, {MOST_ITEMS}")
    _check_text(key.model_name, f"{field}.key.model_name")
    _check_text(key.model_version, f"{field}.key.model_version")


def _check_record(record: PushRecord, field: str) -> None:
    _check_text(record.id, f"{field}.id")
    if record.kind == "baseline":
        if hashlib.sha256(record.body).hexdigest() != record.id:
            raise InvalidInput.of(f"{field}.id", "is not the SHA-256 of the baseline")
        return
    try:
        _OBJECT.decode(record.body)
    except (ValueError, RecursionError) as error:
        raise InvalidInput.of(f"{field}.body", f"is no JSON object: {error}") from error


def _check_text(text: str, field: str) -> None:
    if not text or "\0" in text:
        raise InvalidInput.of(field, f"{text!r} is empty or holds a NUL, and so it names nothing")
