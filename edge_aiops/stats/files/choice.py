"""Which columns of two files are compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from edge_aiops.base.errors import InvalidInput
from edge_aiops.base.nearest import nearest
from edge_aiops.stats.files.datafile import DataFile
from edge_aiops.stats.files.options import Options

_MOST_NAMED = 8


class Choice(NamedTuple):
    """Names of columns, in the order of the reference."""

    common: list[str]
    """Those to compare."""
    only_in_reference: list[str]
    only_in_current: list[str]
    excluded: list[str]


def chosen(
    reference: DataFile, in_reference: Sequence[str], current: DataFile, in_current: Sequence[str], wishes: Options
) -> Choice:
    """The columns to compare. Raises `InvalidInput` for a wish that neither file can fulfil."""
    for option in ("columns", "exclude", "numeric", "categorical"):
        for name in getattr(wishes, option):
            if name not in in_reference and name not in in_current:
                raise _unknown(option, name, reference, in_reference)
    if both := sorted({*wishes.numeric} & {*wishes.categorical}):
        raise InvalidInput(f"column {both[0]!r} cannot be both --numeric and --categorical; choose one")
    missing = [name for name in wishes.columns if name not in in_reference or name not in in_current]
    if missing:
        lacking = reference if missing[0] not in in_reference else current
        raise InvalidInput(f"{lacking.path} has no column {missing[0]!r}, which --columns asks for")
    there, here = set(in_reference), set(in_current)
    asked = [name for name in in_reference if name in here and (not wishes.columns or name in wishes.columns)]
    common = [name for name in asked if name not in wishes.exclude]
    if not there & here:
        raise InvalidInput(
            f"no column is in both files: {reference.path} has {_listed(in_reference)}; "
            f"{current.path} has {_listed(in_current)}; the first line of CSV must name the columns"
        )
    if not common:
        raise InvalidInput("no column is left to compare; --exclude names all that both files have")
    return Choice(
        common,
        [name for name in in_reference if name not in here],
        [name for name in in_current if name not in there],
        [name for name in asked if name in wishes.exclude],
    )


def _unknown(option: str, name: str, file: DataFile, names: Sequence[str]) -> InvalidInput:
    close = nearest(name, names)
    meant = f"did you mean {close!r}?" if close else f"{file.path} has {_listed(names)}"
    return InvalidInput(f"--{option}: there is no column {name!r}; {meant}")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:_MOST_NAMED]))
    return f"{shown} and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else shown or "none"
