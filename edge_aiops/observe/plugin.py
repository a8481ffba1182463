"""The plugin that edge_aiops itself is: its own drift tests, quality checks and notifiers."""

from __future__ import annotations

from collections.abc import Iterable

from edge_aiops.observe.drift.specs import DRIFT_TESTS
from edge_aiops.plugin import hookimpl
from edge_aiops.plugin.specs import DriftTestSpec


@hookimpl
def register_drift_tests() -> Iterable[DriftTestSpec]:
    """The built-in drift tests."""
    return DRIFT_TESTS
