"""All that is public in edge_aiops.stats, found by reflection, and what its parameters are to be given.

A new function needs a line here only where it has a parameter of a new name, a new class only an example of itself;
`test_the_table_has_everything` says which.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge_aiops import stats
from edge_aiops.stats import drift, estimation, evidence, metrics, multivariate, streaming, summaries

from . import arrays
from .arrays import Generator, pick

FACES = [
    stats,
    *(
        importlib.import_module(f"{stats.__name__}.{found.name}")
        for found in pkgutil.iter_modules(stats.__path__)
        if found.name not in ("files", "descriptions")
    ),
]
"""The modules of edge_aiops.stats, but for those of files and descriptions, which have hostile tests of their own."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many rows, columns and cells the arguments of one call have in common."""

    n: int
    columns: int
    cells: int

    @classmethod
    def drawn(cls, random: Generator) -> Size:
        """Mostly small, and often none or one."""
        return cls(pick(random, [0, 1, 2, 3, 5, 12, 40, 120]), pick(random, [1, 1, 2, 3]), pick(random, [2, 2, 3, 10]))


def public() -> dict[str, Any]:
    """Every public name of edge_aiops.stats and of its modules, and what it is."""
    return {name: getattr(face, name) for face in FACES for name in face.__all__}


@functools.cache
def classes() -> dict[str, type]:
    """Every public class that is no exception."""
    return {n: thing for n, thing in public().items() if isinstance(thing, type) and not issubclass(thing, Exception)}


@functools.cache
def getters(kind: type) -> list[str]:
    """The names of the properties of a class."""
    return [name for name, thing in vars(kind).items() if inspect.isgetsetdescriptor(thing)]


@functools.cache
def methods(kind: type) -> list[str]:
    """The names of the public methods of a class that an instance is needed for."""
    return [name for name, thing in vars(kind).items() if inspect.ismethoddescriptor(thing) and _is_called(name)]


def _is_called(name: str) -> bool:
    return name[0] != "_" or name in ("__getitem__", "__contains__")


def _callables() -> Iterator[tuple[str, Any]]:
    for name, thing in public().items():
        if not isinstance(thing, type):
            yield name, thing
        elif not issubclass(thing, Exception):
            if "__new__" in vars(thing):
                yield name, thing
            static = [key for key, member in vars(thing).items() if isinstance(member, staticmethod) and key[0] != "_"]
            yield from ((f"{name}.{key}", getattr(thing, key)) for key in static)
            yield from ((f"{name}.{key}", getattr(thing, key)) for key in methods(thing))


CALLABLES: dict[str, Any] = dict(_callables())
"""Every function, constructor and method by its name; methods take the object first, as `self`."""

Make = Callable[[Generator, Size], Any]


def _whole(*options: int) -> Make:
    return lambda random, size: pick(random, options)


def _one_of(*options: Any) -> Make:
    return lambda random, size: pick(random, options)


def _numbers(random: Generator, size: Size) -> np.ndarray:
    return arrays.numbers(random, size.n)


def _counts(random: Generator, size: Size) -> np.ndarray:
    return arrays.counts(random, size.cells)


def _mask(random: Generator, size: Size) -> Any:
    return arrays.mask(random, size.n)


def _labels(random: Generator, size: Size) -> Any:
    return arrays.labels(random, size.n)


def _matrix(random: Generator, size: Size) -> np.ndarray:
    return arrays.matrix(random, size.n, size.columns)


def _shared_matrix(random: Generator, size: Size) -> np.ndarray:
    """A matrix of the shape that the examples have, so that more than the shape is looked at."""
    return arrays.matrix(random, size.n, 2)


def _share(random: Generator, size: Size) -> float:
    return float(pick(random, [0.05, 0.5, 1e-9, 1 - 1e-9, random.random()]))


def _number(random: Generator, size: Size) -> float:
    return float(pick(random, arrays.CONTENTS)(random, 1)[0])


