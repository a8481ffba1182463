"""What a node pushes: rows that hold windows, records that only ever come to be, and how the node is.

A row is a function of a prefix of its boot's journal: it only grows, and `revision` counts what was merged into it.
So of two copies of a row the one with the higher revision holds all that the other does, whatever was lost, repeated,
reordered or restored in between; and the sum over all rows is the truth.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

MEDIA_TYPE = "application/vnd.msgpack"
MOST_BODY_BYTES = 8 * 1024**2
"""After decompression."""
MOST_ROWS = 256
"""Rows and records together of one push."""
MOST_PUSH_BYTES = 256 * 1024
"""What a node puts into one push, before compression; a single larger row goes alone."""

Boot = Annotated[int, Meta(ge=1, le=2**63 - 1)]
"""The random id of one start of a node's process."""
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Name = Annotated[str, Meta(max_length=128)]
RowKind = Literal["performance", "labels", "inputs", "outputs", "outcomes"]
RecordKind = Literal["alert", "feedback", "sample", "baseline", "rollout", "dropped"]


class RowKey(Struct, frozen=True, array_like=True):
    """What a row is of; beside the node's id, which the session tells."""

    boot: Boot
    """The start of the process that journaled what the row counts."""
    kind: RowKind
    model_name: Name
    model_version: Name
    deployment: Count
    baseline: Annotated[str, Meta(pattern=r"^(?:[0-9a-f]{64})?$(?!\n)")]
    """SHA-256 of the bytes of the baseline (of this kind's role) whose bins the summary is on; "" for none."""
    width_ms: Count
    start_ms: Count


class PushRow(Struct, frozen=True, array_like=True):
    """One row as it is now."""

    boot: Boot
    """In whose numbering `seq` is: the start of the process that put the row into the outbox last."""
    seq: Count
    key: RowKey
    revision: Count
    """How many items (events, or changes of labels) were merged into it."""
    n: Count
    """Requests, labels or rows of data, by kind; only for people, totals come from the summary."""
    summary: bytes
    sha256: Annotated[bytes, Meta(min_length=32, max_length=32)]
    """Of the summary."""


class PushRecord(Struct, frozen=True, array_like=True):
    """Something that happened, and never changes."""

    boot: Boot
    seq: Count
    kind: RecordKind
    id: Annotated[str, Meta(max_length=128)]
    """Unique for the node and the kind; repeats are one. Of a baseline its SHA-256."""
    at_ms: Count
    body: bytes
    """JSON; of a baseline its bytes."""


class Reported(Struct, frozen=True, kw_only=True, rename="camel"):
    """How the node is, as it says."""

    generation: Count
    """Of the desired state that is applied."""
    version: Name = ""
    """Of the program."""
    models: dict[str, Any] = {}
    """State of each model version's activation by `name:version`; see `messages.rollout`."""
    health: dict[str, Any] = {}
    """`ready`, `reasons`, sizes of databases, free disk bytes, lag of the outbox and the like."""
    unsupported: tuple[str, ...] = ()
    """Capabilities that the desired state requires and this node does not have."""


class Push(Struct, frozen=True, kw_only=True, rename="camel"):
    """The body of POST /fleet/push."""

    boot: Boot
    """Of the process that pushes."""
    have: dict[Boot, Count]
    """What the hub has acknowledged of each boot of which the node still keeps rows."""
    rows: tuple[PushRow, ...] = ()
    records: tuple[PushRecord, ...] = ()
    reported: Reported
    clock: Count
    """The node's clock: milliseconds since the epoch."""
    lag: Count = 0
    """Rows and records that wait on the node, without those of this push."""


class Pushed(Struct, frozen=True, kw_only=True, rename="camel"):
    """The answer, after everything is on disk."""

    cursors: dict[int, int]
    """The highest sequence number that the hub has of each boot in `have`, and of the boots pushed."""
    written: int
    """Rows and records that were new."""
    generation: int
    """Of the desired state; a node that has a lower one pulls."""
    next_in_ms: int
    """When the hub would like the next push."""
    server_time: int


class WentBack(Struct, frozen=True, kw_only=True, rename="camel"):
    """Member `fleet` of the 409 problem: the hub has less than the node was told; nothing was applied."""

    cursors: dict[int, int]
