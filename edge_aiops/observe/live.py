"""What has been read from the journal and is not written yet: summaries of each window, growing in memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from edge_aiops.journal.events import LabelChange, LabelledEvent, NewEvent, RecordedEvent, ServedBy
from edge_aiops.observe.baselines.baseline import ModelBaseline, Role
from edge_aiops.observe.columns import Columns, InputColumns, OutcomeColumns, OutputColumns
from edge_aiops.observe.columns.classes import LABEL
from edge_aiops.observe.columns.outcomes import ABSOLUTE_ERROR, CORRECT, OUTCOME
from edge_aiops.observe.config import AggregationConfig
from edge_aiops.observe.forwarding import Delta
from edge_aiops.observe.granularity import WIDTH_MS, window_start
from edge_aiops.observe.labels import LabelCounts, Labels
from edge_aiops.observe.models import ObservedModel
from edge_aiops.observe.performance import EventColumns, Performance
from edge_aiops.observe.series import FINEST, ROLE, Kind, Series, Summary, Window
from edge_aiops.observe.summaries import RoleSummary, Sketches


class EventsRead(NamedTuple):
    """The columns of some events."""

    inputs: Columns
    outputs: Columns
    events: int


class VersionReader:
    """Makes columns of what one model version takes, gives and is told, on its baseline."""

    def __init__(self, model: ObservedModel, baseline: ModelBaseline | None, config: AggregationConfig) -> None:
        self.model = model
        self.baseline = baseline
        self.inputs = InputColumns(model, baseline.inputs if baseline else None, max_features=config.max_features)
        self.outputs = OutputColumns(baseline.outputs if baseline else None)
        self.outcomes = OutcomeColumns(baseline.outcomes if baseline else None)
        classes = frozenset(model.class_labels)
        self.declared: Mapping[Role, Mapping[str, frozenset[str]]] = {
            "inputs": self.inputs.declared,
            "outputs": {LABEL: classes},
            "outcomes": {OUTCOME: classes, CORRECT: frozenset(("true", "false"))},
        }
        """The labels that everybody may know who knows the model, by feature."""

    def read(self, events: Sequence[NewEvent]) -> EventsRead:
        """What went in and what came out."""
        return EventsRead(self.inputs.read(events), self.outputs.read(events), len(events))


class LiveWindows:
    """Deltas by window, of one boot of the journal."""

    def __init__(self) -> None:
        self.deltas: dict[Window, Summary] = {}
        self.items: Counter[Window] = Counter()
        """Events, or changes of labels, in each of them."""
        self.changes: list[LabelChange] = []
        """Those to pass on as they are."""
        self.events: list[RecordedEvent] = []
        """Those to pass on as they are."""

    def performed(self, served_by: ServedBy, at_ms: int, columns: EventColumns) -> None:
        """Count requests of the window that `at_ms` lies in."""
        window = _window("performance", served_by, at_ms)
        performance = self.deltas.setdefault(window, Performance())
        assert isinstance(performance, Performance)
        performance.add(columns)
        self.items[window] += len(columns.at_ms)

    def observed(self, reader: VersionReader, at_ms: int, read: EventsRead, config: AggregationConfig) -> None:
        """Summarise what went into a model and what came out, for events of the window that `at_ms` lies in."""
        self._summarise("inputs", "inputSketches", reader, at_ms, read.inputs, config, items=read.events)
        self._summarise("outputs", "outputSketches", reader, at_ms, read.outputs, config, items=read.events)

    def compared(
        self,
        reader: VersionReader,
        at_ms: int,
        read: EventsRead,
        labelled: Sequence[LabelledEvent],
        config: AggregationConfig,
    ) -> None:
        """Summarise, on a baseline that is new, events that are counted already."""
        self._summarise("inputs", None, reader, at_ms, read.inputs, config, items=read.events)
        self._summarise("outputs", None, reader, at_ms, read.outputs, config, items=read.events)
        if labelled:
            outcomes = reader.outcomes.read(labelled)
            self._summarise("outcomes", None, reader, at_ms, outcomes, config, items=len(labelled))

    def labelled(
        self, reader: VersionReader, at_ms: int, changes: Sequence[LabelChange], config: AggregationConfig
    ) -> None:
        """Count what became known of predictions that were made in the window that `at_ms` lies in."""
        window = _window("labels", reader.model.served_by, at_ms)
        counts = self.deltas.setdefault(window, LabelCounts())
        assert isinstance(counts, LabelCounts)
        counts.give(_labels(reader, [change.now for change in changes]))
        self.items[window] += sum(change.steps for change in changes)
        if before := [change.before for change in changes if change.before is not None]:
            counts.retract(_labels(reader, before))
        if first := [change.now for change in changes if change.before is None]:
            # Of a label that is changed later a distribution keeps what it was first: nothing can be taken out of it.
            self._summarise("outcomes", None, reader, at_ms, reader.outcomes.read(first), config, items=len(first))

    def grown(self) -> dict[Window, Delta]:
        """What each window grew by, and by how much."""
        return {window: Delta(summary, self.items[window]) for window, summary in self.deltas.items()}

    def absorb(self, window: Window, delta: Delta) -> None:
        """Take in what another one has of a window."""
        self.items[window] += delta.items
        if window in self.deltas:
            self.deltas[window].merge(delta.summary)
        else:
            self.deltas[window] = delta.summary

    def _summarise(
        self,
        role: Role,
        sketched: Kind | None,
        reader: VersionReader,
        at_ms: int,
        columns: Columns,
        config: AggregationConfig,
        *,
        items: int,
    ) -> None:
        served_by, baseline = reader.model.served_by, reader.baseline
        window = _window(role, served_by, at_ms, baseline)
        summary = self.deltas.get(window)
        if summary is None:
            reference = baseline.of(role) if baseline else None
            summary = self.deltas[window] = RoleSummary(
                reference, max_features=config.max_features, declared=reader.declared[role]
            )
        assert isinstance(summary, RoleSummary)
        summary.update(columns)
        self.items[window] += items
        if sketched is not None and config.quantiles:
            window = _window(sketched, served_by, at_ms)
            sketches = self.deltas.setdefault(window, Sketches(max_features=config.max_features))
            assert isinstance(sketches, Sketches)
            sketches.update(columns)
            self.items[window] += items


def profiles(deltas: Iterable[tuple[Window, Summary]]) -> Iterator[tuple[ServedBy, Role, int, RoleSummary]]:
    """What came in of each role of each version on each baseline, over all windows."""
    merged: dict[tuple[str, str, Role, int], tuple[ServedBy, RoleSummary]] = {}
    for window, summary in deltas:
        kind, name, version, deployment, baseline = window.series
        if kind not in ROLE or not isinstance(summary, RoleSummary) or summary.profile is None:
            continue
        key = name, version, ROLE[kind], baseline
        if key not in merged:
            merged[key] = (
                ServedBy(name, version, deployment),
                RoleSummary.from_bytes(summary.to_bytes(), summary.profile.baseline),
            )
        else:
            merged[key][1].merge(summary)
    for (_, _, role, baseline), (served_by, whole) in merged.items():
        yield served_by, role, baseline, whole


def by_window(events: Iterable[NewEvent]) -> dict[tuple[ServedBy, int], list[NewEvent]]:
    """Events by who answered and by five-minute window."""
    groups: dict[tuple[ServedBy, int], list[NewEvent]] = defaultdict(list)
    for event in events:
        groups[event.served_by, window_start(event.at_ms, "5min")].append(event)
    return groups


def changes_by_window(changes: Iterable[LabelChange]) -> dict[tuple[ServedBy, int], list[LabelChange]]:
    """Changes of labels by who answered and by the window of the prediction."""
    groups: dict[tuple[ServedBy, int], list[LabelChange]] = defaultdict(list)
    for change in changes:
        groups[change.now.served_by, window_start(change.now.at_ms, "5min")].append(change)
    return groups


def _window(kind: Kind, served_by: ServedBy, at_ms: int, baseline: ModelBaseline | None = None) -> Window:
    granularity = FINEST[kind]
    return Window(Series.of(kind, served_by, baseline), WIDTH_MS[granularity], window_start(at_ms, granularity))


def _labels(reader: VersionReader, labelled: Sequence[LabelledEvent]) -> Labels:
    columns = reader.outcomes.read(labelled)
    correct = columns.labels.get(CORRECT, [])
    errors = columns.all_numbers().get(ABSOLUTE_ERROR)
    return Labels(
        labelled=len(labelled),
        right=correct.count("true"),
        wrong=correct.count("false"),
        absolute_errors=errors.present if errors else np.empty(0),
    )
