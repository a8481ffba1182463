"""What the last checks said of model versions, short enough to be asked for every second."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import Struct

from edge_aiops.base.clock import Clock
from edge_aiops.observe.drift.result import DRIFT_TYPES, DriftResult, DriftType
from edge_aiops.observe.totals import ModelVersion

if TYPE_CHECKING:
    from edge_aiops.observe.drift.checks import DriftChecks
    from edge_aiops.observe.quality.quality import QualityChecks
    from edge_aiops.observe.quality.report import QualityReport

MAX_AGE_S = 15.0
"""Results are read again only when they are older: checks are rare, and their results large."""


class DriftState(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the last check of one drift type said of a model version."""

    model_name: str
    model_version: str
    drift_type: DriftType
    score: float | None
    """Null where there was too little to say."""
    drifted: bool
    confirmed: bool
    """Whether so many checks in a row agreed as are configured."""
    drifted_features: list[str]
    checked_at: int

    @property
    def version(self) -> ModelVersion:
        """Name and version of the model."""
        return self.model_name, self.model_version


class QualityState(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the last check of its data said of a model version."""

    model_name: str
    model_version: str
    score: float | None
    """Share of values that are as they should be; null where nothing was judged."""
    violations: int
    """Findings beyond their threshold."""
    checked_at: int

    @property
    def version(self) -> ModelVersion:
        """Name and version of the model."""
        return self.model_name, self.model_version


class Findings(Struct, frozen=True, kw_only=True):
    """Of some model versions."""

    drift: list[DriftState]
    quality: list[QualityState]


class LatestFindings:
    """The findings of all versions, read at most every `MAX_AGE_S` seconds."""

    def __init__(self, *, drift: DriftChecks, quality: QualityChecks, clock: Clock) -> None:
        self._drift = drift
        self._quality = quality
        self._clock = clock
        self._read: Findings | None = None
        self._read_of: list[ModelVersion] = []
        self._read_ns = 0

    async def of(self, versions: Iterable[ModelVersion]) -> Findings:
        """The findings of these versions, where there are any."""
        wanted, now_ns = sorted(versions), self._clock.ticks_ns()
        if self._read is None or wanted != self._read_of or now_ns - self._read_ns > MAX_AGE_S * 1e9:
            drift = [await self._drift.latest(*version, kind) for version in wanted for kind in DRIFT_TYPES]
            quality = [await self._quality.latest(*version) for version in wanted]
            self._read = Findings(
                drift=[_drift_state(result) for result in drift if result is not None],
                quality=[_quality_state(report) for report in quality if report is not None],
            )
            self._read_of, self._read_ns = wanted, now_ns
        return self._read


def _drift_state(result: DriftResult) -> DriftState:
    return DriftState(
        model_name=result.model_name,
        model_version=result.model_version,
        drift_type=result.drift_type,
        score=result.score,
        drifted=result.drifted,
        confirmed=result.confirmed,
        drifted_features=result.drifted_features,
        checked_at=result.checked_at,
    )


def _quality_state(report: QualityReport) -> QualityState:
    return QualityState(
        model_name=report.model_name,
        model_version=report.model_version,
        score=report.score,
        violations=len(report.violations),
        checked_at=report.checked_at,
    )
