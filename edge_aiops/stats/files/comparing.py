"""Compares two data files: which columns, one pass to learn them and cut the bins, and one to count each file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from edge_aiops.base.errors import InvalidInput
from edge_aiops.stats.comparison import Comparison, compare
from edge_aiops.stats.files.choice import Choice, chosen
from edge_aiops.stats.files.columns import Columns, Dirt
from edge_aiops.stats.files.datafile import Block, DataFile
from edge_aiops.stats.files.kinds import Kind
from edge_aiops.stats.files.sample import Sample
from edge_aiops.stats.summaries import Baseline, Categories, Profile

Watch = Callable[[int], None]
"""Told how many more bytes were read."""

LABELS = 1024
"""Labels of a column that are told apart; of more, the frequent ones are."""

_FEWEST_FOR_IDENTIFIER = 50
_DISTINCT_OF_IDENTIFIER = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How two files are compared."""

    columns: Collection[str] = ()
    """Only these; all where there are none."""
    exclude: Collection[str] = ()
    numeric: Collection[str] = ()
    categorical: Collection[str] = ()
    alpha: float = 0.05
    min_effect: float = 0.1
    bins: int = 64
    sample: int = 100_000
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FileComparison:
    """What two files say of each other."""

    reference: DataFile
    current: DataFile
    options: Options
    choice: Choice
    comparison: Comparison
    kinds: Mapping[str, Kind]
    set_aside: Mapping[str, str]
    """Columns of both files that are not compared, and why."""
    notes: Mapping[str, list[str]]
    """What to know of a column."""
    of_reference: Profile
    of_current: Profile
    single_valued: Mapping[str, list[float]]
    """Columns of few numbers, and those numbers: each has a bin of its own."""
    sample_rows: int
    """Rows of the reference at whose quantiles the bins were cut."""
    reference_sample: Mapping[str, pa.Array]
    """Of columns of numbers: the values in a uniform sample of the rows."""
    current_sample: Mapping[str, pa.Array]

    def edges(self, name: str) -> NDArray[np.float64]:
        """Of a column of numbers: where the bins end."""
        edges: NDArray[np.float64] = self.of_reference.baseline[name].edges
        return edges


def compare_files(
    reference: DataFile, current: DataFile, options: Options, *, watch: Watch = lambda _: None
) -> FileComparison:
    """Compare the columns that both files have. Memory does not grow with the files.

    Raises `InvalidInput` that names the file, the place, the value and what to do.
    """
    choice = chosen(reference, _names(reference, watch), current, _names(current, watch), options)
    learnt = _learnt(reference, choice, options, watch)
    wanted = list(learnt.columns.kinds)
    if not wanted:
        raise InvalidInput(
            f"no column can be compared: {'; '.join(f'{name!r} {why}' for name, why in learnt.set_aside.items())}"
        )
    baseline = _baseline(learnt, options)
    if learnt.sample.is_whole:
        of_reference = Profile(baseline)
        of_reference.update(_features(learnt.sampled, learnt.columns.kinds, learnt.sample.rows_seen))
        watch(reference.size_bytes)
    else:
        of_reference, _ = _counted(reference, learnt.columns, baseline, watch)
    sample = Sample(options.sample, seed=options.seed)
    of_current, dirt = _counted(current, learnt.columns, of_reference.as_baseline(), watch, sample)
    if not of_current.rows:
        raise _no_rows(current)
    for name, found in dirt.items():
        learnt.note(name, _dirt_note(current, found))
    return FileComparison(
        reference=reference,
        current=current,
        options=options,
        choice=choice,
        comparison=compare(of_current, alpha=options.alpha, min_effect=options.min_effect),
        kinds=learnt.columns.kinds,
        set_aside=learnt.set_aside,
        notes=learnt.notes,
        of_reference=of_reference,
        of_current=of_current,
        single_valued=learnt.single_valued,
        sample_rows=len(next(iter(learnt.sampled.values()))),
        reference_sample=learnt.sampled,
        current_sample=sample.columns(),
    )


@dataclass(slots=True)
class _Learnt:
    """What the first pass over the reference tells."""

    columns: Columns
    sample: Sample
    sampled: dict[str, pa.Array] = field(default_factory=dict)
    set_aside: dict[str, str] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)
    single_valued: dict[str, list[float]] = field(default_factory=dict)

    def note(self, name: str, said: str) -> None:
        self.notes.setdefault(name, []).append(said)


def _names(file: DataFile, watch: Watch) -> list[str]:
    if (names := file.heading()) is None:
        names = list(dict.fromkeys(name for block, _ in _read(file, None, watch) for name in block.columns))
    return names


def _read(file: DataFile, wanted: Collection[str] | None, watch: Watch) -> Iterator[tuple[Block, int]]:
    """The blocks of a file, each with the number of its first row."""
    rows = done = 0
    for block in file.blocks(wanted):
        yield block, rows
        rows += block.rows
        watch(block.done_bytes - done)
        done = block.done_bytes


