"""What each built-in check sees, and what it lets pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from .site import Site, ages, found, lands, people, violated

SCHEMA = {
    "type": "object",
    "properties": {
        "age": {"type": "number", "minimum": 0, "maximum": 120},
        "land": {"type": "string", "enum": ["de", "fr", "it"]},
    },
    "required": ["age", "land"],
}


@pytest.fixture
async def known(site: Site) -> Site:
    """A site with a baseline of age and land."""
    site.serve()
    await site.expect(age=_with_gaps(970, 30), land=lands(1_000))
    return site


def _with_gaps(values: int, gaps: int) -> Any:
    return np.array([*ages(values), *[np.nan] * gaps])


async def test_rows_like_those_of_the_baseline_are_no_violation(known: Site) -> None:
    known.send(people(600))
    report = await known.check()
    assert (report.violations, report.failed, report.rows) == ((), {}, 600)
    assert report.score == 1


async def test_rows_like_those_of_a_given_schema_are_no_violation(site: Site) -> None:
    site.serve(input_schema=SCHEMA)
    site.send(people(300))
    report = await site.check()
    assert (report.violations, report.score) == ((), 1)


@pytest.mark.parametrize("with_baseline", [True, False])
async def test_a_text_where_a_number_belongs_is_of_the_wrong_type(site: Site, with_baseline: bool) -> None:
    site.serve(input_schema=SCHEMA)
    if with_baseline:
        await site.expect(age=_with_gaps(970, 30), land=lands(1_000))
    site.send([*people(99), {"age": "old", "land": "de"}])
    report = await site.check()
    assert violated(report) == {("wrong_type", "age")}
    assert report.score == pytest.approx(1 - 1 / 200)


async def test_a_number_where_a_label_belongs_is_of_the_wrong_type(site: Site) -> None:
    site.serve(input_schema={"land": "string"})
    site.send([*({"land": land} for land in lands(99)), {"land": 4.5}])
    assert violated(await site.check()) == {("wrong_type", "land")}


async def test_null_is_of_the_wrong_type_only_where_a_given_schema_forbids_it(site: Site) -> None:
    site.serve(input_schema=[{"name": "a", "type": "float", "nullable": False}, {"name": "b", "type": "float"}])
    site.send([*({"a": age, "b": age} for age in ages(99)), {"a": None, "b": None}])
    assert violated(await site.check()) == {("wrong_type", "a")}


async def test_rows_of_another_length_have_the_wrong_shape_and_miss_nothing(site: Site) -> None:
    site.serve(feature_names=("age", "height"))
    await site.expect(age=_with_gaps(970, 0), height=_with_gaps(970, 0))
    site.send([*([age, age] for age in ages(99)), [1, 2, 3]])
    report = await site.check()
    assert violated(report) == {("shape", None)}
    assert (finding := found(report, "shape")) is not None
    assert (finding.affected, finding.rows) == (1, 100)


async def test_a_required_feature_that_does_not_come_is_missing(known: Site) -> None:
    known.send([{"age": age} for age in ages(100)])
    report = await known.check()
    assert violated(report) == {("missing", "land")}
    assert report.score == 0.5


async def test_a_feature_that_only_the_baseline_requires_may_be_missing_in_one_row_of_a_hundred(known: Site) -> None:
    known.send([*people(995), *({"age": age} for age in ages(5))])
    assert violated(await known.check()) == set()


async def test_what_is_nested_is_held_against_a_given_schema(site: Site) -> None:
    schema = {"properties": {"at": {"type": "object", "properties": {"x": {"max": 9}}, "required": ["x"]}}}
    site.serve(input_schema=schema)
    site.send([*({"at": {"x": n / 20}} for n in range(98)), {"at": {"x": 10}}, {"at": {"y": 1}}])
    report = await site.check()
    assert {("range", "at.x"), ("missing", "at.x")} <= violated(report)


async def test_an_optional_feature_that_does_not_come_has_no_value(known: Site) -> None:
    known.send([{"land": land} for land in lands(100)])
    report = await known.check()
    assert ("null_rate", "age") in violated(report)
    assert found(report, "missing", "age") is None


async def test_a_feature_that_the_schema_does_not_name_is_unexpected(known: Site) -> None:
    known.send([*people(99), {"age": 40, "land": "de", "agee": 1}])
    report = await known.check()
    assert violated(report) == {("unexpected", "agee")}
    assert "'agee'" in report.violations[0]


async def test_a_given_schema_alone_tells_what_is_unexpected(site: Site) -> None:
    site.serve(input_schema=SCHEMA)
    site.send([*people(99), {"age": 40, "land": "de", "agee": 1}])
    assert violated(await site.check()) == {("unexpected", "agee")}


async def test_a_schema_may_allow_other_features(site: Site) -> None:
    site.serve(input_schema={**SCHEMA, "additionalProperties": True})
    site.send(people(100, height=1.8))
    assert violated(await site.check()) == set()


@pytest.mark.parametrize(("nulls", "wrong"), [(60, False), (150, True)])
async def test_nulls_are_held_against_those_of_the_baseline(known: Site, nulls: int, wrong: bool) -> None:
    known.send([*people(1_000 - nulls), *({"age": None, "land": land} for land in lands(nulls))])
    report = await known.check()
    assert (("null_rate", "age") in violated(report)) is wrong
    assert (finding := found(report, "null_rate", "age")) is not None
    assert (finding.affected, finding.tolerated) == (nulls, pytest.approx(0.03))


async def test_a_window_of_nulls_alone_is_seen_and_harms_nothing(known: Site) -> None:
    known.send([{"age": None, "land": None}] * 100)
    report = await known.check()
    assert {("null_rate", "age"), ("null_rate", "land")} <= violated(report)
    assert report.failed == {}


async def test_infinite_numbers_are_seen(known: Site) -> None:
    known.send([*people(99), '{"age": 1' + "0" * 400 + ', "land": "de"}'])
    report = await known.check()
    assert violated(report) == {("non_finite", "age")}


async def test_of_a_given_range_each_row_outside_counts(site: Site) -> None:
    site.serve(input_schema=SCHEMA)
    site.send([*people(95), *({"age": age, "land": "de"} for age in (-1, 0, 120, 121, 999))])
    report = await site.check()
    assert violated(report) == {("range", "age")}
    assert (finding := found(report, "range", "age")) is not None
    assert (finding.affected, finding.rows) == (3, 100)
    assert "[0, 120]" in finding.message


async def test_a_given_range_is_counted_exactly_with_a_baseline_and_without_names_too(site: Site) -> None:
    site.serve(feature_names=("age",), input_schema={"age": {"type": "number", "max": 120}})
    await site.expect(age=_with_gaps(970, 0))
    site.send([[age] for age in [*ages(96), -50.0, 119.0, 121.0, 1e9]])
    assert (finding := found(await site.check(), "range", "age")) is not None
    assert finding.affected == 2


async def test_of_an_inferred_range_a_little_more_than_the_extremes_passes(known: Site) -> None:
    known.send([{"age": 84.0, "land": land} for land in lands(15)] + people(285))
    assert found(await known.check(), "range", "age") is None


async def test_of_an_inferred_range_one_row_in_a_hundred_passes_and_more_does_not(known: Site) -> None:
    known.send([*people(995), *({"age": 999, "land": "de"} for _ in range(5))])
    assert violated(await known.check()) == set()
    known.send([{"age": 999, "land": land} for land in lands(60)])
    assert ("range", "age") in violated(await known.check())


async def test_the_range_that_a_baseline_was_made_with_is_exact(site: Site) -> None:
    site.serve()
    await site.expect(age=_with_gaps(970, 0), land=lands(970), ranges={"age": (0, 100)})
    site.send([*people(50), *({"age": age, "land": "de"} for age in [*[90.0] * 25, *[101.0] * 25])])
    assert (finding := found(await site.check(), "range", "age")) is not None
    assert finding.affected == 25


async def test_outliers_lie_far_beyond_the_quartiles_of_the_baseline(known: Site) -> None:
    known.send([*people(900), *({"age": 5_000, "land": land} for land in lands(100))])
    report = await known.check()
    assert ("outliers", "age") in violated(report)
    assert (finding := found(report, "outliers", "age")) is not None
    assert 100 <= finding.affected <= 105


async def test_the_outliers_that_the_baseline_has_are_tolerated(site: Site) -> None:
    random = np.random.default_rng(1)
    site.serve()
    await site.expect(income=random.lognormal(10, 1.5, 5_000))
    site.send([{"income": value} for value in random.lognormal(10, 1.5, 1_000).tolist()])
    report = await site.check()
    assert violated(report) == set()
    assert (finding := found(report, "outliers", "income")) is not None
    assert 0.02 < finding.tolerated < 0.12


async def test_a_label_that_a_given_schema_does_not_have_is_unknown(site: Site) -> None:
    site.serve(input_schema=SCHEMA)
    site.send([*people(99), {"age": 40, "land": "es"}])
    report = await site.check()
    assert violated(report) == {("unknown_category", "land")}
    assert "'es'" in report.violations[0]


@pytest.mark.parametrize(("strangers", "wrong"), [(3, False), (60, True)])
async def test_a_new_label_is_held_against_the_labels_of_the_baseline(known: Site, strangers: int, wrong: bool) -> None:
    known.send([*people(1_000 - strangers), *({"age": 40.5 + n / 99, "land": "es"} for n in range(strangers))])
    report = await known.check()
    assert (("unknown_category", "land") in violated(report)) is wrong
    assert (finding := found(report, "unknown_category", "land")) is not None
    assert finding.affected == strangers


async def test_labels_too_rare_to_be_known_are_tolerated_as_often_as_they_came(site: Site) -> None:
    rare = [f"r{n}" for n in range(100)]
    site.serve()
    await site.expect(land=[*lands(900), *rare] * 10)
    site.send([{"land": land} for land in [*lands(540), *rare[:60]]])
    assert violated(await site.check()) == set()


async def test_rows_that_came_before_are_duplicates(known: Site) -> None:
    known.send(people(40) * 3)
    report = await known.check()
    assert ("duplicates", None) in violated(report)
    assert (finding := found(report, "duplicates")) is not None
    assert finding.affected == 80


async def test_rows_that_can_hardly_differ_are_no_duplicates(site: Site) -> None:
    site.serve()
    await site.expect(land=lands(1_000))
    site.send([{"land": land} for land in lands(500)])
    assert found(await site.check(), "duplicates") is None


async def test_a_stuck_sensor_is_constant(known: Site) -> None:
    known.send([{"age": 45.5, "land": land} for land in lands(100)])
    assert ("constant", "age") in violated(await known.check())


async def test_a_stuck_label_is_constant(known: Site) -> None:
    known.send([{"age": age, "land": "de"} for age in ages(100)])
    assert violated(await known.check()) == {("constant", "land")}


async def test_a_label_beside_which_unknown_ones_come_is_not_constant(known: Site) -> None:
    known.send([{"age": age, "land": "de" if age > 40 else "se"} for age in ages(100)])
    assert found(await known.check(), "constant", "land") is None


async def test_what_nearly_always_has_one_value_is_not_constant(site: Site) -> None:
    site.serve()
    await site.expect(alarm=np.array([0.0] * 990 + [1.0] * 10), land=["no"] * 900 + ["yes"] * 100)
    site.send([{"alarm": 0, "land": "no"}] * 150)
    assert found(await site.check(), "constant", "alarm") is None


async def test_a_baseline_without_variance_expects_no_range_and_nothing_constant(site: Site) -> None:
    site.serve()
    await site.expect(unit=np.full(500, 3.0), zero=np.zeros(500))
    site.send([{"unit": 3.0, "zero": 0.0}] * 50)
    assert violated(await site.check()) == set()
    site.send([{"unit": 3.1, "zero": 0.0}] * 50)
    report = await site.check()
    assert violated(report) == set()
    assert report.failed == {}


async def test_without_an_event_for_too_long_the_data_of_production_are_stale(known: Site) -> None:
    known.send(people(30))
    known.clock.advance(24 * 3_600)
    assert violated(await known.check()) == set()
    known.clock.advance(3_600)
    report = await known.check()
    assert violated(report) == {("staleness", None)}
    assert report.rows == 0
    assert report.note is not None and report.score is None


async def test_a_version_that_is_not_in_production_never_had_an_event_or_has_them_is_not_stale(site: Site) -> None:
    site.serve("1", stage="staging")
    site.serve("2")
    site.send(people(30), version="1")
    site.clock.advance(48 * 3_600)
    assert violated(await site.check("1")) == set()
    assert violated(await site.check("2")) == set()
