"""A span of production becomes the next baseline."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edge_aiops.base.errors import Conflict
from edge_aiops.observe.baselines import Draft
from edge_aiops.observe.baselines.production import FEWEST_ROWS, draft_of_span
from edge_aiops.observe.columns import derived_from_table
from edge_aiops.observe.summaries import RoleSummary, Sketches
from edge_aiops.stats.summaries import Baseline

RANDOM = np.random.default_rng(5)
ROWS: dict[str, Any] = {
    "x": RANDOM.normal(5, 2, size=20_000),
    "c": RANDOM.choice(["a", "b", "c"], p=[0.6, 0.3, 0.1], size=20_000).tolist(),
}


def frozen(
    columns: dict[str, Any], baseline: Baseline | None = None, *, sketched: bool = True, bins: int = 64
) -> Draft:
    """The baseline of a span with these inputs, summarised on `baseline`."""
    summary, sketches = RoleSummary(baseline, max_features=100), Sketches()
    found = derived_from_table(columns, kinds={"c": "category"})
    summary.update(found)
    if sketched:
        sketches.update(found)
    empty = RoleSummary(None, max_features=100)
    return draft_of_span({"inputs": summary, "outcomes": empty}, {"inputs": sketches}, bins=bins)


def test_without_a_baseline_before_bins_are_cut_at_the_quantiles_of_sketches() -> None:
    draft = frozen(ROWS)
    assert (draft.source, draft.rows, draft.warnings, draft.outcomes) == ("production", 20_000, (), None)
    assert draft.inputs is not None
    x = draft.inputs["x"]
    assert x.moments.count == 20_000
    assert len(x.positions) == 64
    # The ranks of a sketch are a hundredth off, or two.
    made, exact = (np.cumsum(histogram.counts[:-1]) / 20_000 for histogram in (x.histogram, x.count(ROWS["x"])))
    np.testing.assert_allclose(made, exact, atol=0.05)
    counts = dict(draft.inputs["c"].categories.counts())
    assert counts == {label: ROWS["c"].count(label) for label in "abc"}


def test_a_baseline_before_keeps_its_bins_and_new_features_get_their_own() -> None:
    before = Baseline({"x": ROWS["x"][:1000]}, bins=16)
    draft = frozen(ROWS, before, bins=8)
    assert draft.inputs is not None
    assert set(draft.inputs.names) == {"x", "c"}
    np.testing.assert_array_equal(draft.inputs["x"].edges, before["x"].edges)
    assert draft.inputs["x"].moments.count == 20_000


def test_bins_that_do_not_tell_the_values_apart_any_more_are_cut_anew() -> None:
    before = Baseline({"x": ROWS["x"][:1000], "c": ROWS["c"][:1000]})
    moved = {"x": ROWS["x"] + 100, "c": ROWS["c"]}
    draft = frozen(moved, before)
    assert draft.inputs is not None
    assert draft.inputs["x"].edges[0] > 80
    assert dict(draft.inputs["c"].categories.counts())["a"] == ROWS["c"].count("a")


def test_rows_without_a_value_are_missing_in_the_baseline_too() -> None:
    rows = {"x": [float(i) if i % 4 else None for i in range(400)], "c": ["a" if i % 2 else None for i in range(400)]}
    draft = frozen(rows)
    assert draft.inputs is not None
    assert (draft.inputs["x"].moments.count, draft.inputs["x"].histogram.missing) == (300, 100)
    assert (draft.inputs["c"].categories.count, draft.inputs["c"].categories.missing) == (200, 200)


def test_numbers_without_a_sketch_are_taken_for_normal_and_that_is_told() -> None:
    draft = frozen({"x": ROWS["x"]}, sketched=False)
    assert draft.inputs is not None
    assert draft.inputs["x"].moments.mean == pytest.approx(5, abs=0.1)
    assert draft.warnings == ("'x' is taken for normally distributed, as there is no quantile sketch of it",)


def test_constant_numbers_are_one_bin() -> None:
    draft = frozen({"x": [3.0] * 200})
    assert draft.inputs is not None
    assert len(draft.inputs["x"].positions) == 1


def test_too_few_rows_are_refused_with_how_many_there_are() -> None:
    with pytest.raises(Conflict, match="the span has 99 rows, and a baseline takes at least 100"):
        frozen({"x": [1.0] * (FEWEST_ROWS - 1)})
