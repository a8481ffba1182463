"""What may be said about a Hugging Face model when it is registered."""

from __future__ import annotations

from typing import Annotated, Literal

from edge_aiops_onnx.options import OnnxOptions
from msgspec import Meta

from edge_aiops.plugin import InvalidModel, ModelSource, parsed_options

TaskName = Literal["embedding", "text-classification", "token-classification", "zero-shot-classification", "tensors"]
Pooling = Literal["mean", "cls", "max", "last"]
Aggregation = Literal["none", "simple", "first", "average", "max"]

_TEXT = ("embedding", "text-classification", "token-classification", "zero-shot-classification")
_TASKS_OF: dict[str, tuple[str, ...]] = {
    "maxLength": _TEXT,
    "pooling": ("embedding",),
    "normalize": ("embedding",),
    "multiLabel": ("text-classification", "zero-shot-classification"),
    "aggregation": ("token-classification",),
    "candidateLabels": ("zero-shot-classification",),
    "hypothesisTemplate": ("zero-shot-classification",),
}
_PLACE = "{}"


class TransformersOptions(OnnxOptions, frozen=True, rename="camel"):
    """The `options` of a Hugging Face model; those of an ONNX model as well."""

    task: TaskName | None = None
    """What it is for; None takes it from the folder."""

    variant: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]+$", max_length=64)] | None = None
    """Which of the folder's ONNX files: `fp32`, `int8`, `fp16`, `q4`, ..., by the hub's names for files."""

    max_length: Annotated[int, Meta(ge=1)] | None = None
    """Tokens that are read of a text at the most; None takes what the model was made for."""

    pooling: Pooling | None = None
    """How the embeddings of tokens become one; None takes it from the folder, else the mean."""

    normalize: bool | None = None
    """Whether embeddings are scaled to length 1; None takes it from `modules.json`, else they are."""

    multi_label: bool | None = None
    """Whether several labels may hold at once, so that scores do not sum to 1; None takes it from `config.json`."""

    aggregation: Aggregation = "none"
    """How tokens become entities, as in the pipelines of transformers."""

    candidate_labels: tuple[Annotated[str, Meta(min_length=1)], ...] = ()
    """The labels to choose from; empty where each request brings its own."""

    hypothesis_template: str = f"This example is {_PLACE}."
    """The sentence that a label is put into."""


def read_options(source: ModelSource) -> TransformersOptions:
    """The options of `source`. Raises `InvalidModel` that names the option and its fault."""
    options = parsed_options(source, TransformersOptions)
    if options.hypothesis_template.count(_PLACE) != 1:
        raise InvalidModel.of(
            "options.hypothesisTemplate", f"expected one {_PLACE} for the label, got {options.hypothesis_template!r}"
        )
    if len(set(options.candidate_labels)) != len(options.candidate_labels):
        raise InvalidModel.of("options.candidateLabels", "a label is there twice")
    return options


def check_belonging(source: ModelSource, task: TaskName) -> None:
    """Raises `InvalidModel` for an option that says nothing about `task`."""
    for name in source.options:
        tasks = _TASKS_OF.get(name)
        if tasks and task not in tasks:
            raise InvalidModel.of(f"options.{name}", f"is for {' and '.join(tasks)}; the task of this model is {task}")
