"""Compares two data files: which columns, one pass to learn them and cut the bins, and one to count each file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from edge_aiops.base.errors import InvalidInput
from edge_aiops.stats.comparison import Comparison, compare
from edge_aiops.stats.files.choice import Choice, chosen
from edge_aiops.stats.files.columns import Columns, Dirt
from edge_aiops.stats.files.datafile import DataFile
from edge_aiops.stats.files.features import features
from edge_aiops.stats.files.kinds import Kind
from edge_aiops.stats.files.learning import Learnt, dirt_note, learnt_from
from edge_aiops.stats.files.options import Options
from edge_aiops.stats.files.reading import Watch, names, no_rows, read
from edge_aiops.stats.files.sample import Sample
from edge_aiops.stats.summaries import Baseline, Categories, Profile

LABELS = 1024
"""Labels of a column that are told apart; of more, the frequent ones are."""


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
    choice = chosen(reference, names(reference, watch), current, names(current, watch), options)
    learnt = learnt_from(reference, choice, options, watch)
    wanted = list(learnt.columns.kinds)
    if not wanted:
        raise InvalidInput(
            f"no column can be compared: {'; '.join(f'{name!r} {why}' for name, why in learnt.set_aside.items())}"
        )
    baseline = _baseline(learnt, options)
    if learnt.sample.is_whole:
        of_reference = Profile(baseline)
        of_reference.update(features(learnt.sampled, learnt.columns.kinds, learnt.sample.rows_seen))
        watch(reference.size_bytes)
    else:
        of_reference, _ = _counted(reference, learnt.columns, baseline, watch)
    sample = Sample(options.sample, seed=options.seed)
    of_current, dirt = _counted(current, learnt.columns, of_reference.as_baseline(), watch, sample)
    if not of_current.rows:
        raise no_rows(current)
    for name, found in dirt.items():
        learnt.note(name, dirt_note(current, found))
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
        sample_rows=learnt.sample.rows,
        reference_sample=learnt.sampled,
        current_sample=sample.columns(),
    )


def _baseline(learnt: Learnt, options: Options) -> Baseline:
    found: dict[str, Any] = features(learnt.sampled, learnt.columns.kinds, 0)
    for name, values in found.items():
        if isinstance(values, list):
            found[name] = Categories(capacity=LABELS)
            found[name].update(values)
    return Baseline(found, bins=options.bins)


def _counted(
    file: DataFile, columns: Columns, baseline: Baseline, watch: Watch, sample: Sample | None = None
) -> tuple[Profile, dict[str, Dirt]]:
    """A file counted on the bins of `baseline`; its numbers are offered to `sample` as well."""
    profile = Profile(baseline)
    dirt: dict[str, Dirt] = {}
    for block, first_row in read(file, list(columns.kinds), watch):
        if block.rows:
            settled = columns.settled(file, block, first_row, dirt=dirt)
            profile.update(features(settled, columns.kinds, block.rows))
            if sample is not None:
                numbers = {name: array for name, array in settled.items() if pa.types.is_floating(array.type)}
                sample.add(block.rows, numbers)
    return profile, dirt