def _binary(random: Generator, size: Size) -> np.ndarray:
    if random.random() < 0.2:
        return _numbers(random, size)
    return arrays.laid_out(random, arrays.cast(random.integers(0, 2, size=size.n), pick(random, arrays.NUMBERS)))


def _classes(random: Generator, size: Size) -> np.ndarray:
    if random.random() < 0.2:
        return _numbers(random, size)
    return arrays.laid_out(random, random.integers(0, 3, size=size.n))


def _probabilities(random: Generator, size: Size) -> np.ndarray:
    if random.random() < 0.2:
        return _numbers(random, size)
    values = np.round(random.random(size.n), int(random.integers(1, 8)))
    values[random.random(size.n) < pick(random, [0, 0, 0.2])] = pick(random, [np.nan, 0.0, 1.0])
    return arrays.laid_out(random, values)


def _class_probabilities(random: Generator, size: Size) -> np.ndarray:
    if random.random() < 0.5:
        return _probabilities(random, size)
    return random.dirichlet(np.ones(pick(random, [2, 3])), size=size.n)


def _p_values(random: Generator, size: Size) -> Any:
    values = random.random(size.n) ** 3
    return values if random.random() < 0.5 else [None if value < 0.1 else float(value) for value in values]


def _offsets(random: Generator, size: Size) -> np.ndarray:
    return np.sort(random.integers(0, 12, size=size.n + 1)).astype(pick(random, ["int32", "int64"]))


def _column(random: Generator, size: Size) -> Any:
    column = pick(random, [_numbers, _labels])(random, size)
    return (column, _mask(random, size)) if random.random() < 0.2 else column


def _columns(random: Generator, size: Size) -> dict[str, Any]:
    """Of a profile's features, or others."""
    made = {"x": _numbers(random, size), "label": _labels(random, size)}
    if random.random() < 0.5:
        made["x"] = (_numbers(random, size), _mask(random, size) if size.n % 2 else np.zeros(size.n, dtype=bool))
    if random.random() < 0.3:
        made[pick(random, ["x", "label", "", "more"])] = _column(random, size)
    if random.random() < 0.1:
        made[pick(random, ["x", "label"])] = arrays.anything(random, size.n)
    return made


def _baseline_columns(random: Generator, size: Size) -> dict[Any, Any]:
    made: dict[Any, Any] = _columns(random, size)
    if random.random() < 0.3:
        prepared = [example(random, summaries.Reference), example(random, summaries.Categories)]
        made["prepared"] = pick(random, prepared)
    if random.random() < 0.1:
        return {}
    return made


def _ranges(random: Generator, size: Size) -> Any:
    low = _number(random, size)
    return pick(
        random, [None, {"x": (-1.0, 1.0)}, {"x": (low, _number(random, size))}, {"other": (0, 1)}, {"label": (0, 1)}]
    )


def _event(random: Generator, size: Size) -> dict[str, Any]:
    made = {"x": _number(random, size), "label": pick(random, ["a", "b", "", 1, True, None])}
    if random.random() < 0.5:
        made[pick(random, ["x", "label", "more"])] = arrays.scalar(random)
    return made


def _row(random: Generator, size: Size) -> np.ndarray:
    return arrays.numbers(random, pick(random, [1, 2, 2, 3]))


def _rows(random: Generator, size: Size) -> np.ndarray:
    return arrays.matrix(random, size.n, pick(random, [0, 1, 2, 2, 3]))


def _another(*kinds: type) -> Make:
    return lambda random, size: example(random, pick(random, kinds))


def _reference(random: Generator, size: Size) -> Any:
    return example(random, drift.SortedReference) if random.random() < 0.2 else _numbers(random, size)


def _samples(random: Generator, size: Size) -> tuple[np.ndarray, ...]:
    return tuple(_numbers(random, size) for _ in range(int(random.integers(0, 5))))


def _bytes(random: Generator, size: Size) -> bytes:
    return random.bytes(size.n)


