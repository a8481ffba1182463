"""What a batch of events has of each feature, as columns, and what of it could not be read."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from edge_aiops.base.names import LONGEST_FEATURE_NAME
from edge_aiops.plugin.monitoring import FeatureKind
from edge_aiops.stats.summaries import Baseline, Reference

Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]
Digests = NDArray[np.uint64]

MOST_FEATURES = 1_000
"""Features beside those of a baseline that are summarised, unless said otherwise."""

MOST_NAMES = 100
"""Names of unexpected features that are kept."""

NO_DIGESTS: Digests = np.empty(0, np.uint64)


class NumberColumn(NamedTuple):
    """A number a row."""

    values: Numbers
    missing: Mask | None
    """Rows without one, whatever stands in `values`; None if there are none."""

    @property
    def present(self) -> Numbers:
        """The numbers that are there."""
        return self.values if self.missing is None else self.values[~self.missing]


class Plain(NamedTuple):
    """Rows of numbers, all with the same features."""

    names: tuple[str, ...]
    matrix: Numbers
    """Shape (rows, features)."""


class Columns(Struct, kw_only=True):
    """A batch by features. A feature may be in both `numbers` and `labels` where rows differ in what they send."""

    rows: int = 0
    """Rows whose payload was captured. All columns have as many entries."""
    without_payload: int = 0
    """Rows whose payload was not."""
    plain: Plain | None = None
    """All rows at once, where they are numbers throughout; `numbers` and `labels` are empty then."""
    numbers: dict[str, NumberColumn] = {}
    labels: dict[str, list[str | None]] = {}
    null: dict[str, int] = {}
    """Rows in which a feature was null."""
    wrong_type: dict[str, int] = {}
    """Rows in which a feature was something else than its baseline is made of."""
    out_of_range: dict[str, int] = {}
    """Rows in which a number was outside of the range that the model's schema gives."""
    opaque: dict[str, int] = {}
    """Rows in which a feature had a value of which there is no summary: a hash, a list of texts, too deep a nesting."""
    unexpected: dict[str, int] = {}
    """Rows with a feature that nobody expected, by the name it was sent under."""
    unexpected_beyond: int = 0
    """Values under further such names."""
    beyond: int = 0
    """Values of features that were left out because there are too many features."""
    wrong_shape: int = 0
    """Rows with another number of values than the model has features; no column has anything of them."""
    malformed: int = 0
    """Rows whose payload could not be read; no column has anything of them."""
    digests: Digests = NO_DIGESTS
    """A digest of each row that could be read, equal for rows with equal features."""

    @property
    def names(self) -> list[str]:
        """Every feature that has a column, once."""
        numbers = self.numbers if self.plain is None else self.plain.names
        return list(dict.fromkeys((*numbers, *self.labels)))

    @property
    def values(self) -> dict[str, NumberColumn | list[str | None]]:
        """Every feature as numbers or as labels, whichever it has more of."""
        numbers = self.all_numbers()
        return {
            name: self.labels[name] if name not in numbers or self._mostly_labels(name) else numbers[name]
            for name in self.names
        }

    def all_numbers(self, only: Container[str] | None = None) -> dict[str, NumberColumn]:
        """The features that are numbers, those of `plain` among them; `only`: those of them that are in it."""
        if self.plain is None:
            return {name: column for name, column in self.numbers.items() if only is None or name in only}
        matrix = np.asfortranarray(self.plain.matrix)
        return {
            name: NumberColumn(matrix[:, place], None)
            for place, name in enumerate(self.plain.names)
            if only is None or name in only
        }

    def present(self, name: str) -> int:
        """Rows that have a value of one of `names`."""
        if self.plain is not None:
            return self.rows
        labels = self.labels.get(name, [])
        numbers = len(self.numbers[name].present) if name in self.numbers else 0
        return numbers + len(labels) - labels.count(None)

    def _mostly_labels(self, name: str) -> bool:
        labels = self.labels.get(name, [])
        return 2 * (len(labels) - labels.count(None)) > self.present(name)


def kinds_of(baseline: Baseline | None) -> dict[str, FeatureKind]:
    """What the features of a baseline are, in its order."""
    if baseline is None:
        return {}
    return {name: "numeric" if isinstance(baseline[name], Reference) else "category" for name in baseline.names}


def with_parents(names: Iterable[str]) -> frozenset[str]:
    """Names, and what they may be nested in or derived from: of `a.b.length` also `a.b` and `a`."""
    parts = [name.split(".") for name in names]
    return frozenset(".".join(part[:count]) for part in parts for count in range(1, len(part) + 1))


def in_order(name: str) -> tuple[tuple[int, str], ...]:
    """The order in which features are kept where there are too many: part by part between the dots, short ones first,
    so that 2 comes before 10.

    Whatever the order of batches and merges, the first ones of all are among the first ones of each part; so a name
    that is kept in the end was kept everywhere, and nothing of it is lost.
    """
    return tuple((len(part), part) for part in name.split("."))


def first_names(names: Collection[str], most: int) -> set[str]:
    """The first `most` of `names`."""
    return set(names) if len(names) <= most else set(sorted(names, key=in_order)[:most])


def has_long_names(names: Iterable[str], above: str = "") -> bool:
    """Whether one of `names`, behind `above`, is longer than a name may be."""
    return len(above) + max(map(len, names), default=0) > LONGEST_FEATURE_NAME
