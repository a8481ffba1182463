"""How baselines look to a reader."""

from __future__ import annotations

from msgspec import Struct

from edge_aiops.observe.baselines.baseline import BaselineHeading, ModelBaseline, Source
from edge_aiops.observe.drift.distributions import Picture, both_sides, pictures
from edge_aiops.plugin.monitoring import FeatureKind
from edge_aiops.stats.summaries import Baseline, Profile, Reference


class BaselineOverview(Struct, frozen=True, kw_only=True, rename="camel"):
    """A baseline, without its statistics."""

    number: int
    model_name: str
    model_version: str | None
    """Null: of every version that has none of its own."""
    source: Source
    description: str
    created_at: int
    """Milliseconds since the epoch."""
    rows: int
    in_force: bool
    """Whether drift is measured against it now, by some version or by those that have none of their own."""
    inputs: dict[str, FeatureKind]
    """The features by name."""
    outputs: dict[str, FeatureKind]
    outcomes: dict[str, FeatureKind]
    warnings: list[str]


class FeatureReference(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a feature looks like in a baseline."""

    name: str
    kind: FeatureKind
    count: int
    """Rows with a value."""
    missing: int
    mean: float | None
    standard_deviation: float | None
    minimum: float | None
    maximum: float | None
    distribution: Picture


class BaselineDetails(Struct, frozen=True, kw_only=True, rename="camel"):
    """A baseline with its statistics; a role of which it says nothing is empty."""

    baseline: BaselineOverview
    inputs: list[FeatureReference]
    outputs: list[FeatureReference]
    outcomes: list[FeatureReference]


def overview(baseline: BaselineHeading, *, in_force: bool) -> BaselineOverview:
    """A baseline without its statistics."""
    return BaselineOverview(
        number=baseline.number,
        model_name=baseline.model_name,
        model_version=baseline.model_version,
        source=baseline.source,
        description=baseline.description,
        created_at=baseline.created_at,
        rows=baseline.rows,
        in_force=in_force,
        inputs=baseline.features.get("inputs", {}),
        outputs=baseline.features.get("outputs", {}),
        outcomes=baseline.features.get("outcomes", {}),
        warnings=list(baseline.warnings),
    )


def details(baseline: ModelBaseline, *, in_force: bool) -> BaselineDetails:
    """All of `baseline`."""
    return BaselineDetails(
        baseline=overview(baseline.heading, in_force=in_force),
        inputs=_references(baseline.inputs),
        outputs=_references(baseline.outputs),
        outcomes=_references(baseline.outcomes),
    )


def _references(baseline: Baseline | None) -> list[FeatureReference]:
    if baseline is None:
        return []
    empty = Profile(baseline)
    return [_reference(baseline, empty, name) for name in baseline.names]


def _reference(baseline: Baseline, empty: Profile, name: str) -> FeatureReference:
    found, (distribution, _) = baseline[name], both_sides(empty, name)
    moments = found.moments if isinstance(found, Reference) else None
    return FeatureReference(
        name=name,
        kind=distribution.kind,
        count=distribution.n,
        missing=distribution.missing,
        mean=moments and moments.mean,
        standard_deviation=moments and moments.standard_deviation,
        minimum=moments and moments.minimum,
        maximum=moments and moments.maximum,
        distribution=pictures(distribution, distribution)[0],
    )