def _parts(random: Generator, size: Size) -> list[bytes]:
    kind = pick(random, [summaries.Profile, summaries.Latency])
    return [b"" if random.random() < 0.05 else example(random, kind).to_bytes() for _ in range(size.columns)]


def _known(random: Generator, size: Size) -> list[str]:
    return [pick(random, "abcde") for _ in range(size.columns)]


def _names(random: Generator, size: Size) -> set[str]:
    return set(_known(random, size))


def _names_by_feature(random: Generator, size: Size) -> dict[str, set[str]]:
    return {pick(random, ["x", "label", "none"]): _names(random, size) for _ in range(size.columns)}


def _quantiles(random: Generator, size: Size) -> list[float]:
    return [_share(random, size) for _ in range(size.columns)]


_SMALL = _whole(0, 1, 2, 3, 7, 100)

PARAMETERS: dict[str, Make] = {
    "alpha": _share,
    "alpha_opt": _share,
    "bandwidth": _one_of(None, 0.5, 1.0, 1e-300, 1e300),
    "baseline": _another(summaries.Baseline),
    "binning": _one_of("equal-width", "equal-mass"),
    "bins": _whole(2, 3, 10, 64, 1000),
    "capacity": _whole(2, 3, 8, 256),
    "cells": _SMALL,
    "classes": lambda random, size: list(range(size.cells)),
    "clock": _whole(1, 2, 32),
    "columns": _columns,
    "comparison": _one_of("chi_square", "g", "fisher", "psi", "hellinger", "none"),
    "concentrations": _one_of([1e2, 1e3, 1e4], [1.0], [1e-6, 1e12]),
    "confidence": _share,
    "counted": _another(summaries.Categories),
    "counts": lambda random, size: arrays.counts(random, size.cells**2).reshape(size.cells, size.cells),
    "current": _numbers,
    "current_counts": _counts,
    "data": _bytes,
    "degrees": _number,
    "delta": _share,
    "deviation": _one_of(None, 1.0, 1e-300, 1e300),
    "drift_threshold": _one_of(3.0, 2.0, 10.0),
    "duration": _number,
    "effect_windows": _whole(1, 2, 12),
    "durations": lambda random, size: np.abs(_numbers(random, size)) if size.n % 2 else _numbers(random, size),
    "e_values": lambda random, size: np.exp(random.normal(size=size.n) * 3),
    "event": _event,
    "explained_variance": _share,
    "failures": _whole(0, 1, 1000, 2**40, 2**63 - 1),
    "features": _shared_matrix,
    "frequencies": _whole(1, 2, 16, 256),
    "grace_period": _SMALL,
    "horizons": _one_of([None], [None, 3], [1, 2, 3]),
    "label": _one_of("a", "b", "", None, "é", "x" * 500),
    "labels": _binary,
    "lg_k": _whole(4, 7, 12, 21),
    "lower": _number,
    "max_buckets": _whole(1, 2, 5),
    "method": _one_of("auto", "exact", "asymptotic"),
    "metric": _one_of("mean_absolute_error", "mean_squared_error", "root_mean_squared_error"),
    "min_effect": _share,
    "min_instances": _SMALL,
    "min_window_length": _SMALL,
    "missing": _mask,
    "missing_current": _mask,
    "missing_reference": _mask,
    "mode": _one_of("up", "down", "both"),
    "moments": _another(summaries.Moments),
    "n": _SMALL,
    "n_current": _SMALL,
    "n_reference": _SMALL,
    "name": _one_of("x", "label", "none"),
    "null": _number,
    "key": _one_of("x", "label", "none"),
    "known": _known,
    "of": _one_of(0, 1, 2, "macro", "micro", "weighted"),
    "offsets": _offsets,
    "one_sided": _one_of(True, False),
    "outcomes": _binary,
    "p_values": _p_values,
    "parts": _parts,
    "permutations": _whole(99, 100, 199),
    "positions": lambda random, size: np.sort(random.normal(size=size.cells)),
    "predictions": _binary,
    "probabilities": _probabilities,
    "profiles": lambda random, size: [example(random, summaries.Profile) for _ in range(size.columns)],
    "q": _share,
    "qs": _quantiles,
    "quantiles": _one_of(False, True),
    "ranges": _ranges,
    "reference": _reference,
    "reference_counts": _counts,
    "resamples": _whole(0, 100, 100, 150),
    "row": _row,
    "rows": _rows,
    "samples": _samples,
    "scores": _numbers,
    "seed": _whole(0, 1, 2**32),
    "standardise": _one_of(True, False),
    "stat_size": _whole(1, 2, 5, 30),
    "steps": _whole(2, 16, 256),
    "successes": _whole(0, 1, 1000, 2**40, 2**63 - 1),
    "text": _one_of("a", "b", "", "é", "x" * 500),
    "threads": _whole(1, 1, 2, 64),
    "threshold": _one_of(50.0, 1.0, 1e-9, 1e300),
    "tightest_at": _whole(1, 10, 1000, 2**40),
    "upper": _number,
    "v": _number,
    "v_opt": _one_of(1.0, 100.0, 1e-300, 1e300),
    "value": _number,
    "values": _numbers,
    "warm_start": _SMALL,
    "warning_threshold": _one_of(2.0, 1.0, 3.0),
    "window": _another(summaries.Profile),
    "window_size": _whole(2, 10, 60, 100),
    **dict.fromkeys("abpxz", _number),
}
"""What a parameter of each name is given where nothing is wrong with it but, perhaps, the values."""

