"""From the features of a request to the tensors of a model."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import msgspec
import numpy as np

from edge_aiops.base.errors import InvalidInput
from edge_aiops.plugin import Signature, Tensors, TensorSpec, checked_inputs, fits, numpy_dtype

Array = np.ndarray[Any, np.dtype[Any]]

_KINDS: dict[type, str] = {float: "numbers", int: "integers", bool: "true/false", str: "text"}
_ACCEPTED: dict[str, set[type]] = {"f": {float, int}, "i": {int}, "u": {int}, "b": {bool}, "O": {str}}
"""JSON values that a tensor's kind takes; nothing is cut to fit, nothing is parsed out of text."""

_MISSING: dict[str, float | str] = {"f": float("nan"), "O": ""}
"""What stands for null where a model takes missing values."""


class Rows(NamedTuple):
    """The tensors of one request. `many`: the caller sent rows, and gets rows back, even if it was one."""

    tensors: dict[str, Array]
    length: int
    many: bool
    kind: tuple[object, ...]
    """Requests of one kind, that is of equal row shapes, may share a run."""
    plain: list[list[float]] | None = None
    """In place of tensors: rows that are known to fit the only input; one array is made of all those of a run."""

    @classmethod
    def of_tensors(cls, signature: Signature, tensors: Tensors) -> Rows:
        """Those of a request that sends tensors; they share no run with JSON, whose numbers are looked through.

        Raises `InvalidInput` that names the tensor that does not fit.
        """
        checked = dict(checked_inputs(signature, tensors))
        kind = ("tensors", *(checked[spec.name].shape[1:] for spec in signature.inputs))
        length = max((len(array) for array in checked.values() if array.ndim), default=1)
        return cls(checked, length, True, kind)


