"""Runs the ONNX graph of a text model over many texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from edge_aiops_onnx.errors import failure_of
from onnxruntime import InferenceSession, RunOptions
from tokenizers import Encoding

from edge_aiops.plugin import InvalidModel, TensorSpec, numpy_dtype
from edge_aiops_transformers.tokenization import Texts
from edge_aiops_transformers.weights import Weights

Array = np.ndarray[Any, np.dtype[Any]]
Reader = Callable[[Array, Array], Iterable[Array]]
"""Makes a row per text of the output of one run and the mask of its tokens, 1.0 for those of the text."""

_TOKENS_A_RUN = 128
"""Measured with MiniLM on a processor: fewer waste time between runs, more outgrow its caches."""

_TRIAL = "a"
_FED = ("input_ids", "attention_mask", "token_type_ids", "position_ids")


class TextGraph:
    """A text model: its tokenizer and its graph, of which one output is read."""

    def __init__(self, weights: Weights, texts: Texts, outputs: Sequence[tuple[str, int]]) -> None:
        """`outputs`: names (`*` for any) and numbers of dimensions of the output to read, the first that is there.

        Raises `InvalidModel` if the graph wants what texts do not give, has no such output, or fails with a text.
        """
        self._pad_id = texts.pad_id
        self._session: InferenceSession = weights.session
        self._inputs = {spec.name: spec for spec in weights.signature.inputs}
        self._check_inputs()
        spec = _first(weights.signature.outputs, outputs)
        self.output, self.dimensions = spec.name, len(spec.shape)
        try:
            (row,) = self.rows(texts.encoded([_TRIAL]), lambda values, mask: values, weights.trial)
        except Exception as error:
            raise InvalidModel(f"the model fails with the text {_TRIAL!r}: {error}") from error
        if row.ndim != self.dimensions - 1:
            raise InvalidModel(f"output {self.output!r} has {row.ndim + 1} dimensions; expected {self.dimensions}")
        self.width: int = row.shape[-1]
        """The last dimension of the output."""

    def rows(self, encodings: Sequence[Encoding], read: Reader, options: RunOptions) -> list[Array]:
        """What `read` makes of each text, in their order; those of like length run together, to pad little."""
        rows: list[Array] = [np.empty(0)] * len(encodings)
        for places in _runs([len(encoding.ids) for encoding in encodings]):
            made = self._run([encodings[place] for place in places], read, options)
            for place, row in zip(places, made, strict=True):
                rows[place] = row
        return rows

    def _run(self, encodings: Sequence[Encoding], read: Reader, options: RunOptions) -> Iterable[Array]:
        given = self._fed(encodings)
        mask = given["attention_mask"]
        feed = {name: given[name].astype(numpy_dtype(spec)) for name, spec in self._inputs.items()}
        try:
            (values,) = self._session.run([self.output], feed, options)
        except Exception as error:
            raise failure_of(error) from error
        return read(np.asarray(values, np.float32), mask.astype(np.float32))

    def _fed(self, encodings: Sequence[Encoding]) -> dict[str, Array]:
        shape = (len(encodings), max(1, *(len(encoding.ids) for encoding in encodings)))
        ids, mask, types = np.full(shape, self._pad_id), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        for row, encoding in enumerate(encodings):
            length = len(encoding.ids)
            ids[row, :length], mask[row, :length], types[row, :length] = encoding.ids, 1, encoding.type_ids
        places = np.broadcast_to(np.arange(shape[1]), shape)
        return dict(zip(_FED, (ids, mask, types, places), strict=True))

    def _check_inputs(self) -> None:
        for name, spec in self._inputs.items():
            if name not in _FED:
                raise InvalidModel(
                    f"the graph has an input {name!r}, which a text does not give; it may have {', '.join(_FED)}. "
                    "With the task tensors requests bring every input themselves"
                )
            if spec.dtype not in ("int32", "int64") or spec.shape != (None, None):
                raise InvalidModel(
                    f"input {name!r} is {spec}; expected int64[any, any], texts by tokens: export the model with "
                    "dynamic axes"
                )
        if "input_ids" not in self._inputs:
            raise InvalidModel(
                "the graph has no input 'input_ids', so it is no model of texts; set the task to tensors"
            )


def _runs(lengths: Sequence[int]) -> Iterator[list[int]]:
    """The places of all texts in runs of like length, each of some `_TOKENS_A_RUN` tokens with padding."""
    run: list[int] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        if run and lengths[place] * (len(run) + 1) > _TOKENS_A_RUN:
            yield run
            run = []
        run.append(place)
    if run:  # There may be no texts.
        yield run


def _first(specs: Sequence[TensorSpec], wanted: Sequence[tuple[str, int]]) -> TensorSpec:
    for name, dimensions in wanted:
        for spec in specs:
            if name in (spec.name, "*") and len(spec.shape) == dimensions and spec.dtype.startswith("float"):
                return spec
    there = ", ".join(f"{spec.name}: {spec}" for spec in specs)
    asked = " or ".join(sorted({f"{dimensions} dimensions" for _, dimensions in wanted}))
    raise InvalidModel(f"the graph has no output of floating-point numbers with {asked}; it has {there}")