PARTICULAR: dict[str, Make] = {
    "Baseline.columns": _baseline_columns,
    "Categories.pooled.keep": _names,
    "Categories.update.values": _labels,
    "ConfusionMatrix.merge.other": _another(metrics.ConfusionMatrix),
    "DistinctCount.update.values": _labels,
    "DriftEvidence.update.current_counts": lambda random, size: arrays.counts(random, 4),
    "LossEstimator.fit.labels": _numbers,
    "LossEstimator.fit.predictions": _numbers,
    "LossEstimator.estimate.predictions": _numbers,
    "MmdReference.fit.reference": _matrix,
    "MmdReference.test.current": _shared_matrix,
    "PcaReference.errors.current": _shared_matrix,
    "PcaReference.fit.reference": _matrix,
    "PcaReference.test.current": _shared_matrix,
    "PerformanceEstimator.estimate.probabilities": _class_probabilities,
    "PerformanceEstimator.fit.probabilities": _class_probabilities,
    "Profile.pooled.keep": _names_by_feature,
    "compare.profile": _another(summaries.Profile),
    "confusion_matrix.labels": _classes,
    "confusion_matrix.predictions": _classes,
    "cosine_shift_test.current": _shared_matrix,
    "cosine_shift_test.reference": _shared_matrix,
    "log_loss.labels": _classes,
    "log_loss.probabilities": _class_probabilities,
    "mean_absolute_error.labels": _numbers,
    "mean_absolute_error.predictions": _numbers,
    "r_squared.labels": _numbers,
    "r_squared.predictions": _numbers,
    "root_mean_squared_error.labels": _numbers,
    "root_mean_squared_error.predictions": _numbers,
}
"""The same for a parameter of one callable in which its name means something of its own."""


def maker(callable_name: str, parameter: str) -> Make | None:
    """What makes an argument, or None where the table lacks it."""
    if parameter in ("self", "other"):
        return _another(classes()[callable_name.partition(".")[0]])
    return PARTICULAR.get(f"{callable_name}.{parameter}", PARAMETERS.get(parameter))


def _categories(random: Generator) -> summaries.Categories:
    counted = summaries.Categories(["a", "b"], capacity=pick(random, [2, 4, 256]))
    counted.update(arrays.labels(random, pick(random, [0, 3, 30])))
    return counted


def _counted(random: Generator) -> summaries.Categories:
    counted = summaries.Categories(capacity=pick(random, [2, 256]))
    counted.update([pick(random, "abcdef") for _ in range(20)])
    return counted


