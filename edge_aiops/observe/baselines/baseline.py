"""What the data of a model should look like: references of its inputs, its outputs and its outcomes."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from edge_aiops.stats.summaries import Baseline

Role = Literal["inputs", "outputs", "outcomes"]
"""What an event has of a model: features; prediction, label and confidence; what became known by feedback."""

Source = Literal["metadata", "dataset", "production"]
"""What a baseline was made from: the model's registration, a file, or a span of its own predictions."""

ROLES: tuple[Role, ...] = ("inputs", "outputs", "outcomes")


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
