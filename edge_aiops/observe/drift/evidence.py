"""The always-valid evidence of drift, of each model version: updated with every window, kept beside the windows.

For each role there is a watch over all its features, and for the outcomes also evidence on how good the model is,
by the labels that are there: that more or fewer of them come says nothing about the model.

Events count when they arrive: predictions in the window in which they are written, labels in the one in which they
become known, however old their prediction is. All evidence begins anew with another baseline and after `restart`.
What the configuration says, such as alpha, is applied when it is read and never makes it begin anew.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Mapping
from functools import cache
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from edge_aiops.observe.baselines.baseline import ModelBaseline, Role
from edge_aiops.observe.config import MonitoringConfig
from edge_aiops.observe.drift.distributions import both_sides
from edge_aiops.observe.drift.subjects import Features, quality_features
from edge_aiops.plugin.monitoring import Counts, Distribution
from edge_aiops.stats import IncompatibleSummaries, UnreadableSummary
from edge_aiops.stats.evidence import DriftEvidence, DriftWatch
from edge_aiops.stats.summaries import Baseline, Profile
from edge_aiops.store.local import LocalDatabase

logger = logging.getLogger(__name__)

_GROUPS = 10
"""Of the bins of an error; few cells find a shift sooner than many."""

_KEY = "model_name = ? AND model_version = ? AND role = ? AND baseline = ?"
_WRITE = """
    INSERT INTO drift_watch VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET watch = excluded.watch
"""
_FORGET_OLDER = f"DELETE FROM drift_watch WHERE {_KEY.replace('baseline =', 'baseline <')}"
_UNFIT = (UnreadableSummary, IncompatibleSummaries)


class FeatureEvidence(Protocol):
    """How strongly what came so far speaks against the baseline."""

    @property
    def e_value(self) -> float:
        """Of mean one at most, without drift; infinite beyond the range of a float."""

    @property
    def log_e(self) -> float:
        """Its natural logarithm."""


class _Place(NamedTuple):
    """Where a piece of evidence is kept."""

    model_name: str
    model_version: str
    role: Role | Literal["quality"]
    baseline: int

    def __str__(self) -> str:
        return f"{self.model_name} {self.model_version} ({self.role})"


def record(
    connection: sqlite3.Connection,
    *,
    model_name: str,
    model_version: str,
    role: Role,
    baseline: ModelBaseline,
    window: Profile,
    config: MonitoringConfig,
) -> None:
    """Take what arrived since the last call, in the transaction that writes it to the windows.

    Evidence on an older baseline is forgotten. What is damaged begins anew, with a line in the log.
    """
    references = baseline.of(role)
    if references is None or not window.rows or not config.enabled:
        return
    place = _Place(model_name, model_version, role, baseline.number)
    _write(connection, place, _watch(_read(connection, place), place, references, window).to_bytes())
    for features in quality_features(baseline):
        if features.role == role:
            _record_quality(connection, place._replace(role="quality"), *both_sides(window, features.names[0]))


async def gathered(
    database: LocalDatabase, *, model_name: str, model_version: str, baseline: ModelBaseline, features: Features
) -> Mapping[str, FeatureEvidence]:
    """The evidence on each feature by now; nothing where none has begun."""
    is_quality = features in quality_features(baseline)
    place = _Place(model_name, model_version, "quality" if is_quality else features.role, baseline.number)
    rows = await database.read(f"SELECT watch FROM drift_watch WHERE {_KEY}", place)
    references = baseline.of(features.role)
    if not rows or references is None:
        return {}
    try:
        if is_quality:
            return {features.names[0]: DriftEvidence.from_bytes(rows[0][0])}
        return await asyncio.to_thread(_by_name, rows[0][0], references)
    except _UNFIT as reason:
        logger.warning("the evidence of drift of %s cannot be read: %s", place, reason)
        return {}


def restart(connection: sqlite3.Connection, model_name: str, model_version: str) -> None:
    """Begin anew: forget all evidence on a model version."""
    connection.execute(
        "DELETE FROM drift_watch WHERE model_name = ? AND model_version = ?", (model_name, model_version)
    )


def forget_all(connection: sqlite3.Connection) -> None:
    """Forget all watches, because the windows that they took will come again."""
    connection.execute("DELETE FROM drift_watch")


def _read(connection: sqlite3.Connection, place: _Place) -> bytes | None:
    row = connection.execute(f"SELECT watch FROM drift_watch WHERE {_KEY}", place).fetchone()
    if row is None:
        connection.execute(_FORGET_OLDER, place)
    return row[0] if row else None


def _write(connection: sqlite3.Connection, place: _Place, data: bytes) -> None:
    connection.execute(_WRITE, (*place, data))


def _watch(stored: bytes | None, place: _Place, references: Baseline, window: Profile) -> DriftWatch:
    # Evidence alone: alpha and size are applied when it is read.
    new = DriftWatch(references, min_effect=0.0, effect_windows=1)
    try:
        watch = DriftWatch.from_bytes(stored, references) if stored else new
        watch.update(window)
    except _UNFIT as reason:
        _begins_anew(place, reason)
        watch = new
        watch.update(window)
    return watch


def _record_quality(
    connection: sqlite3.Connection, place: _Place, reference: Distribution, current: Distribution
) -> None:
    theirs, ours = in_groups(reference), in_groups(current)
    if len(theirs) < 2:  # a baseline of so few labels that it knows none
        return
    new = DriftEvidence(theirs)
    stored = _read(connection, place)
    try:
        evidence = (DriftEvidence.from_bytes(stored) if stored else new).update(ours)
    except _UNFIT as reason:
        _begins_anew(place, reason)
        evidence = new.update(ours)
    _write(connection, place, evidence.to_bytes())


def in_groups(distribution: Distribution) -> Counts:
    """Counts in few cells of values that are there: below, groups of bins, above; or the labels and the others."""
    if distribution.kind == "category":
        return distribution.counts
    groups: Counts = np.add.reduceat(distribution.counts, group_starts(len(distribution.counts)))
    return groups


@cache
def group_starts(cells: int) -> NDArray[np.intp]:
    """Where the groups of so many cells of numbers begin: the first cell, ten groups of bins at most, the last cell."""
    bins = cells - 2
    if bins <= _GROUPS:
        return np.arange(cells)
    return np.array([0, *np.linspace(1, bins + 1, _GROUPS, endpoint=False).astype(np.intp), bins + 1])


def _by_name(data: bytes, references: Baseline) -> dict[str, FeatureEvidence]:
    return {feature.name: feature for feature in DriftWatch.from_bytes(data, references).features}


def _begins_anew(place: _Place, reason: Exception) -> None:
    logger.warning("the evidence of drift of %s begins anew: %s", place, reason)
