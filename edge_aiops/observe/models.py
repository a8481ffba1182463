"""What monitoring has to know of a model version that the node serves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from edge_aiops.base.errors import UnknownModel
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


class ObservedModels(Mapping[tuple[str, str], ObservedModel]):
    """The model versions that this node serves, by name and version."""

    def __init__(self) -> None:
        self._models: dict[tuple[str, str], ObservedModel] = {}
        self.revision = 0
        """Grows whenever they change."""

    def replace(self, models: Iterable[ObservedModel]) -> None:
        """From now on it is these."""
        self._models = {model.served_by[:2]: model for model in models}
        self.revision += 1

    def versions(self, model_name: str) -> list[str]:
        """The versions of a model. Raises `UnknownModel` for a name that none has."""
        found = [version for name, version in self._models if name == model_name]
        if not found:
            known = ", ".join(sorted({name for name, _ in self._models})[:10]) or "none yet; register one"
            raise UnknownModel(f"no model named {model_name[:80]!r} on this node; there are: {known}")
        return sorted(found)

    def __getitem__(self, key: tuple[str, str]) -> ObservedModel:
        return self._models[key]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._models)

    def __len__(self) -> int:
        return len(self._models)