def _distinct(random: Generator) -> summaries.DistinctCount:
    counted = summaries.DistinctCount(lg_k=pick(random, [4, 4, 5, 8]))
    counted.update(random.integers(0, 10**6, size=pick(random, [0, 3, 40, 300])))
    return counted


def _quantile_sketch(random: Generator) -> summaries.Quantiles:
    sketch = summaries.Quantiles()
    sketch.update(arrays.numbers(random, pick(random, [0, 1, 5, 300, 1000])))
    return sketch


def _latency(random: Generator) -> summaries.Latency:
    latency = summaries.Latency()
    latency.update(arrays.numbers(random, pick(random, [0, 1, 5, 60])))
    latency.update(random.gamma(2, 50, size=pick(random, [0, 5, 60])))
    return latency


def _small_reference(random: Generator) -> summaries.Reference:
    values = pick(random, [random.normal(size=40), random.integers(0, 3, size=20).astype(float)])
    return summaries.Reference(values, bins=pick(random, [2, 4, 10]))


def _baseline(random: Generator) -> summaries.Baseline:
    labels = [pick(random, "abc") for _ in range(30)]
    columns: dict[str, Any] = {"x": np.sin(np.arange(30.0)), "label": labels}
    if random.random() < 0.3:
        columns["label"] = random.normal(size=30)
    return summaries.Baseline(columns, bins=4, ranges=pick(random, [None, {"x": (-1.0, 1.0)}]))


def _profile(random: Generator) -> summaries.Profile:
    baseline = _baseline(np.random.default_rng(int(random.integers(3))))
    profile = summaries.Profile(baseline, quantiles=random.random() < 0.5)
    n = pick(random, [0, 1, 50])
    kinds = {name: isinstance(baseline[name], summaries.Reference) for name in baseline.names}
    profile.update({name: arrays.numbers(random, n) if number else ["a"] * n for name, number in kinds.items()})
    return profile


def _drift_evidence(random: Generator) -> evidence.DriftEvidence:
    horizons = pick(random, [[None], [None, 2], [None, 288, 12]])
    made = evidence.DriftEvidence(np.array([5, 10, 0, 3]), horizons=horizons)
    for _ in range(int(random.integers(0, 6))):
        made = made.update(random.integers(0, 30, size=4))
    return made


def _watch(random: Generator) -> evidence.DriftWatch:
    profile = example(random, summaries.Profile)
    watch = evidence.DriftWatch(profile.baseline, effect_windows=pick(random, [1, 2, 12]))
    for _ in range(int(random.integers(0, 4))):
        watch.update(profile)
    return watch


def _mean_sequence(random: Generator) -> evidence.MeanSequence:
    deviation = pick(random, [None, None, 1.0])
    return evidence.MeanSequence(deviation=deviation).update(arrays.numbers(random, pick(random, [0, 1, 120])))


def _bounded(random: Generator) -> evidence.BoundedMeanSequence:
    sequence = evidence.BoundedMeanSequence(steps=16)
    return sequence.update(random.random(pick(random, [0, 1, 60])) ** 3)


def _rate_sequence(random: Generator) -> evidence.RateSequence:
    return evidence.RateSequence().update(random.random(pick(random, [0, 1, 60])) < 0.8)


def _detector(kind: Callable[[Generator], Any]) -> Callable[[Generator], Any]:
    def made(random: Generator) -> Any:
        detector = kind(random)
        n = pick(random, [0, 1, 60, 200])
        detector.update_many((random.random(n) < np.where(np.arange(n) < 100, 0.1, 0.8)).astype(float))
        return detector

    return made


def _performance(random: Generator) -> estimation.PerformanceEstimator:
    n = pick(random, [40, 120])
    if random.random() < 0.6:
        scores = np.round(random.random(n), 2)
        return estimation.PerformanceEstimator.fit(scores, scores > 0.5, random.random(n) < scores**2)
    rows = random.dirichlet(np.ones(3), size=n)
    return estimation.PerformanceEstimator.fit(rows, rows.argmax(axis=1), np.arange(n) % 3)


