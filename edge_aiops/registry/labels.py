"""Checks the names that people give to columns and classes against what the model really has."""

from __future__ import annotations

from edge_aiops.base.errors import InvalidInput
from edge_aiops.plugin.signature import Signature
from edge_aiops.registry.messages import Registration


def check_labels(registration: Registration, signature: Signature) -> None:
    """Raise `InvalidInput` that blames featureNames or classLabels where they contradict `signature`."""
    if registration.feature_names:
        _check_unique("featureNames", registration.feature_names)
        _check_features(registration.feature_names, signature)
    if registration.class_labels:
        _check_unique("classLabels", registration.class_labels)
        _check_classes(registration.class_labels, signature)


def _check_unique(field: str, names: tuple[str, ...]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InvalidInput.of(field, f"{name!r} stands in it twice")
        seen.add(name)


def _check_features(names: tuple[str, ...], signature: Signature) -> None:
    shapes = ", ".join(f"{spec.name} {spec}" for spec in signature.inputs) or "none"
    if len(signature.inputs) != 1 or len(signature.inputs[0].shape) != 2:
        raise InvalidInput.of(
            "featureNames", f"they name the columns of a single two-dimensional input; this model's inputs: {shapes}"
        )
    columns = signature.inputs[0].shape[1]
    if columns is not None and columns != len(names):
        raise InvalidInput.of(
            "featureNames", f"there are {len(names)}, but the model's input has {columns} columns: {shapes}"
        )


def _check_classes(labels: tuple[str, ...], signature: Signature) -> None:
    scores = [spec.shape[-1] for spec in signature.outputs if len(spec.shape) > 1]
    if not scores or None in scores:
        return
    # A single score per row is how models of two classes often answer.
    possible = {*scores, 2} if 1 in scores else set(scores)
    if len(labels) not in possible:
        shapes = ", ".join(f"{spec.name} {spec}" for spec in signature.outputs)
        raise InvalidInput.of(
            "classLabels", f"there are {len(labels)}, which fits none of the model's outputs: {shapes}"
        )
