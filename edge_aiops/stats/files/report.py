"""What a comparison of two files found, as one value that is printed, drawn, or sent as JSON."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_aiops import __version__
from edge_aiops.stats.files.comparing import FileComparison
from edge_aiops.stats.files.datafile import DataFile
from edge_aiops.stats.files.drawing import Cumulated, Histograms, histograms, percentiles

MOST_LABELS = 100
"""Labels that a report tells apart; the others are told together."""


class Structure(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Part of a report."""


class File(Structure, frozen=True):
    """A file that was compared."""

    path: str
    format: str
    size_bytes: int
    rows: int


class Settings(Structure, frozen=True):
    """How the files were compared."""

    alpha: float
    min_effect: float
    bins: int
    sample_rows: int
    """Rows of the reference at whose quantiles the bins were cut."""
    seed: int


class Test(Structure, frozen=True):
    """What one test or distance says."""

    method: str
    statistic: float | None
    p_value: float | None
    effect_size: float | None
    effect: str
    n_reference: int
    n_current: int
    warnings: list[str]


class Numbers(Structure, frozen=True):
    """The numbers of a column on one side."""

    count: int
    missing: int
    infinite: int
    mean: float | None
    standard_deviation: float | None
    minimum: float | None
    percentile_5: float | None
    """Of a sample of the rows, as are the next two."""
    median: float | None
    percentile_95: float | None
    maximum: float | None


class Labels(Structure, frozen=True):
    """The labels of a column on one side."""

    count: int
    missing: int
    distinct: int
    """How many different ones there are; an estimate where there are very many."""


class Bins(Structure, frozen=True):
    """Numbers counted between edges; the first count is of those under all edges, the last of those over them."""

    edges: list[float]
    reference: list[int]
    current: list[int]
    values: list[float] | None
    """The value that each bin holds, where a bin holds but one."""
    histograms: Histograms | None


class Shares(Structure, frozen=True):
    """How often each label came, the most frequent first; `other` are all the rest."""

    labels: list[str]
    reference: list[int]
    current: list[int]
    reference_other: int
    current_other: int


class Feature(Structure, frozen=True):
    """A column that was compared."""

    name: str
    kind: str
    """`number`, `time`, `flag` or `label`."""
    drifted: bool
    effect_size: float | None
    p_value: float | None
    adjusted_p_value: float | None
    tests: dict[str, Test]
    reference: Numbers | Labels
    current: Numbers | Labels
    distribution: Bins | Shares
    notes: list[str]
    warnings: list[str]


class Report(Structure, frozen=True):
    """Everything; `features` are sorted by drift, then by size of the effect."""

    program: str
    compared_at_ms: int
    reference: File
    current: File
    settings: Settings
    drifted: list[str]
    features: list[Feature]
    set_aside: dict[str, str]
    excluded: list[str]
    only_in_reference: list[str]
    only_in_current: list[str]


def report_of(found: FileComparison) -> Report:
    """What is to tell of a comparison."""
    features = [_feature(found, compared) for compared in found.comparison.features]
    features.sort(key=lambda feature: (not feature.drifted, -(feature.effect_size or 0.0)))
    return Report(
        program=f"edge-aiops {__version__}",
        compared_at_ms=time.time_ns() // 1_000_000,
        reference=_file(found.reference, found.of_reference.rows),
        current=_file(found.current, found.of_current.rows),
        settings=Settings(
            alpha=found.options.alpha,
            min_effect=found.options.min_effect,
            bins=found.options.bins,
            sample_rows=found.sample_rows,
            seed=found.options.seed,
        ),
        drifted=[feature.name for feature in features if feature.drifted],
        features=features,
        set_aside=dict(found.set_aside),
        excluded=found.choice.excluded,
        only_in_reference=found.choice.only_in_reference,
        only_in_current=found.choice.only_in_current,
    )


def _file(file: DataFile, rows: int) -> File:
    # A name can hold bytes that are no text, which JSON cannot.
    path = str(file.path).encode("utf-8", "backslashreplace").decode()
    return File(path=path, format=file.format, size_bytes=file.size_bytes, rows=rows)


