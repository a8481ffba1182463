"""What the data of a model should look like: references of its inputs, its outputs and its outcomes."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from edge_aiops.observe.columns.columns import kinds_of
from edge_aiops.plugin.monitoring import FeatureKind
from edge_aiops.stats.summaries import Baseline

Role = Literal["inputs", "outputs", "outcomes"]
"""What an event has of a model: features; prediction, label and confidence; what became known by feedback."""

Source = Literal["metadata", "dataset", "production"]
"""What a baseline was made from: the model's registration, a file, or a span of its own predictions."""

ROLES: tuple[Role, ...] = ("inputs", "outputs", "outcomes")


class BaselineHeading(Struct, frozen=True, kw_only=True):
    """What a baseline is, without its statistics."""

    number: int
    model_name: str
    model_version: str | None
    source: Source
    description: str
    warnings: tuple[str, ...]
    created_at: int
    rows: int
    features: dict[Role, dict[str, FeatureKind]]
    """By part; without those that have none."""


class ModelBaseline(Struct, frozen=True, kw_only=True):
    """One version of the baseline of a model.

    `inputs` has the model's features by name. `outputs` has `label` (the predicted class), `confidence`, and numeric
    outputs by name. `outcomes` has `correct` (the labels "true" and "false"), `outcome` (the class that it really
    was, or the number) and `absoluteError` for numbers. A part without reference data is None.
    """

    number: int
    """Counts the baselines of this node, from 1."""
    model_name: str
    model_version: str | None
    """None: of every version that has none of its own."""
    source: Source
    description: str
    warnings: tuple[str, ...] = ()
    """What to know of it: columns that were left out, and why."""
    created_at: int
    rows: int
    inputs: Baseline | None
    outputs: Baseline | None
    outcomes: Baseline | None

    def of(self, role: Role) -> Baseline | None:
        """The references of one role."""
        return {"inputs": self.inputs, "outputs": self.outputs, "outcomes": self.outcomes}[role]

    @property
    def heading(self) -> BaselineHeading:
        """All but its statistics."""
        return BaselineHeading(
            number=self.number,
            model_name=self.model_name,
            model_version=self.model_version,
            source=self.source,
            description=self.description,
            warnings=self.warnings,
            created_at=self.created_at,
            rows=self.rows,
            features={role: kinds_of(of) for role in ROLES if (of := self.of(role)) is not None},
        )
