"""Nodes that differ from the rest of the fleet are named, with by how much; others are not."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pytest

from edge_aiops.fleet.hub.view.node_summaries import Layout, NodeSummaries, node_summaries
from edge_aiops.fleet.hub.view.outliers import LEAST_NODES, Outlier, outliers_of
from edge_aiops.fleet.hub.view.pieces import Piece, merged_by, profiles_by
from edge_aiops.observe.drift.distributions import both_sides
from edge_aiops.observe.drift.evidence import in_groups
from edge_aiops.observe.labels import LabelCounts, Labels
from edge_aiops.observe.performance import Performance
from edge_aiops.stats.distances import chi_square_test, fisher_exact_test, psi, psi_without_drift
from edge_aiops.stats.multiplicity import benjamini_yekutieli
from edge_aiops.stats.special import normal_upper
from edge_aiops.stats.summaries import Baseline, Profile
from tests.unit.fleet.hub.view.made import DIGEST, inputs, labels, performance, piece


class Known(NamedTuple):
    """A fleet as it is compared."""

    nodes: list[NodeSummaries]
    layout: Layout | None


def known(pieces: Iterable[Piece], baseline: Baseline | None = None) -> Known:
    windows = [(of.owner, of.kind, of.baseline, of.summary) for of in pieces]
    layout = None if baseline is None else Layout(baseline)
    return Known(node_summaries(windows, DIGEST, layout), layout)


def fleet(
    random: np.random.Generator, *, nodes: int, shifted: dict[int, float] | None = None, rows: int = 300
) -> Known:
    names = ("a", "b", "c")
    baseline = Baseline({name: random.normal(size=10_000) for name in names})
    means = [{"b": (shifted or {}).get(number, 0.0)} for number in range(nodes)]
    return known(
        (
            piece(
                inputs(baseline, {name: random.normal(mean.get(name, 0.0), size=rows) for name in names}),
                owner=f"{number:02}",
            )
            for number, mean in enumerate(means)
        ),
        baseline,
    )


def found(fleet: Known, *, min_effect: float = 0.1, k: int = 10) -> list[Outlier]:
    return outliers_of(fleet.nodes, fleet.layout, alpha=0.05, min_effect=min_effect, k=k)


def test_a_node_that_sees_something_else_is_found_and_ranked_by_how_much() -> None:
    outliers = found(fleet(np.random.default_rng(1), nodes=60, shifted={7: 1.0, 20: 2.0}))
    assert [(of.node_id, of.feature) for of in outliers] == [("20", "b"), ("07", "b")]
    assert outliers[0].effect_size > outliers[1].effect_size > 0.3
    assert outliers[1].node == pytest.approx(1.0, abs=0.2)
    assert outliers[1].fleet == pytest.approx(2.0 / 59, abs=0.02)  # of the others, the other outlier among them


def test_in_fleets_that_are_all_alike_a_node_is_hardly_ever_found() -> None:
    """100 fleets, 60 nodes, 3 features, at 5 %: without the correction there would be 900 tests that find something."""
    random = np.random.default_rng(2)
    fleets = [found(fleet(random, nodes=60, rows=100), min_effect=0.0) for _ in range(100)]
    assert sum(bool(outliers) for outliers in fleets) <= 5


def test_a_small_difference_is_certain_with_many_rows_and_no_outlier() -> None:
    nodes = fleet(np.random.default_rng(3), nodes=10, shifted={4: 0.1}, rows=30_000)
    assert found(nodes) == []
    assert [of.node_id for of in found(nodes, min_effect=0.001)] == ["04"]


def test_a_node_that_makes_up_most_of_the_fleet_is_compared_with_the_others() -> None:
    random = np.random.default_rng(4)
    small = fleet(random, nodes=4, rows=300)
    (large,) = fleet(np.random.default_rng(4), nodes=1, shifted={0: 1.0}, rows=30_000).nodes
    outliers = found(Known([*small.nodes, large._replace(node_id="large")], small.layout))
    assert "large" in {of.node_id for of in outliers}


def test_nodes_stand_out_by_errors_by_latency_and_by_accuracy() -> None:
    random = np.random.default_rng(9)
    answers: list[Performance] = [
        performance(1_000, errors=int(random.binomial(1_000, 0.02)), latency_s=0.01 * math.exp(random.normal(0, 0.1)))
        for _ in range(30)
    ]
    truths = [labels(int(right), 200 - int(right)) for right in random.binomial(200, 0.9, size=30)]
    answers[3] = performance(1_000, errors=150)
    answers[8] = performance(1_000, errors=20, latency_s=0.1)
    truths[11] = labels(100, 100)
    nodes = known(
        piece(summary, kind=kind, owner=str(number))
        for kind, summaries in (("performance", answers), ("labels", truths))
        for number, summary in enumerate(summaries)
    )
    outliers = {of.subject: of for of in found(nodes)}
    assert [(of.node_id, of.subject) for of in found(nodes)] == [
        ("11", "accuracy"), ("3", "errorRate"), ("8", "latency"),
    ]  # fmt: skip
    assert outliers["errorRate"].node == 0.15
    assert outliers["accuracy"].effect_size == pytest.approx(-0.4, abs=0.03)
    assert outliers["latency"].node == pytest.approx(100, rel=0.02)
    assert outliers["latency"].fleet == pytest.approx(10, rel=0.2)


def test_nodes_with_few_rows_are_not_shown_however_strange() -> None:
    random = np.random.default_rng(6)
    (few,) = fleet(np.random.default_rng(6), nodes=1, shifted={0: 9.0}, rows=9).nodes
    others = fleet(random, nodes=5)
    assert found(Known([*others.nodes, few._replace(node_id="few")], others.layout)) == []


@pytest.mark.parametrize("values", [(1e307, -1e307), (1e305, 1e305, 1e305)])
def test_values_whose_sum_no_float_holds_have_a_mean(values: tuple[float, ...]) -> None:
    baseline = Baseline({"a": np.arange(1_000.0)})
    columns = [np.arange(900.0), *(np.full(900, value) for value in values)]
    nodes = (piece(inputs(baseline, {"a": of}), owner=str(number)) for number, of in enumerate(columns))
    outliers = {of.node_id: of for of in found(known(nodes, baseline))}
    assert outliers["1"].node == values[0]
    assert outliers["0"].fleet == pytest.approx(sum(value / len(values) for value in values), rel=1e-9)


@pytest.mark.parametrize("nodes", [0, 1])
def test_without_others_there_is_nothing_to_differ_from(nodes: int) -> None:
    assert found(fleet(np.random.default_rng(7), nodes=nodes, shifted={0: 3.0})) == []


def test_labels_that_were_retracted_after_the_span_began_leave_none_below_zero() -> None:
    retracted = LabelCounts()
    retracted.give(Labels(60, 60, 0, np.empty(0)))
    retracted.retract(Labels(20, 0, 20, np.empty(0)))
    truths = [retracted, *(labels(50, 50) for _ in range(5))]
    nodes = known(piece(of, kind="labels", owner=str(number)) for number, of in enumerate(truths))
    assert [(of.node_id, of.rows, of.node) for of in found(nodes)] == [("0", 60, 1.0)]


def random_fleet(random: np.random.Generator) -> tuple[list[Piece], Baseline]:
    """Two windows a node, of few or many rows, of numbers, of labels that the baseline may not know, with and without
    missing and infinite values; some nodes without inputs, requests or labels."""
    colours = np.array(["red", "green", "blue", "new"])
    baseline = Baseline(
        {
            "number": random.normal(size=2_000),
            "grade": random.integers(0, 4, size=2_000).astype(float),
            "colour": random.choice(colours[:3], size=2_000),
        }
    )
    pieces: list[Piece] = []
    for number in range(int(random.integers(9, 30))):
        for _ in range(2):
            rows, owner = int(random.choice([3, 30, 400])), f"{number:02}"
            values = random.normal(random.choice([0.0, 0.0, 1.0]), size=rows)
            values[random.random(rows) < random.choice([0.0, 0.2])] = random.choice([np.nan, np.inf])
            columns: dict[str, Any] = {
                "number": values,
                "grade": random.integers(0, random.choice([4, 4, 2]), size=rows).astype(float),
                "colour": random.choice(colours, p=random.dirichlet([30, 30, 30, 2]), size=rows).tolist(),
            }
            made: dict[str, Any] = {
                "inputs": inputs(baseline, columns),
                "performance": performance(rows, errors=int(random.integers(0, 3)), latency_s=random.lognormal(-4, 1)),
                "labels": labels(rows, int(random.integers(0, 5))),
            }
            pieces += [piece(of, kind=kind, owner=owner) for kind, of in made.items() if random.random() < 0.9]
    return pieces, baseline


Test = tuple[tuple[str, str, str | None, int, float], tuple[float, float | None, float | None]]
"""The node, the subject, the feature, the rows and p; the size of the effect, the node's number and the fleet's."""


def one_by_one(pieces: list[Piece], baseline: Baseline, k: int) -> list[Test]:
    """Every test of features and rates by its definition: whole summaries, and each node against a sum of others."""
    tests: list[Test] = []
    of_kind = {kind: [of for of in pieces if of.kind == kind] for kind in ("inputs", "performance", "labels")}
    profiles: dict[str, Profile] = profiles_by(of_kind["inputs"], baseline, lambda of: of.owner)
    for name in baseline.names:
        cells = {}
        for node_id, profile in profiles.items():
            current = both_sides(profile, name)[1]
            cells[node_id] = np.append(in_groups(current), np.int64(current.missing)).astype(np.int64)
        moments = {node_id: getattr(profile[name], "moments", None) for node_id, profile in profiles.items()}
        for node_id, own in cells.items():
            others = sum((of for other, of in cells.items() if other != node_id), np.zeros_like(own))
            if (p_value := chi_square_test(others, own).p_value) is None or own.sum() < k:
                continue
            filled = int(np.count_nonzero(others + own))
            by_chance = psi_without_drift(filled, int(others.sum()), int(own.sum()))
            size = max(0.0, (psi(others, own).effect_size or 0.0) - by_chance)
            rest = [of for other, of in moments.items() if other != node_id and of is not None and of.count]
            numbers = sum(of.count for of in rest)
            fleet = sum(of.mean * of.count for of in rest) / numbers if numbers else None
            node = None if moments[node_id] is None else moments[node_id].mean
            tests.append(((node_id, "feature", name, int(own.sum()), p_value), (size, node, fleet)))
    served = merged_by(of_kind["performance"], Performance, lambda of: of.owner)
    told = merged_by(of_kind["labels"], LabelCounts, lambda of: of.owner)
    for subject, rates in (
        ("errorRate", {node_id: (of.requests - of.errors, of.errors) for node_id, of in served.items()}),
        ("accuracy", {node_id: (of.wrong, of.right) for node_id, of in told.items()}),
    ):
        for node_id, pair in rates.items():
            own = np.array(pair)
            others = sum((np.array(of) for other, of in rates.items() if other != node_id), np.zeros(2, np.int64))
            if (p_value := fisher_exact_test(others, own).p_value) is not None and own.sum() >= k:
                node, fleet = float(own[1] / own.sum()), float(others[1] / others.sum())
                tests.append(((node_id, subject, None, int(own.sum()), p_value), (node - fleet, node, fleet)))
    return tests


def latencies_one_by_one(pieces: list[Piece], k: int) -> list[Test]:
    served = merged_by((of for of in pieces if of.kind == "performance"), Performance, lambda of: of.owner)
    slow = {node_id: of.latency.quantile(0.95) or 1.0 for node_id, of in served.items() if of.requests >= k}
    if len(slow) < LEAST_NODES:
        return []
    median = float(np.median([math.log(of) for of in slow.values()]))
    spread = 1.4826 * float(np.median([abs(math.log(of) - median) for of in slow.values()]))
    return [
        (
            (node_id, "latency", None, served[node_id].requests, 2 * normal_upper(abs(math.log(of) - median) / spread)),
            (math.log(of) - median, of * 1000, math.exp(median) * 1000),
        )
        for node_id, of in slow.items()
    ]


@pytest.mark.parametrize("seed", range(8))
def test_nodes_are_found_as_if_each_were_compared_by_itself(seed: int) -> None:
    pieces, baseline = random_fleet(np.random.default_rng(seed))
    tests = one_by_one(pieces, baseline, k=10) + latencies_one_by_one(pieces, k=10)
    adjusted = benjamini_yekutieli([test[-1] for test, _ in tests], alpha=0.05).adjusted
    expected = {
        test[:4]: (test[4], q, *effect)
        for (test, effect), q in zip(tests, adjusted, strict=True)
        if q is not None and q <= 0.05 and (effect[0] >= 0.05 or test[1] != "feature")
    }
    outliers = found(known(pieces, baseline), min_effect=0.05)
    assert {(of.node_id, of.subject, of.feature, of.rows) for of in outliers} == expected.keys()
    assert len(outliers) == len(expected) > 0
    for of in outliers:
        numbers = (of.p_value, of.adjusted_p_value, of.effect_size, of.node, of.fleet)
        wanted = expected[of.node_id, of.subject, of.feature, of.rows]
        for number, want in zip(numbers, wanted, strict=True):
            assert number == (None if want is None else pytest.approx(want, rel=1e-12, abs=1e-15))
