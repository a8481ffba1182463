"""How each public function of arrays is called with arrays of any length."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from edge_aiops import _stats

Make = Callable[[int, int], Any]
"""Makes an argument from a length and a seed: an array, or a list of texts."""


def numbers(length: int, seed: int) -> Any:
    """Standard normal values."""
    return np.random.default_rng(seed).normal(size=length)


def probabilities(length: int, seed: int) -> Any:
    """Values between 0 and 1; also p-values."""
    return np.random.default_rng(seed).random(length)


def outcomes(length: int, seed: int) -> Any:
    """Zeros and ones."""
    return np.random.default_rng(seed).integers(0, 2, length)


def counts(length: int, seed: int) -> Any:
    """Counts of as many cells."""
    return np.random.default_rng(seed).integers(0, 1_000, length)


def rows(length: int, seed: int) -> Any:
    """A matrix of ten columns and as many cells."""
    return np.random.default_rng(seed).normal(size=(length // 10, 10))


def texts(length: int, seed: int) -> Any:
    """Texts of 50 kinds, each kind one object."""
    kinds = [f"category-{place:02}" for place in range(50)]
    return [kinds[place] for place in np.random.default_rng(seed).integers(0, 50, length).tolist()]


def offsets(length: int, seed: int) -> Any:
    """Where texts of eight bytes begin, as Arrow has it."""
    return np.arange(0, 8 * (length + 1), 8)


def letters(length: int, seed: int) -> Any:
    """The bytes of as many texts of eight."""
    return np.random.default_rng(seed).integers(ord("a"), ord("c"), 8 * length, dtype=np.uint8)


def column(length: int, seed: int) -> Any:
    """A mapping with one feature."""
    return {"feature": numbers(length, seed)}


@dataclass(frozen=True, slots=True)
class ArrayCall:
    """One function and its arguments.

    Args:
        arguments: what makes each positional argument.
        options: keyword arguments.
        subject: makes the object whose method it is; None calls the class without arguments.
        share: the length is divided by this, where a value costs so much time that the whole would take minutes.
    """

    arguments: tuple[Make, ...]
    options: dict[str, Any] = field(default_factory=dict)
    subject: Callable[[], Any] | None = None
    share: int = 1


def _profile() -> Any:
    return _stats.Profile(_stats.Baseline(column(1_000, 0)))


def _profile_of_ten() -> Any:
    columns = rows(10_000, 0).T
    return _stats.Profile(
        _stats.Baseline({f"feature_{place}": np.ascontiguousarray(values) for place, values in enumerate(columns)})
    )


_NUMBERS = ArrayCall((numbers,))
_SAMPLES = ArrayCall((numbers, numbers))
_COUNTS = ArrayCall((counts, counts))
_P_VALUES = ArrayCall((probabilities,))
_TEXTS = ArrayCall((texts,))
_ARROW = ArrayCall((offsets, letters), share=10)

CALLS: dict[str, ArrayCall] = {
    "Baseline.__new__": ArrayCall((column,)),
    "Categories.update": _TEXTS,
    "Categories.update_arrow": _ARROW,
    "DistinctCount.update": _TEXTS,
    "DistinctCount.update_arrow": _ARROW,
    "Latency.update": ArrayCall((probabilities,)),
    "Profile.update": ArrayCall((column,), subject=_profile),
    "Profile.update_rows": ArrayCall((rows,), subject=_profile_of_ten),
    "Quantiles.update": _NUMBERS,
    "Reference.__new__": _NUMBERS,
    "Reference.count": ArrayCall((numbers,), subject=lambda: _stats.Reference(numbers(1_000, 0))),
    "benjamini_hochberg": _P_VALUES,
    "benjamini_yekutieli": _P_VALUES,
    "binned_ks_test": _COUNTS,
    "binned_wasserstein_distance": ArrayCall((counts, counts, lambda length, seed: np.arange(float(length)))),
    "chi_square_test": _COUNTS,
    "e_benjamini_hochberg": _P_VALUES,
    "g_test": _COUNTS,
    "hellinger_distance": _COUNTS,
    "jensen_shannon_distance": _COUNTS,
    "kullback_leibler_divergence": _COUNTS,
    "moments": _NUMBERS,
    "psi": _COUNTS,
    "total_variation_distance": _COUNTS,
}
"""By their names in edge_aiops._stats; a method as Class.method, a constructor as Class.__new__."""

FIXED_SIZE = {"Profile.update_row": "one event", "fisher_exact_test": "four cells"}
"""Functions whose arrays have a size that cannot grow, and what it is."""


def prepare(name: str, length: int) -> tuple[Callable[[], object], int]:
    """The call, and how many bytes its arguments have."""
    call = CALLS[name]
    arguments = [make(length // call.share, seed) for seed, make in enumerate(call.arguments)]
    return partial(_function(name, call), *arguments, **call.options), sum(map(_bytes, arguments))


def functions_of_arrays() -> list[str]:
    """The public functions and methods that take arrays whose size is the caller's, as the stub declares them."""
    stub = ast.parse((Path(_stats.__file__).parent / "_stats.pyi").read_text("utf-8"))
    return [name for name in _taking_arrays(stub) if name not in FIXED_SIZE]


def _taking_arrays(stub: ast.Module) -> Iterator[str]:
    aliases = {"NDArray"}
    for statement in stub.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            if _names(statement.value) & aliases:
                aliases.add(statement.target.id)
        elif isinstance(statement, ast.ClassDef):
            methods = [method for method in statement.body if isinstance(method, ast.FunctionDef)]
            yield from (f"{statement.name}.{method.name}" for method in methods if _takes(method, aliases))
        elif isinstance(statement, ast.FunctionDef) and _takes(statement, aliases):
            yield statement.name


def _takes(function: ast.FunctionDef, aliases: set[str]) -> bool:
    return bool(_names(function.args) & aliases)


def _names(node: ast.AST | None) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} if node else set()


def _function(name: str, call: ArrayCall) -> Callable[..., object]:
    owner, _, method = name.rpartition(".")
    if not owner:
        return getattr(_stats, name)
    kind = getattr(_stats, owner)
    if method == "__new__":
        return kind
    subject = call.subject() if call.subject else kind()
    return getattr(subject, method)


def _bytes(argument: Any) -> int:
    """The size of an array, of a mapping's arrays, or of a list's pointers."""
    if isinstance(argument, dict):
        return sum(map(_bytes, argument.values()))
    return argument.nbytes if isinstance(argument, np.ndarray) else sys.getsizeof(argument)
