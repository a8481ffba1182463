"""What the view of a fleet answers."""

from __future__ import annotations

from msgspec import Struct

from edge_aiops.fleet.hub.view.drift import FleetDrift
from edge_aiops.fleet.hub.view.metrics import FleetMetrics
from edge_aiops.fleet.hub.view.outliers import Outlier
from edge_aiops.fleet.hub.view.quality import FleetQuality
from edge_aiops.fleet.hub.view.selection import Selection
from edge_aiops.observe.granularity import Granularity


class OtherBaseline(Struct, frozen=True, kw_only=True, rename="camel"):
    """Windows that an answer leaves out because they are on another baseline: their counts are in other bins."""

    kind: str
    model_version: str
    baseline: str
    """SHA-256; "" for windows without one."""
    nodes: int
    rows: int | None
    """Null for fewer than k."""


class MetricsAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """How a model performs."""

    selection: Selection
    granularity: Granularity
    nodes: int
    """In the window that has the most."""
    deployments: dict[str, list[int]]
    """By version those that answered."""
    totals: list[FleetMetrics]
    """Of each version over the span, as it was rounded."""
    series: list[FleetMetrics]
    """Of each version and window, the oldest first."""
    withheld: int
    """Windows, and versions, of fewer than k requests, which are not shown."""


class DriftAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """Whether a model has drifted."""

    selection: Selection
    evidence_from: int | None
    """The day from which on evidence counts; null for one look."""
    deployments: dict[str, list[int]]
    drifted: bool
    results: list[FleetDrift]
    other_baselines: list[OtherBaseline]


class QualityAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """The quality of the data that a model gets."""

    selection: Selection
    results: list[FleetQuality]
    other_baselines: list[OtherBaseline]


class OutliersAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """Which nodes differ from the others."""

    selection: Selection
    nodes: int
    """That were compared."""
    alpha: float
    """The share of false ones among those found, at most."""
    found: int
    outliers: list[Outlier]
    """The largest effects of each subject, at most `limit`."""
    other_baselines: list[OtherBaseline]
