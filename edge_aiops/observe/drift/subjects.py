"""What each drift type looks at: which features of which role, by the rule of which part of the configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from edge_aiops.observe.baselines.baseline import ModelBaseline, Role
from edge_aiops.observe.config import ConceptDrift, DistributionDrift, DriftConfig
from edge_aiops.observe.drift.result import DRIFT_TYPES, DriftType
from edge_aiops.stats.summaries import CategoryReference

CONFIDENCE = "confidence"
LABEL = "label"
OUTCOME = "outcome"
CORRECT = "correct"
ABSOLUTE_ERROR = "absoluteError"


class Features(NamedTuple):
    """Features of one role."""

    role: Role
    names: tuple[str, ...]


class Subject(NamedTuple):
    """One drift type of a model with this baseline and configuration."""

    drift_type: DriftType
    config: DistributionDrift | ConceptDrift
    choices: tuple[Features, ...]
    """The first that has values enough is looked at; none where the baseline has nothing to compare with."""


def subjects(baseline: ModelBaseline, config: DriftConfig, wanted: Sequence[DriftType] | None) -> list[Subject]:
    """What to look at. Where `wanted` is None: what is enabled and can be compared, and how good the model is."""
    found = [
        Subject(of, part_of(config, of), _choices(of, baseline)) for of in DRIFT_TYPES if wanted is None or of in wanted
    ]
    if wanted is not None:
        return found
    return [of for of in found if of.config.enabled and (of.choices or of.drift_type == "concept")]


def part_of(config: DriftConfig, drift_type: DriftType) -> DistributionDrift | ConceptDrift:
    """The part of the configuration that is about a drift type."""
    parts: dict[DriftType, DistributionDrift | ConceptDrift] = {
        "input": config.input_drift,
        "prediction": config.prediction_drift,
        "confidence": config.confidence_drift,
        "classBalance": config.class_balance,
        "concept": config.concept_drift,
    }
    return parts[drift_type]


def quality_features(baseline: ModelBaseline) -> tuple[Features, ...]:
    """The outcome that says how good the model is, `correct` before `absoluteError`; nothing where there is none."""
    names = baseline.outcomes.names if baseline.outcomes is not None else []
    return tuple(Features("outcomes", (name,)) for name in (CORRECT, ABSOLUTE_ERROR) if name in names)[:1]


def _choices(drift_type: DriftType, baseline: ModelBaseline) -> tuple[Features, ...]:
    outputs = baseline.outputs.names if baseline.outputs is not None else []
    if drift_type == "input":
        given = [Features("inputs", tuple(baseline.inputs.names if baseline.inputs is not None else ()))]
    elif drift_type == "prediction":
        given = [Features("outputs", tuple(name for name in outputs if name != CONFIDENCE))]
    elif drift_type == "confidence":
        given = [Features("outputs", tuple(name for name in outputs if name == CONFIDENCE))]
    elif drift_type == "classBalance":
        given = [Features("outcomes", _classes(baseline, "outcomes", OUTCOME))]
        given.append(Features("outputs", _classes(baseline, "outputs", LABEL)))
    else:
        given = list(quality_features(baseline))
    return tuple(features for features in given if features.names)


def _classes(baseline: ModelBaseline, role: Role, name: str) -> tuple[str, ...]:
    references = baseline.of(role)
    has = references is not None and name in references and isinstance(references[name], CategoryReference)
    return (name,) if has else ()
