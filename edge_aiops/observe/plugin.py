"""The plugin that edge_aiops itself is: its own drift tests, quality checks and notifiers."""

from __future__ import annotations

from collections.abc import Iterable

from edge_aiops.observe.alerts.specs import NOTIFIERS
from edge_aiops.observe.drift.specs import DRIFT_TESTS
from edge_aiops.observe.quality.specs import QUALITY_CHECKS
from edge_aiops.plugin import hookimpl
from edge_aiops.plugin.specs import DriftTestSpec, NotifierSpec, QualityCheckSpec


@hookimpl
def register_drift_tests() -> Iterable[DriftTestSpec]:
    """The built-in drift tests."""
    return DRIFT_TESTS


@hookimpl
def register_notifiers() -> Iterable[NotifierSpec]:
    """The built-in notifiers."""
    return NOTIFIERS


@hookimpl
def register_quality_checks() -> Iterable[QualityCheckSpec]:
    """The built-in quality checks."""
    return QUALITY_CHECKS
