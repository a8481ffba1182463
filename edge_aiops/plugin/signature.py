"""What a model takes and gives: names, element types and shapes of its tensors."""

from __future__ import annotations

from msgspec import Struct

DTYPES = frozenset(
    {"bool", "float16", "float32", "float64", "string"}
    | {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
)
"""Element types by NumPy's names; `string` is an array of Python `str` with dtype object."""


class TensorSpec(Struct, frozen=True):
    """One tensor of a model. `shape` holds a number for a fixed dimension and None for a free one."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise ValueError(f"tensor {self.name!r}: {self.dtype!r} is not one of {sorted(DTYPES)}")

    def __str__(self) -> str:
        sizes = ", ".join("any" if size is None else str(size) for size in self.shape)
        return f"{self.dtype}[{sizes}]"


class Signature(Struct, frozen=True):
    """The inputs and outputs of a model, in the model's own order."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    @property
    def batchable(self) -> bool:
        """Whether rows of different requests may share one run: every tensor's first dimension is free."""
        return bool(self.inputs) and all(spec.shape[:1] == (None,) for spec in (*self.inputs, *self.outputs))