class FeatureReader:
    """Reads the features of one model.

    Features are an object with a value per input tensor, or per column by `feature_names`; or, positional, the
    value of the only input, or a list with one value per input; or a list of objects, one a row. A value with
    one dimension less than its tensor is one row. With `missing_values`, null is NaN or empty text.
    """

    def __init__(
        self, signature: Signature, feature_names: tuple[str, ...] = (), *, missing_values: bool = False
    ) -> None:
        self._signature = signature
        self._specs = {spec.name: spec for spec in signature.inputs}
        self._only = signature.inputs[0] if len(signature.inputs) == 1 else None
        self._columns = feature_names
        self._missing_values = missing_values
        # JSON has no NaN: where one is, null was sent.
        self._can_hold = (lambda array: ~np.isinf(array)) if missing_values else np.isfinite
        self._strict = _strict_decoders(self._only) if self._only else []
        self._width = _width(self._only) if self._only else None

    def read(self, features: bytes) -> Rows:
        """The tensors that `features`, JSON, stand for.

        Raises `InvalidInput` that names the tensor, what was expected and what came.
        """
        if (value := self._of_the_right_type(features)) is not None:
            named = self._named(value)
            return self._plain(named) or self._one(named, rows=False, checked=True)
        value = _decoded(features, "is not JSON")
        if isinstance(value, str) and value[:1] in ("{", "[") and not self._takes_text():
            value = _decoded(value, "is text that is not JSON")
        named = self._named(value)
        rows = isinstance(value, list) and bool(value) and isinstance(value[0], dict)
        return self._one(named, rows) if len(named) == 1 else self._several(named, rows)

    def _of_the_right_type(self, features: bytes) -> Any:
        """A row or rows, by name or place, whose values a decoder has found to be of the input's type; else None."""
        for place, decoder in enumerate(self._strict):
            try:
                value = decoder.decode(features)
            except (ValueError, RecursionError):
                continue
            if place:  # callers tend to send what they sent before
                self._strict.reverse()
            return value
        return None

    def _plain(self, named: dict[str, Any]) -> Rows | None:
        """Numbers of the right type as they came, where their shape is right as well."""
        if self._width is None:
            return None
        ((_, value),) = named.items()
        many = bool(value) and type(value[0]) is list
        rows = value if many else [value]
        return Rows({}, len(rows), many, (self._width,), rows) if set(map(len, rows)) == {self._width} else None

    def stacked(self, requests: Sequence[Rows]) -> dict[str, Array]:
        """The tensors of a run. Raises `InvalidInput` for a value that their type cannot hold."""
        tensors = self._joined(requests)
        for name, array in tensors.items():
            if array.dtype.kind == "f" and not np.logical_and.reduce(self._can_hold(array), axis=None):
                raise _refused(self._specs[name], "a number that this type cannot hold")
        return tensors

    def _joined(self, requests: Sequence[Rows]) -> dict[str, Array]:
        plain = [rows.plain for rows in requests if rows.plain is not None]
        if len(plain) == len(requests):
            return self._array(list(chain.from_iterable(plain)))
        tensors = [rows.tensors if rows.plain is None else self._array(rows.plain) for rows in requests]
        if len(tensors) == 1:
            return tensors[0]
        return {name: np.concatenate([each[name] for each in tensors]) for name in tensors[0]}

    def _array(self, rows: list[list[float]]) -> dict[str, Array]:
        assert self._only is not None and self._width is not None
        with np.errstate(over="ignore"):
            numbers = np.fromiter(
                chain.from_iterable(rows), dtype=numpy_dtype(self._only), count=len(rows) * self._width
            )
        return {self._only.name: numbers.reshape(len(rows), self._width)}

    def _named(self, value: Any) -> dict[str, Any]:
        if isinstance(value, dict):
            if value.keys() == self._specs.keys():
                return value
            if self._only is not None and self._columns and not value.keys() & self._specs.keys():
                return {self._only.name: self._row(value)}
            return self._mismatched(value)
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return self._records(value)
        if self._only is not None:
            return {self._only.name: value}
        if isinstance(value, list) and len(value) == len(self._specs):
            return dict(zip(self._specs, value, strict=True))
        raise InvalidInput.of("features", f"the model has {len(self._specs)} inputs; name them: {self._expected()}")

    def _row(self, value: dict[str, Any]) -> list[Any]:
        for name in self._columns:
            if name not in value:
                raise InvalidInput.of(f"features.{name}", "is missing; the features are " + ", ".join(self._columns))
        for name in value:
            if name not in self._columns:
                raise InvalidInput.of(f"features.{name}", "is unknown; the features are " + ", ".join(self._columns))
        return [value[name] for name in self._columns]

    def _records(self, rows: list[Any]) -> dict[str, Any]:
        if not all(isinstance(row, dict) for row in rows):
            raise InvalidInput.of("features", "mixes objects and other values; send one object per row")
        named = [self._named(row) for row in rows]
        return {name: [row[name] for row in named] for name in named[0]}

    def _mismatched(self, value: dict[str, Any]) -> dict[str, Any]:
        for name in value:
            if name not in self._specs:
                raise InvalidInput.of(f"features.{name}", f"the model has no such input; expected {self._expected()}")
        missing = next(name for name in self._specs if name not in value)
        raise InvalidInput.of(f"features.{missing}", f"is missing; expected {self._specs[missing]}")

    def _one(self, named: dict[str, Any], rows: bool, *, checked: bool = False) -> Rows:
        ((name, value),) = named.items()
        array, many = self._tensor(name, value, rows, checked=checked)
        return Rows({name: array}, len(array) if array.ndim else 1, many, array.shape[1:])

    def _several(self, named: dict[str, Any], rows: bool) -> Rows:
        read = {name: self._tensor(name, value, rows) for name, value in named.items()}
        tensors = {name: array for name, (array, _) in read.items()}
        self._check_lengths(tensors)
        length = max((array.shape[0] for array in tensors.values() if array.ndim), default=1)
        kind = tuple(array.shape[1:] for array in tensors.values())
        return Rows(tensors, length, any(many for _, many in read.values()), kind)

    def _tensor(self, name: str, value: Any, rows: bool, *, checked: bool = False) -> tuple[Array, bool]:
        spec = self._specs[name]
        if self._missing_values and not checked and (missing := _MISSING.get(numpy_dtype(spec).kind)) is not None:
            value = _filled(value, missing)
        return _tensor(spec, value, rows, checked=checked)

    def _check_lengths(self, tensors: dict[str, Array]) -> None:
        lengths = {name: len(tensors[name]) for name, spec in self._specs.items() if spec.shape[:1] == (None,)}
        if len(set(lengths.values())) > 1:
            counts = ", ".join(f"{name} has {length}" for name, length in lengths.items())
            raise InvalidInput.of("features", f"inputs differ in their number of rows: {counts}")

    def _takes_text(self) -> bool:
        return self._only is not None and self._only.dtype == "string"

    def _expected(self) -> str:
        return ", ".join(f"{spec.name}: {spec}" for spec in self._signature.inputs)


