"""How each public function of arrays is called with arrays of any length."""

from __future__ import annotations

import ast
import inspect
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


def samples(length: int, seed: int) -> Any:
    """Of counts in twenty cells each."""
    return counts(length, seed).reshape(-1, 20)


def rows(length: int, seed: int) -> Any:
    """A matrix of ten columns and as many cells."""
    return np.random.default_rng(seed).normal(size=(length // 10, 10))


def tenth(length: int, seed: int) -> Any:
    """A value for each row of `rows`."""
    return numbers(length // 10, seed)


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
        subject: makes, from the length, the object whose method it is; None calls the class without arguments.
        share: the length is divided by this, where a value costs so much time that the whole would take minutes.
        held: how many arrays as large as the first argument the subject holds, where it grows with the arguments.
    """

    arguments: tuple[Make, ...]
    options: dict[str, Any] = field(default_factory=dict)
    subject: Callable[[int], Any] | None = None
    share: int = 1
    held: int = 0


def _profile(length: int) -> Any:
    return _stats.Profile(_stats.Baseline(column(1_000, 0)))


def _profile_of_ten(length: int) -> Any:
    columns = np.ascontiguousarray(rows(10_000, 0).T)
    return _stats.Profile(_stats.Baseline({f"feature_{place}": values for place, values in enumerate(columns)}))


def _pca(length: int) -> Any:
    return _stats.PcaReference.fit(rows(10_000, 0))


def _performance(length: int) -> Any:
    return _stats.PerformanceEstimator.fit(probabilities(1_000, 0), outcomes(1_000, 1), outcomes(1_000, 2))


def _loss(length: int) -> Any:
    return _stats.LossEstimator.fit(rows(10_000, 0), tenth(10_000, 1), tenth(10_000, 2))


_RESAMPLED = {"resamples": 100}
_NUMBERS = ArrayCall((numbers,))
_SAMPLES = ArrayCall((numbers, numbers))
_COUNTS = ArrayCall((counts, counts))
_P_VALUES = ArrayCall((probabilities,))
_TEXTS = ArrayCall((texts,))
_SCORED = ArrayCall((outcomes, probabilities), _RESAMPLED, share=10)
_PREDICTED = ArrayCall((numbers, numbers), _RESAMPLED, share=10)
_ARROW = ArrayCall((offsets, letters), share=10)

CALLS: dict[str, ArrayCall] = {
    "Adwin.update_many": _NUMBERS,
    "Baseline.__new__": ArrayCall((column,)),
    "BoundedMeanSequence.update": ArrayCall((probabilities,)),
    "Categories.update": _TEXTS,
    "Categories.update_arrow": _ARROW,
    "Ddm.update_many": ArrayCall((outcomes,)),
    "DistinctCount.update": _TEXTS,
    "DistinctCount.update_arrow": _ARROW,
    "DriftEvidence.__new__": ArrayCall((counts,)),
    # The reference's counts, all counts seen, and those of the current epochs of two horizons.
    "DriftEvidence.update": ArrayCall(
        (counts,), subject=lambda length: _stats.DriftEvidence(counts(length, 0)), held=4
    ),
    "Kswin.update_many": ArrayCall((numbers,), share=10),
    "Latency.update": ArrayCall((probabilities,)),
    "LossEstimator.estimate": ArrayCall((rows, tenth), subject=_loss),
    "LossEstimator.fit": ArrayCall((rows, tenth, tenth), share=4),
    "MeanSequence.update": _NUMBERS,
    "MmdReference.fit": ArrayCall((rows,)),
    "MmdReference.test": ArrayCall((rows,), subject=lambda length: _stats.MmdReference.fit(rows(10_000, 0))),
    "PageHinkley.update_many": _NUMBERS,
    "PcaReference.errors": ArrayCall((rows,), subject=_pca),
    "PcaReference.fit": ArrayCall((rows,)),
    "PcaReference.test": ArrayCall((rows,), subject=_pca),
    "PerformanceEstimator.estimate": ArrayCall((probabilities, outcomes), subject=_performance),
    "PerformanceEstimator.fit": ArrayCall((probabilities, outcomes, outcomes)),
    "Profile.update": ArrayCall((column,), subject=_profile),
    "Profile.update_rows": ArrayCall((rows,), subject=_profile_of_ten),
    "Quantiles.update": _NUMBERS,
    "RateSequence.update": ArrayCall((outcomes,)),
    "Reference.__new__": _NUMBERS,
    "Reference.count": ArrayCall((numbers,), subject=lambda length: _stats.Reference(numbers(1_000, 0))),
    "SortedReference.__new__": _NUMBERS,
    "anderson_darling_test": _SAMPLES,
    "average_precision": _SCORED,
    "benjamini_hochberg": _P_VALUES,
    "benjamini_yekutieli": _P_VALUES,
    "binned_ks_test": _COUNTS,
    "binned_wasserstein_distance": ArrayCall((counts, counts, lambda length, seed: np.arange(float(length)))),
    "brier_score": _SCORED,
    "chi_square_test": _COUNTS,
    "confusion_matrix": ArrayCall((outcomes, outcomes)),
    "cosine_shift_test": ArrayCall((rows, rows), {"permutations": 99}, share=10),
    "cramer_von_mises_test": _SAMPLES,
    "e_benjamini_hochberg": _P_VALUES,
    "each_against_others": ArrayCall((samples,)),
    "energy_distance": _SAMPLES,
    "expected_calibration_error": _SCORED,
    "g_test": _COUNTS,
    "hellinger_distance": _COUNTS,
    "holm": _P_VALUES,
    "jensen_shannon_distance": _COUNTS,
    "ks_test": _SAMPLES,
    "kullback_leibler_divergence": _COUNTS,
    "log_loss": _SCORED,
    "mann_whitney_test": _SAMPLES,
    "maximum_calibration_error": _SCORED,
    "mean_absolute_error": _PREDICTED,
    "moments": _NUMBERS,
    "paired_shift": _SAMPLES,
    "psi": _COUNTS,
    "r_squared": _PREDICTED,
    "reliability_curve": ArrayCall((outcomes, probabilities)),
    "roc_auc": _SCORED,
    "root_mean_squared_error": _PREDICTED,
    "signed_rank_test": _SAMPLES,
    "total_variation_distance": _COUNTS,
    "wasserstein_distance": _SAMPLES,
}
"""By their names in edge_aiops._stats; a method as Class.method, a constructor as Class.__new__."""

FIXED_SIZE = {
    "ConfusionMatrix.of_counts": "cells of pairs of classes",
    "Profile.update_row": "one event",
    "fisher_exact_test": "four cells",
}
"""Functions whose arrays do not grow with the data, and what they hold."""


def prepare(name: str, length: int) -> tuple[Callable[[], object], int]:
    """The call, and how many bytes its input has: its arguments and what grows with them in its subject."""
    call = CALLS[name]
    shared = length // call.share
    arguments = [make(shared, seed) for seed, make in enumerate(call.arguments)]
    function = partial(_function(name, call, shared), *arguments, **call.options)
    return function, sum(map(_bytes, arguments)) + call.held * _bytes(arguments[0])


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


def _function(name: str, call: ArrayCall, length: int) -> Callable[..., object]:
    owner, _, method = name.rpartition(".")
    if not owner:
        return getattr(_stats, name)
    kind = getattr(_stats, owner)
    if method == "__new__":
        return kind
    if isinstance(inspect.getattr_static(kind, method), staticmethod):
        return getattr(kind, method)
    return getattr(call.subject(length) if call.subject else kind(), method)


def _bytes(argument: Any) -> int:
    """The size of an array, of a mapping's arrays, or of a list's pointers."""
    if isinstance(argument, dict):
        return sum(map(_bytes, argument.values()))
    return argument.nbytes if isinstance(argument, np.ndarray) else sys.getsizeof(argument)
