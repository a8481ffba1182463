"""Counts below k are withheld, and cannot be had by subtraction either; raw values never leave."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_aiops.fleet.hub.view.privacy import picture_of, without_values
from edge_aiops.fleet.hub.view.quality import quality_of
from edge_aiops.journal.events import ServedBy
from edge_aiops.observe.drift.distributions import Picture
from edge_aiops.observe.models import ObservedModel
from edge_aiops.observe.quality.data import quality_data
from edge_aiops.observe.quality.judge import Judge
from edge_aiops.observe.quality.schema import schema_of
from edge_aiops.observe.summaries import RoleSummary
from edge_aiops.plugin.extensions import Extensions
from edge_aiops.plugin.loader import Plugins
from edge_aiops.plugin.specs import QualityCheckSpec
from tests.unit.fleet.hub.view.made import inputs

MODEL = ObservedModel(
    served_by=ServedBy("m", "1", 1),
    stage="production",
    input_schema={
        "properties": {
            "age": {"type": "number", "minimum": 0, "maximum": 120},
            "city": {"type": "string", "enum": ["oslo", "bergen"]},
        },
        "required": ["age", "city"],
    },
)


def picture(counts: list[int], **ends: int) -> Picture:
    return Picture(
        counts=counts, shares=[0.0] * len(counts), labels=[f"l{place}" for place in range(len(counts))], **ends
    )


def test_small_counts_become_null_and_one_sum() -> None:
    shown = picture_of(picture([100, 4, 7, 0, 50], missing=3), 10)
    assert shown is not None
    assert (shown.counts, shown.missing, shown.withheld) == ([100, None, None, 0, 50], None, 14)


def test_a_single_small_count_takes_the_next_larger_one_with_it() -> None:
    shown = picture_of(picture([100, 4, 50]), 10)
    assert shown is not None
    assert (shown.counts, shown.withheld) == ([100, None, None], 54)


@given(counts=st.lists(st.integers(0, 60), min_size=1, max_size=12), missing=st.integers(0, 60), k=st.integers(1, 20))
def test_nothing_shown_is_between_one_and_k(counts: list[int], missing: int, k: int) -> None:
    """Neither a count, nor what is withheld together, unless all there is is less than k; and no row is lost."""
    shown = picture_of(picture(counts, missing=missing), k)
    assert shown is not None
    visible = [count for count in (*shown.counts, shown.missing) if count is not None]
    total = sum(counts) + missing
    assert all(count == 0 or count >= k for count in visible)
    assert shown.withheld == 0 or shown.withheld >= min(k, total)
    assert sum(visible) + shown.withheld == total


def people(ages: list[float], cities: list[str]) -> RoleSummary:
    return inputs(None, {"age": np.array(ages), "city": cities})


def test_extremes_and_rare_labels_are_not_told() -> None:
    summary = people([30.0] * 99 + [133.25], ["oslo"] * 70 + ["tromso"] * 25 + ["alice's farm"] * 5)
    data = quality_data(schema_of(MODEL, None), summary, from_ms=0, until_ms=1, last_event_ms=None, stale_after_ms=None)
    assert data.features["age"].maximum == 133.25
    assert "alice's farm" in data.features["city"].unknown_examples
    shown = without_values(data, summary, 10)
    assert (shown.features["age"].minimum, shown.features["age"].maximum) == (None, None)
    assert shown.features["city"].unknown_examples == ("tromso",)


@pytest.fixture
def judge() -> Judge:
    return Judge(Extensions(Plugins(environment={}), hook="register_quality_checks", spec=QualityCheckSpec))


async def test_findings_of_few_rows_say_that_there_are_some_and_not_how_many(judge: Judge) -> None:
    summary = people([30.0] * 100, ["oslo"] * 67 + ["tromso"] * 30 + ["alice's farm"] * 3)
    summary.merge(inputs(None, {"age": np.array([31.0] * 4)}))
    report = await quality_of(MODEL, "", summary, from_ms=0, until_ms=1, nodes=3, judge=judge, k=10)
    by_check = {finding.check: finding for finding in report.findings}
    assert (by_check["missing"].affected, by_check["missing"].share, by_check["missing"].violated) == (None, None, True)
    assert by_check["missing"].message == "missing of 'city': fewer than 10 of 104 rows"
    assert by_check["unknown_category"].affected == 33
    assert "tromso" in by_check["unknown_category"].message
    assert "alice" not in repr(report)


async def test_the_quality_of_fewer_than_k_rows_is_withheld(judge: Judge) -> None:
    report = await quality_of(
        MODEL, "", people([500.0] * 9, ["x"] * 9), from_ms=0, until_ms=1, nodes=1, judge=judge, k=10
    )
    assert (report.withheld, report.rows, report.score, report.findings) == (True, None, None, [])