def _decoded(features: bytes | str, fault: str) -> Any:
    try:
        return msgspec.json.decode(features)
    except (ValueError, RecursionError) as error:
        raise InvalidInput.of("features", f"{fault}: {error}") from error


def _strict_decoders(spec: TensorSpec) -> list[msgspec.json.Decoder[Any]]:
    """Decoders of one row and of many, by the input's name or by place, which refuse everything else."""
    kind: Any = {"f": float, "i": int, "u": int}.get(numpy_dtype(spec).kind)
    if kind is None:
        return []
    return [
        msgspec.json.Decoder(dict[str, value] | value)  # type: ignore[valid-type]  # a type that is made here
        for value in (list[kind], list[list[kind]])
    ]


def _width(spec: TensorSpec) -> int | None:
    """The numbers in a row, where rows are vectors of floating-point numbers of a fixed length."""
    is_vector = numpy_dtype(spec).kind == "f" and len(spec.shape) == 2 and spec.shape[0] is None
    return spec.shape[1] if is_vector else None


def _filled(value: Any, missing: float | str) -> Any:
    """`value` with `missing` for every null in it."""
    if isinstance(value, list):
        return [_filled(item, missing) for item in value]
    return missing if value is None else value


def _tensor(spec: TensorSpec, value: Any, rows: bool, *, checked: bool = False) -> tuple[Array, bool]:
    wanted = numpy_dtype(spec)
    # Asked first, because NumPy would make numbers of true, text of numbers, and all text as wide as the widest.
    if not checked and not (kinds := _kinds(value)) <= _ACCEPTED[wanted.kind]:
        raise _refused(spec, _told(kinds))
    try:
        with np.errstate(over="ignore"):
            given = np.array(value, dtype=wanted)
    except OverflowError as error:
        raise _refused(spec, f"integers out of its range: {error}") from error
    except ValueError as error:
        raise _refused(spec, "rows of different lengths" if "inhomogeneous" in str(error) else str(error)) from error
    if given.dtype.kind == "O" and list in set(map(type, given.ravel().tolist())):
        raise _refused(spec, "rows of different lengths")
    return _shaped(spec, given, rows)


def _kinds(value: Any) -> set[type]:
    """The types of the values in nested lists; `list` among them where lists stand beside other values."""
    level = [value]
    while (kinds := set(map(type, level))) == {list}:
        level = list(chain.from_iterable(level))
    return kinds


def _told(kinds: set[type]) -> str:
    if list in kinds:
        return "rows of different lengths"
    if kinds == {int, float}:
        return "numbers"
    return _KINDS[next(iter(kinds))] if len(kinds) == 1 and kinds <= _KINDS.keys() else "mixed or null values"


def _shaped(spec: TensorSpec, array: Array, rows: bool) -> tuple[Array, bool]:
    """The array in the tensor's rank, and whether the caller sent rows; `rows`: it did, by objects."""
    rank = len(spec.shape)
    if array.ndim == rank and fits(spec, array.shape):
        return array, rank > 0
    if array.ndim == rank - 1 and not rows and fits(spec, (1, *array.shape)):
        return array[np.newaxis], False
    if rank == 2 and spec.shape[1] == 1 and array.ndim < 2:
        column = array.reshape(-1, 1)
        if fits(spec, column.shape):
            return column, array.ndim == 1
    raise _refused(spec, f"shape {list(array.shape)}")


def _refused(spec: TensorSpec, came: str) -> InvalidInput:
    return InvalidInput.of(f"features.{spec.name}", f"expected {spec}, got {came}")
