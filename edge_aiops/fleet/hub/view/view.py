"""The view of the fleet: reads what a question is about, and has it judged in threads."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence

from msgspec import structs

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import InvalidInput, UnknownModel
from edge_aiops.fleet.hub.nodes import KnownNode
from edge_aiops.fleet.hub.view.alerts import FleetAlert, folded
from edge_aiops.fleet.hub.view.answers import (
    DriftAnswer,
    MetricsAnswer,
    OutliersAnswer,
    QualityAnswer,
)
from edge_aiops.fleet.hub.view.drift import Question, drift_of
from edge_aiops.fleet.hub.view.gathering import Days, by_day, role_windows
from edge_aiops.fleet.hub.view.metrics import series_of, totals_of
from edge_aiops.fleet.hub.view.node_summaries import Layout, NodeSummaries, node_summaries
from edge_aiops.fleet.hub.view.outliers import outliers_of
from edge_aiops.fleet.hub.view.pieces import Piece, nodes_of, role_summary
from edge_aiops.fleet.hub.view.quality import FleetQuality, quality_of
from edge_aiops.fleet.hub.view.reading import Reading
from edge_aiops.fleet.hub.view.selection import DAY_MS, HOUR_MS, Selection, Stretch
from edge_aiops.fleet.hub.view.series import Chosen, deployments_of, on_one_baseline
from edge_aiops.fleet.hub.view.status import FleetStatus, NotableNode, states_of, status_of
from edge_aiops.journal.events import ServedBy
from edge_aiops.observe.baselines.baseline import ROLES
from edge_aiops.observe.drift.rules import Tests
from edge_aiops.observe.granularity import WIDTH_MS, Granularity
from edge_aiops.observe.models import ObservedModel
from edge_aiops.observe.quality.judge import Judge
from edge_aiops.observe.series import Kind
from edge_aiops.plugin.guarding import Guard
from edge_aiops.stats.summaries import Baseline
from edge_aiops.store.shared.database import Database

MOST_WINDOWS = 2_000
"""Of a series; as on a node."""
MOST_RECORDS = 50_000
"""Changes of alerts that one answer is made of."""
DAYS_AT_ONCE = 30
"""Whose windows are read in one statement."""

Models = Callable[[str, str], Awaitable[ObservedModel | None]]
"""What the registry knows of a model version."""


class FleetView:
    """Answers questions about any part of the fleet. `k`: counts below it are withheld."""

    def __init__(
        self,
        database: Database,
        *,
        models: Models,
        tests: Tests,
        judge: Judge,
        clock: Clock,
        k: int,
    ) -> None:
        self._reading = Reading(database)
        self._models = models
        self._tests = tests
        self._judge = judge
        self._guard = Guard()
        self._clock = clock
        self.k = k

    @property
    def now_ms(self) -> int:
        """The hub's clock."""
        return self._clock.now_ms()

    async def metrics(self, selection: Selection, granularity: Granularity) -> MetricsAnswer:
        """Performance and labels: each version over the span, and window by window."""
        node_ids = await self._node_ids(selection)
        width_ms = WIDTH_MS[granularity]
        if node_ids is not None and width_ms < HOUR_MS:
            raise InvalidInput.of(
                "granularity", "windows of five minutes are kept of whole groups only; ask for hourly or daily ones"
            )
        stretch = Stretch(
            width_ms, selection.from_ms - selection.from_ms % width_ms, -(-selection.until_ms // width_ms) * width_ms
        )
        if (stretch.until_ms - stretch.from_ms) // width_ms > MOST_WINDOWS:
            raise InvalidInput.of(
                "granularity", f"that would be more than {MOST_WINDOWS} windows; ask for wider ones, or a shorter span"
            )
        pieces = await self._reading.span(selection, ("performance", "labels"), node_ids)
        windows = await self._reading.windows(selection, ("performance", "labels"), stretch, node_ids)
        self._refuse_nothing(selection, [*pieces, *windows])
        now_ms = self._clock.now_ms()
        totals = await asyncio.to_thread(
            totals_of, pieces, selection.from_ms, selection.until_ms, now_ms=now_ms, k=self.k
        )
        series = await asyncio.to_thread(series_of, windows, granularity, now_ms=now_ms, k=self.k)
        return MetricsAnswer(
            selection=selection,
            granularity=granularity,
            nodes=nodes_of(pieces),
            deployments=deployments_of(pieces),
            totals=totals.shown,
            series=series.shown,
            withheld=totals.withheld + series.withheld,
        )

    async def drift(
        self,
        selection: Selection,
        *,
        alpha: float,
        min_effect: float,
        one_look: bool = False,
        evidence_since: int | None = None,
        baseline: str | None = None,
    ) -> DriftAnswer:
        """Each version and drift type against the baseline that most of the selection is on.

        Evidence counts from the first day that is kept on, or from `evidence_since`; of nodes chosen by id or label,
        from the first day of the span on. `one_look`: the span alone decides.
        """
        node_ids = await self._node_ids(selection)
        span, found = await self._on_one_baseline(selection, ROLES, node_ids, baseline)
        baselines = await self._reading.baselines(piece.baseline for piece in span)
        days: Days = {}
        if not one_look:
            since_ms = selection.from_ms if evidence_since is None and node_ids is not None else evidence_since
            if since_ms == selection.from_ms and all(piece.width_ms == DAY_MS for piece in span):
                days = await asyncio.to_thread(by_day, span, found, baselines)
            else:
                days = await self._days(selection, since_ms, node_ids, found, baselines)
        question = Question(alpha, min_effect, self.k, "oneLook" if one_look else "alwaysValid")
        results = []
        for version in found.versions:
            windows = await asyncio.to_thread(role_windows, found, version, days, baselines)
            results += await drift_of(
                selection.model_name or "", version, windows, question, tests=self._tests, guard=self._guard
            )
        return DriftAnswer(
            selection=selection,
            evidence_from=min((start for starts in days.values() for start in starts), default=None),
            deployments=deployments_of(span),
            drifted=any(result.drifted for result in results),
            results=results,
            other_baselines=found.others,
        )

    async def drift_or_none(self, selection: Selection, *, alpha: float, min_effect: float) -> DriftAnswer | None:
        """As `drift`; None where there is nothing to look at."""
        try:
            return await self.drift(selection, alpha=alpha, min_effect=min_effect)
        except UnknownModel:
            return None

    async def quality(self, selection: Selection, *, baseline: str | None = None) -> QualityAnswer:
        """The inputs of each version, by the checks that nodes make."""
        node_ids = await self._node_ids(selection)
        span, found = await self._on_one_baseline(selection, ("inputs",), node_ids, baseline)
        baselines = await self._reading.baselines(piece.baseline for piece in span)
        results: list[FleetQuality] = []
        for version in found.versions:
            digest, pieces = found.baseline(version, "inputs"), found.pieces[version, "inputs"]
            summary = await asyncio.to_thread(role_summary, pieces, baselines.get(digest))
            if summary is not None:
                results.append(
                    await quality_of(
                        await self._model(selection.model_name or "", version),
                        digest,
                        summary,
                        from_ms=selection.from_ms,
                        until_ms=selection.until_ms,
                        nodes=nodes_of(pieces),
                        judge=self._judge,
                        k=self.k,
                    )
                )
        return QualityAnswer(selection=selection, results=results, other_baselines=found.others)

    async def outliers(
        self, selection: Selection, *, alpha: float, min_effect: float, limit: int, baseline: str | None = None
    ) -> OutliersAnswer:
        """The nodes of the selection that differ from its others, by one version: the one with the most rows where
        none is named."""
        node_ids = await self._node_ids(selection)
        everyone = await self._reading.node_ids(selection) if node_ids is None else node_ids
        span, found = await self._on_one_baseline(selection, ("inputs", "performance"), node_ids, baseline)
        rows = Counter[str]()
        for piece in span:
            rows[piece.model_version] += piece.n
        version = max(rows, key=lambda name: rows[name])
        selection = structs.replace(selection, model_version=version)
        digest = found.baseline(version, "inputs") if (version, "inputs") in found.pieces else ""
        baselines = await self._reading.baselines([digest])
        layout = await asyncio.to_thread(Layout, baselines[digest]) if digest in baselines else None
        nodes: list[NodeSummaries] = []
        async for windows in self._reading.by_nodes(selection, ("inputs", "performance", "labels"), everyone):
            nodes += await asyncio.to_thread(node_summaries, windows, digest, layout)
        outliers = await asyncio.to_thread(outliers_of, nodes, layout, alpha=alpha, min_effect=min_effect, k=self.k)
        return OutliersAnswer(
            selection=selection,
            nodes=len(nodes),
            alpha=alpha,
            found=len(outliers),
            outliers=outliers[:limit],
            other_baselines=[other for other in found.others if other.model_version == version],
        )

    async def alerts(self, selection: Selection) -> list[FleetAlert]:
        """The alerts of the selection's nodes, and the hub's own, that changed since its beginning; newest first."""
        node_ids = None
        if selection.by_node or selection.group is not None:
            node_ids = await self._reading.node_ids(selection, group=selection.group)
        records = await self._reading.alerts(selection.from_ms, node_ids, MOST_RECORDS)
        alerts = await asyncio.to_thread(folded, records)
        return [alert for alert in alerts if selection.model_name in (None, alert.model_name)]

    async def status(self, generation: int, silent_after_ms: int) -> FleetStatus:
        """How the nodes are. `generation`: of the hub's desired state; silent is a node that was last heard of longer
        ago than `silent_after_ms`."""
        nodes = await self._reading.nodes()
        reports, unmerged = await self._reading.reports(), await self._reading.unmerged()
        silent_before_ms = self._clock.now_ms() - silent_after_ms
        return await asyncio.to_thread(
            status_of, nodes, reports, generation=generation, unmerged=unmerged, silent_before_ms=silent_before_ms
        )

    async def nodes(self) -> Mapping[str, KnownNode]:
        """All nodes by id."""
        return await self._reading.nodes()

    async def silent(self, nodes: Mapping[str, KnownNode], silent_after_ms: int) -> list[NotableNode]:
        """Those of `nodes` that were last heard of longer ago than `silent_after_ms` before the last push of any node:
        where none pushes, it is the hub that was not reached."""
        reports = await self._reading.reports()
        before_ms = max((report.last_seen for report in reports), default=0) - silent_after_ms
        states = await asyncio.to_thread(states_of, nodes, reports, silent_before_ms=before_ms)
        return [state for state in states if state.silent]

    async def models(self, since_ms: int) -> list[str]:
        """The names of the models that nodes have sent anything of since then."""
        return await self._reading.models(since_ms)

    async def _node_ids(self, selection: Selection) -> Sequence[str] | None:
        return await self._reading.node_ids(selection) if selection.by_node else None

    async def _on_one_baseline(
        self, selection: Selection, kinds: Sequence[Kind], node_ids: Sequence[str] | None, baseline: str | None
    ) -> tuple[list[Piece], Chosen]:
        span = await self._reading.span(selection, kinds, node_ids)
        self._refuse_nothing(selection, span)
        readable = await self._reading.baselines(piece.baseline for piece in span)
        return span, await asyncio.to_thread(on_one_baseline, span, readable, baseline, k=self.k)

    async def _days(
        self,
        selection: Selection,
        since_ms: int | None,
        node_ids: Sequence[str] | None,
        found: Chosen,
        baselines: Mapping[str, Baseline],
    ) -> Days:
        """The days of what was found, since then, or since the first that is kept; some at a time."""
        first_ms = await self._reading.first_day(selection, ROLES) or selection.from_ms
        begins_ms = max(first_ms, since_ms or 0)
        days: Days = {}
        for start_ms in range(begins_ms - begins_ms % DAY_MS, selection.until_ms, DAYS_AT_ONCE * DAY_MS):
            until_ms = min(start_ms + DAYS_AT_ONCE * DAY_MS, -(-selection.until_ms // DAY_MS) * DAY_MS)
            pieces = await self._reading.windows(selection, ROLES, Stretch(DAY_MS, start_ms, until_ms), node_ids)
            for key, read in (await asyncio.to_thread(by_day, pieces, found, baselines)).items():
                days.setdefault(key, {}).update(read)
        return days

    async def _model(self, name: str, version: str) -> ObservedModel:
        known = await self._models(name, version)
        return known or ObservedModel(served_by=ServedBy(name, version, 0), stage="production")

    def _refuse_nothing(self, selection: Selection, pieces: Sequence[Piece]) -> None:
        if not pieces:
            version = f" {selection.model_version}" if selection.model_version else ""
            raise UnknownModel(
                f"no node of this selection has sent anything of model {selection.model_name}{version} in this span; "
                "new requests are here within ten minutes; or choose another model, a longer span with last, or fewer "
                "conditions"
            )
