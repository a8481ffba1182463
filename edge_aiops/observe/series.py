"""What windows are kept of: a kind of summary, of one model version, on one baseline."""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol, Self

from edge_aiops.journal.events import ServedBy
from edge_aiops.observe import labels, performance
from edge_aiops.observe.baselines.baseline import ModelBaseline, Role
from edge_aiops.observe.envelope import checked
from edge_aiops.observe.granularity import Granularity
from edge_aiops.observe.labels import LabelCounts
from edge_aiops.observe.performance import Performance
from edge_aiops.observe.summaries import RoleSummary, Sketches, role
from edge_aiops.stats import UnreadableSummary

Kind = Literal["performance", "labels", "inputs", "outputs", "outcomes", "inputSketches", "outputSketches"]

FINEST: dict[Kind, Granularity] = {
    "performance": "5min",
    "labels": "5min",
    "inputs": "5min",
    "outputs": "5min",
    "outcomes": "5min",
    "inputSketches": "hourly",
    "outputSketches": "hourly",
}
"""The narrowest windows of each kind. A sketch takes ten times the room of a histogram: one an hour is enough."""

ROLE: dict[Kind, Role] = {"inputs": "inputs", "outputs": "outputs", "outcomes": "outcomes"}


class Series(NamedTuple):
    """Windows that merge with each other."""

    kind: Kind
    model_name: str
    model_version: str
    deployment_version: int
    baseline: int
    """The number of the baseline whose bins the summaries are on; 0 for none."""

    @classmethod
    def of(cls, kind: Kind, served_by: ServedBy, baseline: ModelBaseline | None = None) -> Series:
        """The series of a deployment."""
        return cls(kind, *served_by, 0 if baseline is None else baseline.number)


class Window(NamedTuple):
    """One window of a series."""

    series: Series
    width_ms: int
    start_ms: int


class Summary(Protocol):
    """What a window holds."""

    def merge(self, other: Self) -> None:
        """Take in what `other` holds."""

    def to_bytes(self) -> bytes:
        """As bytes with a version and a checksum."""


def read_summary(kind: Kind, data: bytes, baseline: ModelBaseline | None) -> Summary:
    """The summary in `data`, which was made on `baseline`. Raises `UnreadableSummary`, `IncompatibleSummaries`."""
    if kind == "performance":
        return Performance.from_bytes(data)
    if kind == "labels":
        return LabelCounts.from_bytes(data)
    if kind in ROLE:
        return RoleSummary.from_bytes(data, baseline.of(ROLE[kind]) if baseline else None)
    return Sketches.from_bytes(data)


def check_told(kind: Kind, data: bytes) -> None:
    """See that these are the bytes of a summary of this kind as it leaves a node, undamaged, without reading them.
    Raises `UnreadableSummary`, also for a kind that never leaves one."""
    if kind not in _TOLD_MARKS:
        raise UnreadableSummary(f"{kind} stay on the node")
    checked(_TOLD_MARKS[kind], data, kind)


_TOLD_MARKS: dict[Kind, bytes] = {
    "performance": performance.MARK,
    "labels": labels.MARK,
    **dict.fromkeys(ROLE, role.TOLD_MARK),
}
