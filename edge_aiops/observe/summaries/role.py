"""The summary of one role of a model, its inputs, outputs or outcomes, over a span of time."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from itertools import chain
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_aiops.observe.columns.columns import MOST_NAMES, Columns, NumberColumn, Plain, kinds_of
from edge_aiops.observe.envelope import Count, opened, sealed
from edge_aiops.observe.summaries import loose
from edge_aiops.observe.summaries.counters import FieldCounters, add, cut
from edge_aiops.observe.summaries.duplicates import Duplicates, DuplicatesState, Repeats
from edge_aiops.observe.summaries.loose import LooseFeature, LooseState
from edge_aiops.stats import IncompatibleSummaries, UnreadableSummary
from edge_aiops.stats.summaries import Baseline, Profile

MARK = b"EAR\x01"
TOLD_MARK = b"EAT\x01"

Found = TypeVar("Found", bound=DuplicatesState | Repeats)


class RoleSummaryState(msgspec.Struct, Generic[Found], array_like=True):
    """What is written of a `RoleSummary`."""

    max_features: Count
    rows: Count
    without_payload: Count
    malformed: Count
    wrong_shape: Count
    beyond: Count
    unexpected_beyond: Count
    null: dict[str, Count]
    wrong_type: dict[str, Count]
    opaque: dict[str, Count]
    unexpected: dict[str, Count]
    duplicates: Found
    """Where it is told, no more than `Repeats`."""
    loose: dict[str, LooseState]
    profile: bytes | None
    out_of_range: dict[str, Count]


_Kept = RoleSummaryState[DuplicatesState]
_Told = RoleSummaryState[Repeats]


class _Layout(NamedTuple):
    """Where the features of a baseline stand in rows of numbers with given names."""

    names: tuple[str, ...]
    places: NDArray[np.intp] | None
    """None where they stand in its order and nothing else does."""
    complete: bool
    """Whether all of them are there."""


class RoleSummary:
    """Features on their baseline in a profile, others in loose summaries, and what was wrong with them in counters.

    Mergeable: in whatever parts and order rows come, counts are those of all rows together. Of features without a
    baseline the first `max_features` by length and spelling of their names are kept, the others' values counted.
    """

    def __init__(
        self,
        baseline: Baseline | None,
        *,
        max_features: int,
        declared: Mapping[str, frozenset[str]] = MappingProxyType({}),
    ) -> None:
        """`declared`: by feature, labels beside those of the baseline whose names may leave the node."""
        self._baseline = baseline
        self._declared = declared
        self._kinds = kinds_of(baseline)
        self._max_features = max_features
        self._profile = Profile(baseline) if baseline is not None else None
        self._loose: dict[str, LooseFeature] = {}
        self._rows = self._without_payload = self._malformed = self._wrong_shape = 0
        self._beyond = self._unexpected_beyond = 0
        self._null: dict[str, int] = {}
        self._wrong_type: dict[str, int] = {}
        self._out_of_range: dict[str, int] = {}
        self._opaque: dict[str, int] = {}
        self._unexpected: dict[str, int] = {}
        self._duplicates: Duplicates | Repeats = Duplicates()
        self._layout = _Layout((), None, False)

    @property
    def rows(self) -> int:
        """Rows whose payload was captured."""
        return self._rows

    @property
    def largest_count(self) -> int:
        """The largest of all its counts."""
        whole = (
            self._rows, self._without_payload, self._malformed, self._wrong_shape, self._beyond,
            self._unexpected_beyond, self.repeats.count, self._profile.rows if self._profile is not None else 0,
        )  # fmt: skip
        named = (self._null, self._wrong_type, self._opaque, self._unexpected, self._out_of_range)
        counts = chain(*(of.values() for of in named), (feature.count for feature in self._loose.values()))
        return max(*whole, *counts)

    @property
    def baseline(self) -> Baseline | None:
        """What `profile` is made on."""
        return self._baseline

    @property
    def profile(self) -> Profile | None:
        """The features that the baseline names."""
        return self._profile

    @property
    def loose(self) -> Mapping[str, LooseFeature]:
        """The features that it does not name."""
        return MappingProxyType(self._loose)

    @property
    def counters(self) -> FieldCounters:
        """What was wrong."""
        return FieldCounters(
            absent=self._absent(),
            null=dict(self._null),
            wrong_type=dict(self._wrong_type),
            out_of_range=dict(self._out_of_range),
            opaque=dict(self._opaque),
            unexpected=dict(self._unexpected),
            unexpected_beyond=self._unexpected_beyond,
            beyond=self._beyond,
            without_payload=self._without_payload,
            malformed=self._malformed,
            wrong_shape=self._wrong_shape,
            duplicates=min(max(0, self.repeats.count), self._rows),
            duplicates_exact=self.repeats.exact,
        )

    @property
    def repeats(self) -> Repeats:
        """Rows that are equal to an earlier one."""
        return self._duplicates.repeats if isinstance(self._duplicates, Duplicates) else self._duplicates

    @property
    def is_told(self) -> bool:
        """Whether it is without what never leaves a node; then it takes in no more rows."""
        return isinstance(self._duplicates, Repeats)

    def told(self, repeats: Repeats | None = None) -> RoleSummary:
        """The same as it may leave the node: without digests of rows, and without names of labels but for those of the
        baseline and the declared ones; others are counted together.

        `repeats`: what to tell of equal rows, where some that came before are known.
        """
        told = copy.copy(self)
        told._null, told._wrong_type, told._opaque = dict(self._null), dict(self._wrong_type), dict(self._opaque)
        told._out_of_range, told._unexpected = dict(self._out_of_range), dict(self._unexpected)
        if self._profile is not None:
            told._profile = self._profile.pooled(dict(self._declared))
        told._loose = {
            name: feature.told(self._declared.get(name, frozenset())) for name, feature in self._loose.items()
        }
        found = repeats or self.repeats
        told._duplicates = Repeats(found.count, found.exact)
        return told

    def update(self, columns: Columns) -> None:
        """Summarise a batch, made on the same baseline. Raises `IncompatibleSummaries` where this is one `told`."""
        if isinstance(self._duplicates, Repeats):
            raise IncompatibleSummaries("without digests of rows a summary cannot tell which ones come again")
        self._rows += columns.rows
        self._without_payload += columns.without_payload
        if not columns.rows:
            return
        if self._profile is not None:
            self._update_profile(self._profile, columns)
        self._beyond += loose.update(self._loose, columns, self._kinds, self._max_features)
        self._count(
            columns.null, columns.wrong_type, columns.out_of_range, columns.opaque, columns.unexpected,
            beyond=columns.beyond, unexpected_beyond=columns.unexpected_beyond,
            malformed=columns.malformed, wrong_shape=columns.wrong_shape,
        )  # fmt: skip
        self._duplicates.update(columns.digests)

    def merge(self, other: RoleSummary) -> None:
        """Take in another summary of the same role. Raises `IncompatibleSummaries` for one on another baseline, and
        where only one of the two is `told`."""
        if (self._baseline is None) != (other._baseline is None):
            raise IncompatibleSummaries("one of the summaries has a baseline and the other has none")
        if self.is_told != other.is_told:
            raise IncompatibleSummaries("one of the summaries has digests of its rows and the other has none")
        if self._profile is not None and other._profile is not None:
            self._profile = self._profile + other._profile
        self._rows += other._rows
        self._without_payload += other._without_payload
        self._beyond += loose.merge(self._loose, other._loose, self._max_features)
        self._count(
            other._null, other._wrong_type, other._out_of_range, other._opaque, other._unexpected,
            beyond=other._beyond, unexpected_beyond=other._unexpected_beyond,
            malformed=other._malformed, wrong_shape=other._wrong_shape,
        )  # fmt: skip
        if isinstance(self._duplicates, Duplicates) and isinstance(other._duplicates, Duplicates):
            self._duplicates.merge(other._duplicates)
        elif isinstance(self._duplicates, Repeats):
            self._duplicates.merge(other.repeats)

    def to_bytes(self) -> bytes:
        """The summary, versioned and with a checksum; the baseline is named by its digest only."""
        state = RoleSummaryState(
            max_features=self._max_features,
            rows=self._rows,
            without_payload=self._without_payload,
            malformed=self._malformed,
            wrong_shape=self._wrong_shape,
            beyond=self._beyond,
            unexpected_beyond=self._unexpected_beyond,
            null=self._null,
            wrong_type=self._wrong_type,
            opaque=self._opaque,
            unexpected=self._unexpected,
            duplicates=self._duplicates if isinstance(self._duplicates, Repeats) else self._duplicates.state(),
            loose={name: LooseState.of(feature) for name, feature in self._loose.items()},
            profile=self._profile.to_bytes() if self._profile is not None else None,
            out_of_range=self._out_of_range,
        )
        return sealed(TOLD_MARK if self.is_told else MARK, state)

    @classmethod
    def from_bytes(cls, data: bytes, baseline: Baseline | None) -> RoleSummary:
        """What `to_bytes` gave of a summary on `baseline`. Raises `UnreadableSummary`, and `IncompatibleSummaries` for
        another baseline."""
        state = _state(data)
        if (state.profile is None) != (baseline is None):
            raise IncompatibleSummaries(
                "these are the bytes of a summary " + ("without" if state.profile is None else "with") + " a baseline"
            )
        summary = cls(baseline, max_features=state.max_features)
        if state.profile is not None and baseline is not None:
            summary._profile = Profile.from_bytes(state.profile, baseline)
        try:
            found = state.duplicates
            summary._duplicates = found if isinstance(found, Repeats) else Duplicates.of(found)
        except ValueError as error:
            raise UnreadableSummary(f"the digests of rows are not as they should be: {error}") from error
        summary._loose = {name: feature.feature() for name, feature in state.loose.items()}
        summary._rows, summary._without_payload = state.rows, state.without_payload
        summary._malformed, summary._wrong_shape = state.malformed, state.wrong_shape
        summary._beyond, summary._unexpected_beyond = state.beyond, state.unexpected_beyond
        summary._null, summary._wrong_type = state.null, state.wrong_type
        summary._opaque, summary._unexpected = state.opaque, state.unexpected
        summary._out_of_range = state.out_of_range
        return summary

    @classmethod
    def told_from_bytes(cls, data: bytes, baseline: Baseline | None) -> RoleSummary:
        """As `from_bytes`; `told`, also where these are bytes of before summaries left nodes so."""
        summary = cls.from_bytes(data, baseline)
        return summary if summary.is_told else summary.told()

    def _count(
        self,
        null: Mapping[str, int],
        wrong_type: Mapping[str, int],
        out_of_range: Mapping[str, int],
        opaque: Mapping[str, int],
        unexpected: Mapping[str, int],
        *,
        beyond: int,
        unexpected_beyond: int,
        malformed: int,
        wrong_shape: int,
    ) -> None:
        add(self._null, null)
        add(self._wrong_type, wrong_type)
        add(self._out_of_range, out_of_range)
        add(self._opaque, opaque)
        add(self._unexpected, unexpected)
        for counts in (self._null, self._opaque):
            self._beyond += cut(counts, self._max_features, self._kinds)
        self._unexpected_beyond += unexpected_beyond + cut(self._unexpected, MOST_NAMES)
        self._beyond += beyond
        self._malformed += malformed
        self._wrong_shape += wrong_shape

    def _update_profile(self, profile: Profile, columns: Columns) -> None:
        if columns.plain is not None and (layout := self._layout_of(columns.plain)).complete:
            matrix = columns.plain.matrix
            in_order = matrix if layout.places is None else np.ascontiguousarray(matrix[:, layout.places])
            # One row waits for others, to be summarised with them.
            profile.update_row(in_order[0]) if len(in_order) == 1 else profile.update_rows(in_order)
            return
        numbers, rows = columns.all_numbers(), columns.rows
        found: dict[str, Any] = {}
        for name, kind in self._kinds.items():
            if kind == "numeric":
                found[name] = _with_mask(numbers.get(name), rows)
            else:
                found[name] = columns.labels.get(name) or [None] * rows
        profile.update(found)

    def _layout_of(self, plain: Plain) -> _Layout:
        if self._layout.names is plain.names:
            return self._layout
        places = {name: place for place, name in enumerate(plain.names)}
        wanted = [places.get(name, -1) for name in self._kinds]
        as_it_is = wanted == list(range(len(plain.names)))
        complete = -1 not in wanted and "category" not in self._kinds.values()
        self._layout = _Layout(plain.names, None if as_it_is else np.array(wanted, np.intp), complete)
        return self._layout

    def _absent(self) -> dict[str, int]:
        others = (self._null, self._wrong_type, self._opaque)
        present = {name: 0 for counts in others for name in counts}
        present |= {name: feature.count for name, feature in self._loose.items()}
        if self._profile is not None:
            for name, kind in self._kinds.items():
                found: Any = self._profile[name]
                total, missing = (
                    (found.moments.total, found.moments.missing) if kind == "numeric" else (found.total, found.missing)
                )
                present[name] = total - missing
        absent = {
            name: self._rows - count - sum(counts.get(name, 0) for counts in others) for name, count in present.items()
        }
        return {name: count for name, count in absent.items() if count > 0}


def _with_mask(column: NumberColumn | None, rows: int) -> Any:
    if column is None:
        return np.zeros(rows), np.ones(rows, np.bool_)
    return column.values if column.missing is None else (column.values, column.missing)


def profile_bytes(data: bytes) -> bytes | None:
    """The bytes of the profile in what `RoleSummary.to_bytes` gave; None where it is on no baseline. Raises
    `UnreadableSummary`."""
    return _state(data).profile


def _state(data: bytes) -> _Kept | _Told:
    return opened(TOLD_MARK, data, _Told) if data[:4] == TOLD_MARK else opened(MARK, data, _Kept)
