"""Learns from one pass over the reference what its columns are, and a sample at whose quantiles bins can be cut."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from edge_aiops.stats.files.choice import Choice
from edge_aiops.stats.files.columns import Columns, Dirt
from edge_aiops.stats.files.datafile import DataFile
from edge_aiops.stats.files.kinds import Kind
from edge_aiops.stats.files.options import Options
from edge_aiops.stats.files.reading import Watch, no_rows, read
from edge_aiops.stats.files.sample import Sample

_FEWEST_FOR_IDENTIFIER = 50
_DISTINCT_OF_IDENTIFIER = 0.9
_MOST_SINGLE_VALUES = 50


@dataclass(slots=True)
class Learnt:
    """What the first pass over the reference tells."""

    columns: Columns
    sample: Sample
    """All that it read."""
    sampled: dict[str, pa.Array] = field(default_factory=dict)
    """The sampled values of the columns to compare."""
    set_aside: dict[str, str] = field(default_factory=dict)
    """Columns that are not compared, and why."""
    notes: dict[str, list[str]] = field(default_factory=dict)
    """What to know of a column."""
    single_valued: dict[str, list[float]] = field(default_factory=dict)
    """Columns of numbers, and their values if these are few."""

    def note(self, name: str, said: str) -> None:
        """Say something of a column."""
        self.notes.setdefault(name, []).append(said)


def learnt_from(file: DataFile, choice: Choice, options: Options, watch: Watch) -> Learnt:
    """Read the reference once. Raises `InvalidInput` for values that do not go together."""
    columns = Columns(options.numeric, options.categorical)
    learnt = Learnt(columns, Sample(options.sample, seed=options.seed))
    dirt: dict[str, Dirt] = {}
    for block, first_row in read(file, choice.common, watch):
        columns.learn(file, block, first_row)
        learnt.sample.add(block.rows, columns.settled(file, block, first_row, dirt=dirt))
    if not learnt.sample.rows_seen:
        raise no_rows(file)
    columns.close(choice.common)
    _look_through(learnt, choice)
    for name, found in dirt.items():
        learnt.note(name, dirt_note(file, found))
    return learnt


def dirt_note(file: DataFile, found: Dirt) -> str:
    """What to say of values that are no numbers."""
    values = "1 value" if found.values == 1 else f"{found.values:,} values"
    return f"{values} in {file.path} counted as missing for being no number, first {found.value!r} on {found.place}."


def _look_through(learnt: Learnt, choice: Choice) -> None:
    """Put the sampled columns in order, and set aside those that are not worth comparing."""
    columns, sampled = learnt.columns, learnt.sample.columns()
    for name in choice.common:
        if name in columns.nested:
            learnt.set_aside[name] = f"holds values of the type {columns.nested[name]}, which are not compared"
            continue
        kind = columns.kinds[name]
        values = sampled.get(name)
        if values is None:
            values = pa.nulls(learnt.sample.rows, pa.string())
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


def _look_at_numbers(learnt: Learnt, name: str, values: pa.Array, kind: Kind) -> None:
    given = values.drop_null().to_numpy(zero_copy_only=False)
    given = given[np.isfinite(given)]
    if kind is Kind.TIME:
        learnt.note(name, "Times are compared as seconds since 1970; files of different days differ in them.")
        return
    distinct = np.unique(given)
    learnt.single_valued[name] = distinct.tolist() if len(distinct) <= _MOST_SINGLE_VALUES else []
    if len(given) >= _FEWEST_FOR_IDENTIFIER and len(distinct) == len(given) and bool((given % 1 == 0).all()):
        learnt.note(
            name, "Every value is another whole number; if these are row numbers or identifiers, --exclude the column."
        )
