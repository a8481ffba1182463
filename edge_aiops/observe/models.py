"""What monitoring has to know of a model version that the node serves."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from edge_aiops.journal.events import ServedBy


class ObservedModel(Struct, frozen=True, kw_only=True):
    """A model version on this node, as far as monitoring is concerned."""

    served_by: ServedBy
    stage: str
    """`candidate`, `staging` or `production`."""
    task_type: str | None = None
    feature_names: tuple[str, ...] = ()
    """Names of the columns where events hold rows without names."""
    class_labels: tuple[str, ...] = ()
    output_names: tuple[str, ...] = ()
    """Names of the model's outputs, under which predictions have them."""
    baseline_distributions: dict[str, Any] = {}
    """What the model was registered with as the distributions of its features in training."""
    input_schema: dict[str, Any] | list[Any] | None = None
    """What the model was registered with as the schema of its features."""
