"""How a model is run: where, how far it is trusted, and how its requests share runs."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Isolation = Literal["inline", "thread", "process"]
"""`inline`: in the node's event loop, whose sessions use threads for what takes long. `thread`: in an event loop of
its own, in a thread. `process`: in a worker process, which may crash, hang or run out of memory alone."""

Trust = Literal["data", "code"]
"""`data`: the artifact is weights and graphs that cannot do anything but compute. `code`: loading it may run what its
author wrote; it is loaded in a sandboxed worker process only."""


class Batching(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """How requests for a model share runs."""

    max_rows: Annotated[int, Meta(ge=1, le=65_536)] | None = None
    """Most rows of a run; None takes `serving.max_batch_rows`."""

    max_wait_ms: Annotated[float, Meta(ge=0, le=60_000)] = 0.0
    """Longest time that a run waits for more rows, less where a deadline is nearer; with 0 whatever is ready when
    the model is free is a run."""


class CommitPolicy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """When a version that was just activated is kept, and when the one before it comes back."""

    after_requests: Annotated[int, Meta(ge=1, le=2**31 - 1)] = 100
    after_s: Annotated[float, Meta(gt=0, le=1e9)] = 300.0
    """Kept after so many requests or so much time, whichever is first, if the limits below hold."""
    most_error_rate: Annotated[float, Meta(ge=0, le=1)] = 0.05
    most_p95_latency_ms: Annotated[float, Meta(gt=0, le=1e9)] | None = None
    most_attempts: Annotated[int, Meta(ge=1, le=1_000)] = 2
    """Starts of the node within which it must have been kept: a model that kills its node is given up then."""