def _loss(random: Generator) -> estimation.LossEstimator:
    features = random.normal(size=(60, 2))
    metric = pick(random, ["mean_absolute_error", "root_mean_squared_error"])
    return estimation.LossEstimator.fit(features, features.sum(axis=1), features[:, 0] ** 2, metric=metric)


def _confusion(random: Generator) -> metrics.ConfusionMatrix:
    n = pick(random, [0, 1, 40])
    return metrics.confusion_matrix(random.integers(0, 3, size=n), random.integers(0, 3, size=n))


def _mmd(random: Generator) -> multivariate.MmdReference:
    rows = random.normal(size=(20, 2))
    return multivariate.MmdReference.fit(rows, frequencies=8, standardise=random.random() < 0.5)


def _pca(random: Generator) -> multivariate.PcaReference:
    rows = random.normal(size=(60, 2)) @ np.array([[1.0, 0.9], [0.0, 0.1]])
    return multivariate.PcaReference.fit(rows, explained_variance=pick(random, [0.65, 0.99]))


_EXAMPLES: dict[type, Callable[[Generator], Any]] = {
    drift.SortedReference: lambda random: drift.SortedReference(arrays.numbers(random, pick(random, [0, 1, 40]))),
    estimation.LossEstimator: _loss,
    estimation.PerformanceEstimator: _performance,
    evidence.BoundedMeanSequence: _bounded,
    evidence.DriftEvidence: _drift_evidence,
    evidence.DriftWatch: _watch,
    evidence.MeanSequence: _mean_sequence,
    evidence.RateSequence: _rate_sequence,
    metrics.ConfusionMatrix: _confusion,
    multivariate.MmdReference: _mmd,
    multivariate.PcaReference: _pca,
    streaming.Adwin: _detector(lambda random: streaming.Adwin(clock=pick(random, [1, 32]))),
    streaming.Ddm: _detector(lambda random: streaming.Ddm(warm_start=5)),
    streaming.Kswin: _detector(lambda random: streaming.Kswin(window_size=20, stat_size=5)),
    streaming.PageHinkley: _detector(lambda random: streaming.PageHinkley(threshold=2.0, min_instances=5)),
    summaries.Baseline: _baseline,
    summaries.Categories: _categories,
    summaries.CategoryReference: lambda random: summaries.CategoryReference(_counted(random)),
    summaries.DistinctCount: _distinct,
    summaries.Histogram: lambda random: _small_reference(random).count(arrays.numbers(random, 20)),
    summaries.Latency: _latency,
    summaries.Moments: lambda random: summaries.moments(arrays.numbers(random, pick(random, [0, 1, 2, 40]))),
    summaries.Profile: _profile,
    summaries.Quantiles: _quantile_sketch,
    summaries.Reference: _small_reference,
}
"""How to make an object of each class that has methods."""


def has_example(kind: type) -> bool:
    """Whether objects of the class can be made here."""
    return kind in _EXAMPLES


@functools.cache
def _pool(kind: type) -> list[Any]:
    random = np.random.default_rng(sum(kind.__name__.encode()))
    return [_EXAMPLES[kind](random) for _ in range(24)]


def prepare() -> None:
    """Make all examples, so that the first case does not take long."""
    for kind in _EXAMPLES:
        _pool(kind)


def example(random: Generator, kind: type) -> Any:
    """One of some objects of the class that were made before. Those that change are copied: none is used up."""
    found = pick(random, _pool(kind))
    return copied(found) if hasattr(kind, "update") and hasattr(kind, "from_bytes") else found


def copied(found: Any) -> Any:
    """The same through bytes."""
    more = (found.baseline,) if isinstance(found, summaries.Profile | evidence.DriftWatch) else ()
    return type(found).from_bytes(found.to_bytes(), *more)