def _feature(found: FileComparison, compared: Any) -> Feature:
    name = compared.name
    before, after = found.of_reference[name], found.of_current[name]
    is_numeric = compared.kind == "numeric"
    return Feature(
        name=name,
        kind=found.kinds[name].value,
        drifted=compared.drifted,
        effect_size=compared.effect_size,
        p_value=compared.p_value,
        adjusted_p_value=compared.adjusted_p_value,
        tests={method: _test(result) for method, result in compared.tests.items()},
        reference=_numbers(before, _present(found.reference_sample, name)) if is_numeric else _labels(before),
        current=_numbers(after, _present(found.current_sample, name)) if is_numeric else _labels(after),
        distribution=_bins(found, name) if is_numeric else _shares(before, after),
        notes=found.notes.get(name, []),
        warnings=_warnings(compared.tests),
    )


def _warnings(tests: Mapping[str, Any]) -> list[str]:
    """Those of all tests of the values, each once. That of missing values warns where none is missing."""
    said = (warning.message for name, test in tests.items() if name != "missingness" for warning in test.warnings)
    return list(dict.fromkeys(said))


def _test(result: Any) -> Test:
    return Test(
        method=result.method,
        statistic=result.statistic,
        p_value=result.p_value,
        effect_size=result.effect_size,
        effect=result.effect,
        n_reference=result.n_reference,
        n_current=result.n_current,
        warnings=[warning.message for warning in result.warnings],
    )


def _present(sample: Mapping[str, Any], name: str) -> NDArray[np.float64]:
    """The sampled values of a column of numbers, without those missing."""
    if name not in sample:
        return np.empty(0)
    values: NDArray[np.float64] = sample[name].drop_null().to_numpy()
    return values[~np.isnan(values)]


def _numbers(side: Any, sample: NDArray[np.float64]) -> Numbers:
    moments = side.moments
    places = percentiles(sample, np.array([0.05, 0.5, 0.95])).tolist()
    percentile_5, median, percentile_95 = (value if math.isfinite(value) else None for value in places)
    return Numbers(
        count=moments.count,
        missing=moments.missing + moments.nan,
        infinite=moments.infinite,
        mean=moments.mean,
        standard_deviation=moments.standard_deviation,
        minimum=moments.minimum,
        percentile_5=percentile_5,
        median=median,
        percentile_95=percentile_95,
        maximum=moments.maximum,
    )


def _labels(side: Any) -> Labels:
    return Labels(count=side.count, missing=side.missing, distinct=round(side.distinct.value))


def _bins(found: FileComparison, name: str) -> Bins:
    edges, values = found.edges(name), found.single_valued.get(name, [])
    sides = (found.of_reference[name], found.of_current[name])
    reference, current = (side.histogram.counts[:-1].tolist() for side in sides)
    drawn = None
    if len(edges) > 1:
        samples = (_present(sample, name) for sample in (found.reference_sample, found.current_sample))
        counted = zip(sides, samples, strict=True)
        drawn = histograms(*(Cumulated(edges, side.histogram.counts[:-1], sample) for side, sample in counted))
    return Bins(
        edges=edges.tolist(),
        reference=reference,
        current=current,
        values=values if len(values) == len(edges) - 1 else None,
        histograms=drawn,
    )


def _shares(before: Any, after: Any) -> Shares:
    reference: dict[str, int] = dict(before.counts())
    current: dict[str, int] = dict(after.counts())
    n_reference: int = max(before.count, 1)
    n_current: int = max(after.count, 1)

    def frequency(label: str) -> float:
        return max(reference.get(label, 0) / n_reference, current.get(label, 0) / n_current)

    present = [label for label in {**reference, **current} if reference.get(label) or current.get(label)]
    labels = sorted(present, key=frequency, reverse=True)[:MOST_LABELS]
    of_reference, of_current = ([side.get(label, 0) for label in labels] for side in (reference, current))
    return Shares(
        labels=labels,
        reference=of_reference,
        current=of_current,
        reference_other=before.count - sum(of_reference),
        current_other=after.count - sum(of_current),
    )
