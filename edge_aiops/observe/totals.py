"""What each model version has served since the process started: what Prometheus and OpenTelemetry are told."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_aiops.observe.performance import MAX_ERROR_CODES, EventColumns, add_codes

ModelVersion = tuple[str, str]
"""Name and version."""

MAX_VERSIONS = 200
OTHER_VERSIONS: ModelVersion = ("_other", "_other")
"""Where all versions are counted that came after `MAX_VERSIONS` others; no model can have this name."""

DURATION_BOUNDS_S = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
BATCH_BOUNDS_ROWS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0)

_FEW = 12
"""Values up to which NumPy takes longer to be called than they take one by one."""


class Buckets:
    """Counts of values between fixed bounds. A bucket holds its upper bound; the last one has no bound."""

    __slots__ = ("_edges", "bounds", "counts", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = np.zeros(len(bounds) + 1, dtype=np.int64)
        self.sum = 0.0
        self._edges = np.array(bounds)

    def add(self, values: NDArray[Any]) -> None:
        """Count values."""
        if len(values) > _FEW:
            self.counts += np.bincount(self._edges.searchsorted(values), minlength=len(self.counts))
            self.sum += float(values.sum())
            return
        for value in values.tolist():
            self.counts[bisect_left(self.bounds, value)] += 1
            self.sum += value


class ServingTotals:
    """What one model version has served. Everything only ever grows."""

    __slots__ = ("batch_rows", "errors_by_code", "last_event_ms", "latency", "queue", "requests", "rows")

    def __init__(self) -> None:
        self.requests = 0
        self.rows = 0
        self.errors_by_code: dict[str, int] = {}
        self.latency = Buckets(DURATION_BOUNDS_S)
        self.queue = Buckets(DURATION_BOUNDS_S)
        self.batch_rows = Buckets(BATCH_BOUNDS_ROWS)
        self.last_event_ms = 0
        """When the request came that was counted last."""

    @property
    def succeeded(self) -> int:
        """Requests that did not fail."""
        return self.requests - sum(self.errors_by_code.values())

    def add(self, columns: EventColumns) -> None:
        """Count events."""
        self.requests += len(columns.at_ms)
        self.rows += columns.rows
        if columns.errors:
            add_codes(self.errors_by_code, Counter(columns.errors), limit=MAX_ERROR_CODES)
        self.latency.add(columns.latency_s)
        self.queue.add(columns.queue_s)
        self.batch_rows.add(columns.batch_rows)
        self.last_event_ms = columns.at_ms[-1]


class Totals:
    """The totals of all model versions, of at most `MAX_VERSIONS` by name."""

    def __init__(self) -> None:
        self._by_version: dict[ModelVersion, ServingTotals] = {}

    @property
    def by_version(self) -> Mapping[ModelVersion, ServingTotals]:
        """The totals of each version that has had a request."""
        return self._by_version

    def add(self, version: ModelVersion, columns: EventColumns) -> None:
        """Count events of one version."""
        if version not in self._by_version and len(self._by_version) >= MAX_VERSIONS:
            version = OTHER_VERSIONS
        if (totals := self._by_version.get(version)) is None:
            totals = self._by_version[version] = ServingTotals()
        totals.add(columns)
