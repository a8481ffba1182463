"""What a model version has done since this process began to serve it, in counts and in nanoseconds."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

MAX_BATCH_SIZES = 1_024
"""How many different numbers of rows are told apart; runs of further ones count in the totals only."""


MOST_TIMED = 1_000
"""Requests whose times are kept while somebody watches, the newest."""


class Vitals(NamedTuple):
    """How a version does, since somebody watches it."""

    requests: int
    errors: int
    """Of the requests; a load that failed is one as well."""
    timed: int = 0
    p95_latency_ms: float | None = None
    """Of the last `timed` requests, from their arrival to the model's answer."""
    resting: str = ""
    """Why its circuit is open, if it is."""


class Tally:
    """How often something was done, and how long it took altogether."""

    __slots__ = ("count", "ns")

    def __init__(self) -> None:
        self.count = 0
        self.ns = 0

    def add(self, ns: int, *, times: int = 1) -> None:
        """Count what took `ns` each time."""
        self.count += times
        self.ns += ns * times


class Moments(NamedTuple):
    """When a run began, had its inputs, had the model's outputs, and had read them; ticks in nanoseconds."""

    started: int
    stacked: int
    predicted: int
    read: int


class Compute:
    """Where the time of runs went: inputs put together, the model itself, outputs read."""

    __slots__ = ("infer", "input", "output")

    def __init__(self) -> None:
        self.input = Tally()
        self.infer = Tally()
        self.output = Tally()

    def add(self, moments: Moments, *, times: int = 1) -> None:
        """Count a run, or each of the `times` requests that shared it."""
        self.input.add(moments.stacked - moments.started, times=times)
        self.infer.add(moments.predicted - moments.stacked, times=times)
        self.output.add(moments.read - moments.predicted, times=times)


class ModelStatistics:
    """Of one deployment, over all its loads. Everything only ever grows."""

    def __init__(self) -> None:
        self.inferences = 0
        """Rows of requests that were answered."""
        self.executions = 0
        """Runs of the model."""
        self.last_inference_ms = 0
        self.success = Tally()
        """Requests, from their arrival until the model's outputs were read."""
        self.fail = Tally()
        """Requests that got an error instead: the model's, or that of a deadline."""
        self.queue = Tally()
        self.compute = Compute()
        """By request, each with the time of the whole run that it shared."""
        self.by_rows: dict[int, Compute] = {}
        """By run, for each number of rows."""
        self._load_failures = 0
        self._times_ns: deque[int] | None = None
        self._watched_from = (0, 0)

    def watch(self) -> None:
        """Let `vitals` count from now on."""
        self._watched_from = self._counted()
        self._times_ns = deque(maxlen=MOST_TIMED)

    def unwatch(self) -> None:
        """Nobody asks for `vitals` any more."""
        self._times_ns = None

    def vitals(self, *, resting: str = "") -> Vitals:
        """How it does since `watch`."""
        (requests, errors), (requests_before, errors_before) = self._counted(), self._watched_from
        times_ns = sorted(self._times_ns or ())
        p95_ms = times_ns[-(len(times_ns) // 20) - 1] / 1e6 if times_ns else None
        return Vitals(requests - requests_before, errors - errors_before, len(times_ns), p95_ms, resting)

    def _counted(self) -> tuple[int, int]:
        errors = self.fail.count + self._load_failures
        return self.success.count + errors, errors

    def add_run(self, arrivals_ns: Iterable[int], moments: Moments, *, at_ms: int, rows: int, run_rows: int) -> None:
        """Count a run that answers requests with `rows` which came at `arrivals_ns`; `run_rows`: all that it had, also
        those of requests that were given up meanwhile."""
        answered = 0
        for arrived_ns in arrivals_ns:
            answered += 1
            self.success.add(moments.read - arrived_ns)
            if self._times_ns is not None:
                self._times_ns.append(moments.read - arrived_ns)
            self.queue.add(moments.started - arrived_ns)
        self.compute.add(moments, times=answered)
        self.inferences += rows
        self.executions += 1
        self.last_inference_ms = at_ms
        if run_rows in self.by_rows or len(self.by_rows) < MAX_BATCH_SIZES:
            self.by_rows.setdefault(run_rows, Compute()).add(moments)

    def add_failure(self, ns: int) -> None:
        """Count a request that failed after `ns`."""
        self.fail.add(ns)

    def add_failed_load(self) -> None:
        """Count a load that failed."""
        self._load_failures += 1
