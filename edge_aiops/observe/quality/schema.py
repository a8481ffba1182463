"""What is expected of each feature of a model, and where that comes from: a given schema over what a baseline shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from edge_aiops.observe.baselines.baseline import ModelBaseline
from edge_aiops.observe.models import ObservedModel
from edge_aiops.observe.quality.given import GivenFeature, SchemaProblem, read_schema
from edge_aiops.plugin.monitoring import FeatureKind
from edge_aiops.stats.summaries import Baseline, CategoryReference, Reference

RANGE_SLACK = 0.1
"""By what part of their distance a range that is inferred reaches beyond the extremes of the baseline."""
LEAST_VALUES = 100
"""A baseline of fewer values of a feature says its kind, but neither its range nor its labels."""

Source = Literal["given", "baseline", "model"]
"""The schema that the model was registered with; its baseline; the names of features that it was registered with."""


class FeatureSchema(Struct, frozen=True, kw_only=True, rename="camel"):
    """What is expected of one feature; null where nothing is."""

    name: str
    kind: FeatureKind | None = None
    required: bool | None = None
    nullable: bool | None = None
    minimum: float | None = None
    maximum: float | None = None
    categories: tuple[str, ...] | None = None
    null_rate: float | None = None
    """Share of rows without a value in the baseline."""
    sources: Mapping[str, Source] = {}
    """Where each of these comes from, by its name."""

    @property
    def source(self) -> str:
        """All sources of it: `given`, `baseline`, `model`, or several as in `given, baseline`."""
        return ", ".join(dict.fromkeys(self.sources.values()))


class ModelSchema(Struct, frozen=True, kw_only=True, rename="camel"):
    """What is expected of the features of a model version."""

    model_name: str
    model_version: str
    baseline: int | None
    """The number of the baseline that the rest comes from; null without one."""
    features: tuple[FeatureSchema, ...]
    allows_others: bool
    """Whether features that are not named may come; so it is where nothing is known of any."""
    problems: tuple[SchemaProblem, ...] = ()
    """Parts of the given schema that could not be understood."""


def schema_of(model: ObservedModel, baseline: ModelBaseline | None) -> ModelSchema:
    """What `model` was registered with, and for all that leaves open what its baseline shows."""
    given = read_schema(model.input_schema)
    inputs = baseline.inputs if baseline else None
    inferred = {name: _inferred(inputs, name) for name in inputs.names} if inputs else {}
    names = dict.fromkeys((*given.features, *inferred, *model.feature_names))
    problems = list(given.problems)
    features = []
    for name in names:
        expected = inferred.get(name) or FeatureSchema(name=name, sources={"name": "model"})
        if name in given.features:
            expected, problem = _overlaid(expected, given.features[name], counted=name in inferred)
            problems += [problem] if problem else []
        features.append(expected)
    return ModelSchema(
        model_name=model.served_by.model_name,
        model_version=model.served_by.model_version,
        baseline=baseline.number if baseline and inputs else None,
        features=tuple(features),
        allows_others=given.allows_others or not features,
        problems=tuple(problems),
    )


def _inferred(baseline: Baseline, name: str) -> FeatureSchema:
    reference = baseline[name]
    known: dict[str, Any] = (
        _of_numbers(reference, baseline.range(name)) if isinstance(reference, Reference) else _of_labels(reference)
    )
    known = {key: value for key, value in known.items() if value is not None}
    return FeatureSchema(name=name, **known, sources=dict.fromkeys(("name", *known), "baseline"))


def _of_numbers(reference: Reference, declared: tuple[float, float] | None) -> dict[str, Any]:
    moments = reference.moments
    minimum, maximum = declared or (None, None)
    low, high = moments.minimum, moments.maximum
    # One value, however often, says nothing of how far others may lie from it.
    if declared is None and low is not None and high is not None and low < high and moments.count >= LEAST_VALUES:
        slack = RANGE_SLACK * (high - low)
        minimum, maximum = low - slack, high + slack
    return {"kind": "numeric", "minimum": minimum, "maximum": maximum} | _of_missing(
        missing=moments.missing + moments.nan, total=moments.total
    )


def _of_labels(reference: CategoryReference) -> dict[str, Any]:
    counted = reference.categories
    enough = counted.known and int(reference.cells.sum()) >= LEAST_VALUES
    return {"kind": "category", "categories": tuple(counted.known) if enough else None} | _of_missing(
        missing=counted.missing, total=counted.total
    )


def _of_missing(*, missing: int, total: int) -> dict[str, Any]:
    if total < LEAST_VALUES:
        return {}
    return {"null_rate": missing / total, "nullable": missing > 0, "required": missing == 0}


def _overlaid(
    expected: FeatureSchema, said: GivenFeature, *, counted: bool
) -> tuple[FeatureSchema, SchemaProblem | None]:
    """`expected` with what is given in place of what was inferred; and what of that is of no use."""
    if said.vector:
        return replace(expected, sources={**expected.sources, "name": "given"}), None
    given = {
        key: value
        for key in ("kind", "required", "nullable", "minimum", "maximum", "categories")
        if (value := getattr(said, key)) is not None
    }
    problem = None
    if counted and "kind" in given and given["kind"] != expected.kind:
        problem = SchemaProblem(
            f"inputSchema.{expected.name}",
            f"it says {given['kind']}, the baseline holds {expected.kind} values and counts later ones as these; "
            "make a new baseline, or correct the schema",
        )
        fitting = ("categories",) if expected.kind == "category" else ("minimum", "maximum")
        given = {key: value for key, value in given.items() if key in ("required", "nullable", *fitting)}
    if {"minimum", "maximum"} & given.keys():
        # A range is one property: a limit that a given one leaves out is none.
        expected = replace(
            expected, minimum=None, maximum=None, sources=_without(expected.sources, "minimum", "maximum")
        )
    return replace(expected, **given, sources={**expected.sources, **dict.fromkeys(("name", *given), "given")}), problem


def _without(sources: Mapping[str, Source], *names: str) -> dict[str, Source]:
    return {name: source for name, source in sources.items() if name not in names}