def _learnt(file: DataFile, choice: Choice, options: Options, watch: Watch) -> _Learnt:
    columns = Columns(options.numeric, options.categorical)
    learnt = _Learnt(columns, Sample(options.sample, seed=options.seed))
    dirt: dict[str, Dirt] = {}
    for block, first_row in _read(file, choice.common, watch):
        columns.learn(file, block, first_row)
        learnt.sample.add(block.rows, columns.settled(file, block, first_row, dirt=dirt))
    if not learnt.sample.rows_seen:
        raise _no_rows(file)
    columns.close(choice.common)
    _look_through(learnt, choice)
    for name, found in dirt.items():
        learnt.note(name, _dirt_note(file, found))
    return learnt


def _look_through(learnt: _Learnt, choice: Choice) -> None:
    """Put the sampled columns in order, and set aside those that are not worth comparing."""
    columns, sampled = learnt.columns, learnt.sample.columns()
    rows = min(learnt.sample.rows_seen, len(next(iter(sampled.values()), ())) or learnt.sample.rows_seen)
    for name in choice.common:
        if name in columns.nested:
            learnt.set_aside[name] = f"holds values of the type {columns.nested[name]}, which are not compared"
            continue
        kind = columns.kinds[name]
        values = sampled.get(name)
        if values is None:
            values = pa.nulls(rows, pa.string())
            learnt.note(name, "The reference has no value in this column; only where values are missing is compared.")
        if kind is Kind.LABEL and name not in columns.categorical and _are_identifiers(values):
            learnt.set_aside[name] = (
                "nearly every text in it is another one, as in identifiers; --categorical compares it all the same"
            )
            del columns.kinds[name]
            continue
        learnt.sampled[name] = values
        if kind in (Kind.NUMBER, Kind.TIME):
            _look_at_numbers(learnt, name, values, kind)


def _are_identifiers(values: pa.Array) -> bool:
    given: int = len(values) - values.null_count
    distinct: int = pc.count_distinct(values).as_py()
    return given >= _FEWEST_FOR_IDENTIFIER and distinct > _DISTINCT_OF_IDENTIFIER * given


def _look_at_numbers(learnt: _Learnt, name: str, values: pa.Array, kind: Kind) -> None:
    given = values.drop_null().to_numpy(zero_copy_only=False)
    given = given[np.isfinite(given)]
    if kind is Kind.TIME:
        learnt.note(name, "Times are compared as seconds since 1970; files of different days differ in them.")
        return
    distinct = np.unique(given)
    learnt.single_valued[name] = distinct.tolist() if len(distinct) <= _FEWEST_FOR_IDENTIFIER else []
    if len(given) >= _FEWEST_FOR_IDENTIFIER and len(distinct) == len(given) and bool((given % 1 == 0).all()):
        learnt.note(
            name, "Every value is another whole number; if these are row numbers or identifiers, --exclude the column."
        )


def _baseline(learnt: _Learnt, options: Options) -> Baseline:
    features: dict[str, Any] = _features(learnt.sampled, learnt.columns.kinds, 0)
    for name, values in features.items():
        if isinstance(values, list):
            features[name] = Categories(capacity=LABELS)
            features[name].update(values)
    return Baseline(features, bins=options.bins)


def _counted(
    file: DataFile, columns: Columns, baseline: Baseline, watch: Watch, sample: Sample | None = None
) -> tuple[Profile, dict[str, Dirt]]:
    """A file counted on the bins of `baseline`; its numbers are offered to `sample` as well."""
    profile = Profile(baseline)
    dirt: dict[str, Dirt] = {}
    for block, first_row in _read(file, list(columns.kinds), watch):
        if block.rows:
            settled = columns.settled(file, block, first_row, dirt=dirt)
            profile.update(_features(settled, columns.kinds, block.rows))
            if sample is not None:
                numbers = {name: array for name, array in settled.items() if pa.types.is_floating(array.type)}
                sample.add(block.rows, numbers)
    return profile, dirt


def _features(settled: Mapping[str, pa.Array], kinds: Mapping[str, Kind], rows: int) -> dict[str, Any]:
    """Arrays of Arrow as `Profile.update` takes them; a column that is not there is missing in all `rows`."""
    features = {}
    for name, kind in kinds.items():
        is_number = kind in (Kind.NUMBER, Kind.TIME)
        values = settled.get(name)
        if values is None:
            values = pa.nulls(rows, pa.float64() if is_number else pa.string())
        features[name] = _numbers(values) if is_number else _labels(values)
    return features


def _numbers(values: pa.Array) -> Any:
    if not values.null_count:
        return values.to_numpy(zero_copy_only=False)
    missing = values.is_null().to_numpy(zero_copy_only=False)
    return pc.fill_null(values, np.nan).to_numpy(zero_copy_only=False), missing


def _labels(values: pa.Array) -> list[str | None]:
    """Equal labels as the same object, which is made and hashed once."""
    encoded = values.dictionary_encode()
    labels = np.array([*encoded.dictionary.to_pylist(), None], dtype=object)
    places = pc.fill_null(encoded.indices, len(labels) - 1).to_numpy(zero_copy_only=False)
    found: list[str | None] = labels[places].tolist()
    return found


def _dirt_note(file: DataFile, found: Dirt) -> str:
    values = "1 value" if found.values == 1 else f"{found.values:,} values"
    return f"{values} in {file.path} counted as missing for being no number, first {found.value!r} on {found.place}."


def _no_rows(file: DataFile) -> InvalidInput:
    return InvalidInput(f"{file.path} has no rows; wanted is at least one below its heading")
