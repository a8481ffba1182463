"""What synthetic nodes have seen: requests to one model, drawn at random and summarised as a node does it."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np

from edge_aiops.fleet.messages.push import RowKind
from edge_aiops.observe.columns.columns import Columns, Plain
from edge_aiops.observe.labels import LabelCounts, Labels
from edge_aiops.observe.performance import EventColumns, Performance
from edge_aiops.observe.series import Summary
from edge_aiops.observe.summaries import RoleSummary
from edge_aiops.stats.summaries import Baseline

BASELINE_ROWS = 20_000
LABELLED = 10
"""One of so many requests gets a label."""
ACCURACY = 0.95


class Counted(NamedTuple):
    """One summary of a window."""

    kind: RowKind
    baseline: str
    """The digest of its baseline; "" for none."""
    n: int
    summary: Summary


class Traffic:
    """Requests with `features` numbers each, standard normal, and an answer of one; all on the same two baselines.

    On a shifted node the first feature is `shift` standard deviations higher.
    """

    def __init__(self, *, features: int, requests: int, shift: float, seed: int) -> None:
        random = np.random.default_rng(seed)
        self._names = tuple(f"x{place:03d}" for place in range(features))
        self._requests = requests
        self._shift = shift
        drawn = {name: random.normal(size=BASELINE_ROWS) for name in self._names}
        self._inputs = Baseline(drawn)
        self._outputs = Baseline({"y": drawn[self._names[0]]})
        contents = [baseline.to_bytes() for baseline in (self._inputs, self._outputs)]
        self.baselines = {hashlib.sha256(content).hexdigest(): content for content in contents}
        """Their bytes by digest, that of the inputs first."""

    def window(self, random: np.random.Generator, start_ms: int, *, shifted: bool) -> list[Counted]:
        """The summaries of five minutes of one node."""
        rows = self._rows(random, shifted=shifted)
        inputs, outputs = self.baselines
        labelled = max(1, self._requests // LABELLED)
        right = int(random.binomial(labelled, ACCURACY))
        labels = LabelCounts()
        labels.give(Labels(labelled, right, labelled - right, np.empty(0)))
        return [
            Counted("performance", "", self._requests, self._performance(random, start_ms)),
            Counted("labels", "", labelled, labels),
            Counted("inputs", inputs, self._requests, _summary(self._inputs, self._names, rows)),
            Counted("outputs", outputs, self._requests, _summary(self._outputs, ("y",), rows[:, :1])),
        ]

    def _rows(self, random: np.random.Generator, *, shifted: bool) -> np.ndarray:
        rows = random.normal(size=(self._requests, len(self._names)))
        if shifted:
            rows[:, 0] += self._shift
        return rows

    def _performance(self, random: np.random.Generator, start_ms: int) -> Performance:
        latency_s = random.lognormal(-4.5, 0.4, self._requests)
        made = Performance()
        made.add(
            EventColumns(
                at_ms=(start_ms, start_ms + 299_999) * (self._requests // 2) + (start_ms,) * (self._requests % 2),
                rows=self._requests,
                errors=[],
                latency_s=latency_s,
                queue_s=latency_s / 10,
                batch_rows=np.ones(self._requests, np.int64),
                confidence=random.beta(8, 2, self._requests),
            )
        )
        return made


def _summary(baseline: Baseline, names: tuple[str, ...], matrix: np.ndarray) -> RoleSummary:
    summary = RoleSummary(baseline, max_features=len(names))
    summary.update(Columns(rows=len(matrix), plain=Plain(names, np.ascontiguousarray(matrix))))
    return summary.told()
