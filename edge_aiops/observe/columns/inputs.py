"""Columns of the features that callers sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from operator import attrgetter

from edge_aiops.base.names import LONGEST_FEATURE_NAME
from edge_aiops.journal.events import NewEvent
from edge_aiops.observe.columns import digests
from edge_aiops.observe.columns.assembly import Assembly
from edge_aiops.observe.columns.columns import (
    MOST_FEATURES,
    MOST_NAMES,
    NO_DIGESTS,
    Columns,
    Plain,
    first_names,
    has_long_names,
    kinds_of,
    with_parents,
)
from edge_aiops.observe.columns.digests import Hashes
from edge_aiops.observe.columns.payload import PayloadReader, Row, WrongShape
from edge_aiops.observe.columns.plain import PlainReader
from edge_aiops.observe.columns.ranges import Ranges
from edge_aiops.observe.models import ObservedModel
from edge_aiops.observe.quality.given import read_schema
from edge_aiops.stats.summaries import Baseline

_ROWS = attrgetter("rows")


def inputs_of(events: Sequence[NewEvent], model: ObservedModel, baseline: Baseline | None) -> Columns:
    """The features of `events`, all of one model version."""
    return InputColumns(model, baseline).read(events)


class InputColumns:
    """Makes columns of the features of one model version, on its baseline. For many batches, keep one.

    Of objects with more than `max_features` members beside those of the baseline, only the first ones are looked at.
    """

    def __init__(self, model: ObservedModel, baseline: Baseline | None, *, max_features: int = MOST_FEATURES) -> None:
        self._max_features = max_features
        self._kinds = kinds_of(baseline)
        self._known = with_parents(self._kinds)
        given = read_schema(model.input_schema)
        self._expected = self._known | set(model.feature_names)
        if not given.allows_others:
            self._expected |= given.features.keys()
        self._ranges = Ranges(given.ranges)
        self.declared = {
            name: frozenset(feature.categories) for name, feature in given.features.items() if feature.categories
        }
        """The labels that the model was registered with, by feature."""
        self._payload = PayloadReader(model.feature_names, self._known)
        self._plain = PlainReader(self._payload)
        self._all_numeric = "category" not in self._kinds.values()
        self._hashes = Hashes()
        self._names: tuple[str, ...] = ()
        self._keys = NO_DIGESTS
        self._surprises: list[str] = []

    def read(self, events: Sequence[NewEvent]) -> Columns:
        """The features of a batch. What one event has wrong is counted, and harms no other."""
        captured = [event for event in events if event.features is not None]
        columns = self._read_plain(captured) or self._read_any(captured)
        columns.out_of_range = self._ranges.outside(columns)
        if len(captured) < len(events):
            columns.without_payload = sum(event.rows for event in events if event.features is None)
        return columns

    def _read_plain(self, events: Sequence[NewEvent]) -> Columns | None:
        if not self._all_numeric or not events:
            return None
        counts, payloads = [*map(_ROWS, events)], [event.features or "" for event in events]
        if max(counts) == 1:
            plain = self._plain.read(payloads)
        else:
            plain = self._plain.read_matrices(payloads, counts) if min(counts) > 1 else None
        if plain is None or self._is_too_much(plain.names):
            return None
        if plain.names is not self._names:
            self._names, self._keys = plain.names, self._hashes.keys(plain.names)
            self._surprises = self._not_expected(plain)
        rows = len(plain.matrix)
        columns = Columns(rows=rows, plain=plain, digests=digests.of_matrix(plain.matrix, self._keys))
        if self._surprises:
            _set_unexpected(columns, dict.fromkeys(self._surprises, rows))
        return columns

    def _read_any(self, events: Sequence[NewEvent]) -> Columns:
        rows: list[Row] = []
        malformed = wrong_shape = 0
        for event in events:
            try:
                rows += self._payload.rows_of(event.features or "", event.rows)
                continue
            except WrongShape:
                wrong_shape += event.rows
            except (ValueError, RecursionError):
                malformed += event.rows
            rows += [{}] * event.rows
        assembly = Assembly(len(rows), self._kinds, self._known, self._hashes, most=self._max_features)
        assembly.add_rows(rows)
        columns = assembly.finished()
        columns.malformed, columns.wrong_shape = malformed, wrong_shape
        if self._expected:
            _set_unexpected(columns, Counter(name for row in rows for name in row.keys() - self._expected))
        return columns

    def _is_too_much(self, names: Sequence[str]) -> bool:
        others = [name for name in names if name not in self._known]
        return len(others) > self._max_features or has_long_names(others)

    def _not_expected(self, plain: Plain) -> list[str]:
        return [name for name in plain.names if name not in self._expected] if self._expected else []


def _set_unexpected(columns: Columns, counts: dict[str, int]) -> None:
    kept = first_names([name for name in counts if len(name) <= LONGEST_FEATURE_NAME], MOST_NAMES)
    columns.unexpected = {name: counts[name] for name in kept}
    columns.unexpected_beyond = sum(counts.values()) - sum(columns.unexpected.values())
