"""The hooks, each a signature and a line; docs/plugins.md tells more."""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from edge_aiops.plugin.specs import BackendSpec, DriftTestSpec, NotifierSpec, QualityCheckSpec

hookspec = pluggy.HookspecMarker("edge_aiops")


@hookspec
def register_backends() -> Iterable[BackendSpec]:  # type: ignore[empty-body]  # a hookspec has no body
    """The backends that this plugin adds: what loads and runs the models of a framework."""


@hookspec
def register_drift_tests() -> Iterable[DriftTestSpec]:  # type: ignore[empty-body]  # a hookspec has no body
    """The drift tests that this plugin adds: how far a feature has moved from its baseline."""


@hookspec
def register_quality_checks() -> Iterable[QualityCheckSpec]:  # type: ignore[empty-body]  # a hookspec has no body
    """The checks of data quality that this plugin adds."""


@hookspec
def register_notifiers() -> Iterable[NotifierSpec]:  # type: ignore[empty-body]  # a hookspec has no body
    """The ways in which this plugin sends alerts to people or programs."""
