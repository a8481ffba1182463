"""Reports: kept, told apart by version, made by themselves when their time has come."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable

import numpy as np
import pytest

from edge_aiops.base.errors import InvalidInput, UnknownModel
from edge_aiops.observe.quality import quality, store

from .site import NAME, Site, ages, lands, people, violated

QUARTER_S = 900


async def test_a_report_is_kept_as_it_was_given(started: Callable[..., Site]) -> None:
    site = started()
    site.serve(input_schema=["age", {"type": "number"}])
    await site.expect(land=lands(500))
    site.send(people(50))
    report = await site.check()
    assert report.id > 0
    assert (report.trigger, report.baseline, report.rows) == ("demand", 1, 50)
    assert report.schema_source == {"age": "given", "land": "baseline"}
    assert [problem.field for problem in report.schema_problems] == ["inputSchema[1]"]
    assert report.until_ms - report.from_ms == 3_600_000
    assert await started().quality.latest(NAME, "1") == report


async def test_events_of_another_version_or_span_are_not_in_it(site: Site) -> None:
    site.serve("1")
    site.serve("2")
    site.send(people(30), version="1")
    site.clock.advance(7_200)
    site.send(people(40), version="2")
    now_ms = site.clock.now_ms()
    assert [(await site.check(version)).rows for version in ("1", "2")] == [0, 40]
    earlier = await site.check("1", from_ms=now_ms - 3 * 3_600_000, until_ms=now_ms - 3_600_000)
    assert earlier.rows == 30


async def test_a_feature_that_a_version_adds_or_drops_is_judged_by_that_version(site: Site) -> None:
    site.serve("1")
    site.serve("2")
    site.serve("3", input_schema=["age", "height"])
    await site.expect("1", age=np.array(ages(500)), land=lands(500))
    await site.expect("2", age=np.array(ages(500)))
    for version in ("1", "2", "3"):
        site.send(people(100), version=version)
    assert violated(await site.check("1")) == set()
    assert violated(await site.check("2")) == {("unexpected", "land")}
    assert violated(await site.check("3")) == {("missing", "height"), ("unexpected", "land")}


async def test_rows_without_names_are_not_held_against_a_schema_of_names(site: Site) -> None:
    site.serve(input_schema=["age", "height"])
    site.send([[1.5, age] for age in ages(50)])
    report = await site.check()
    assert (report.violations, report.score) == ((), None)
    assert report.note is not None and "featureNames" in report.note


async def test_rows_without_names_are_not_held_against_a_baseline_of_names(site: Site) -> None:
    site.serve()
    await site.expect(age=np.array(ages(500)), height=np.array(ages(500)))
    site.send([[1.5, age] for age in ages(50)])
    report = await site.check()
    assert (report.violations, report.score) == ((), None)


async def test_texts_and_lists_that_come_are_not_missing(site: Site) -> None:
    site.serve(input_schema=[{"name": "review", "type": "string"}, {"name": "pixels", "type": "array"}])
    site.send([{"review": "x" * 200 + str(n), "pixels": [n, 2, 3]} for n in range(50)])
    assert violated(await site.check()) == set()


async def test_without_any_event_or_baseline_there_is_a_report(site: Site) -> None:
    site.serve()
    report = await site.check()
    assert (report.rows, report.score, report.violations, report.failed) == (0, None, (), {})
    assert report.note is not None and "minSamples is 20" in report.note


async def test_an_event_with_ten_thousand_features_is_judged_and_the_report_bounded(
    site: Site,
) -> None:
    names = [f"f{number}" for number in range(10_000)]
    site.serve(input_schema=[{"name": name, "type": "number"} for name in names])
    site.send([dict.fromkeys(names)] * 20)
    report = await site.check()
    assert (len(report.findings), report.omitted) == (quality.MOST_FINDINGS, 10_001 - quality.MOST_FINDINGS)
    assert report.failed == {}


async def test_of_each_version_the_newest_reports_are_kept_and_those_on_demand_displace_none_on_schedule(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "KEPT", 2)
    site.serve("1")
    site.serve("2")
    scheduled = [report.id for report in await site.quality.run_due()]
    given = [(await site.check("1")).id for _ in range(3)]
    kept = [report.id for report in await site.quality.history(NAME)]
    assert kept == [*given[:0:-1], *reversed(scheduled)]
    assert (await site.quality.latest(NAME, "1")).id == given[-1]  # type: ignore[union-attr]


async def test_reports_are_read_beside_the_event_loop(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: set[int] = set()
    decompress = zlib.decompress

    def noting(body: bytes) -> bytes:
        threads.add(threading.get_ident())
        return decompress(body)

    site.serve()
    await site.check()
    monkeypatch.setattr(zlib, "decompress", noting)
    assert len(await site.quality.history(NAME)) == len(await site.quality.latest_by_version(NAME)) == 1
    assert threads and threading.get_ident() not in threads


async def test_an_unknown_model_or_version_and_an_empty_span_are_refused(site: Site) -> None:
    site.serve()
    with pytest.raises(UnknownModel, match="there are: credit"):
        await site.quality.check("debit", "1")
    with pytest.raises(UnknownModel, match="no version '2' on this node; there are: 1"):
        await site.check("2")
    assert await site.quality.latest_by_version("debit") == []
    with pytest.raises(InvalidInput, match="from"):
        await site.check(from_ms=5, until_ms=5)
    with pytest.raises(InvalidInput, match="is not before now"):
        await site.check(from_ms=site.clock.now_ms(), until_ms=2 * site.clock.now_ms())


async def test_each_version_is_checked_by_itself_as_often_as_configured(site: Site) -> None:
    site.serve("1")
    site.serve("2")
    assert {report.model_version for report in await site.quality.run_due()} == {"1", "2"}
    site.clock.advance(QUARTER_S - 1)
    assert await site.quality.run_due() == []
    await site.configure(qualityCheck="5m")
    assert [report.trigger for report in await site.quality.run_due()] == ["schedule", "schedule"]


async def test_a_restart_neither_repeats_nor_skips_a_check(started: Callable[..., Site]) -> None:
    site = started()
    site.serve()
    assert len(await site.quality.run_due()) == 1
    site.clock.advance(QUARTER_S - 10)
    await site.check()
    again = started()
    again.serve()
    assert await again.quality.run_due() == []
    again.clock.advance(10)
    assert len(await again.quality.run_due()) == 1


async def test_after_a_long_downtime_there_is_one_check(started: Callable[..., Site]) -> None:
    site = started()
    site.serve()
    await site.quality.run_due()
    site.clock.advance(30 * 86_400)
    again = started()
    again.serve()
    assert [len(await again.quality.run_due()) for _ in range(3)] == [1, 0, 0]


@pytest.mark.parametrize("jump_s", [-86_400.0, 86_400.0])
async def test_a_clock_that_jumps_delays_no_check(site: Site, jump_s: float) -> None:
    site.serve()
    await site.quality.run_due()
    site.clock.jump(jump_s)
    assert len(await site.quality.run_due()) == 1
    assert await site.quality.run_due() == []


async def test_what_is_not_enabled_is_checked_on_demand_only(site: Site) -> None:
    site.serve()
    await site.configure(enabled=False)
    assert await site.quality.run_due() == []
    assert (await site.check()).trigger == "demand"


async def test_the_latest_of_each_version_and_the_history_of_a_span(site: Site) -> None:
    site.serve("1")
    site.serve("2")
    made = []
    for version in ("1", "2", "1"):
        made.append(await site.check(version))
        site.clock.advance(60)
    assert await site.quality.latest(NAME) == made[2]
    assert await site.quality.latest("debit") is None
    assert await site.quality.latest_by_version(NAME) == [made[2], made[1]]
    assert await site.quality.history(NAME) == made[::-1]
    assert await site.quality.history(NAME, "1", limit=1) == [made[2]]
    span = {"from_ms": made[1].checked_at, "until_ms": made[2].checked_at}
    assert await site.quality.history(NAME, **span) == [made[1]]


async def test_old_reports_are_pruned_and_numbers_never_given_twice(site: Site) -> None:
    site.serve()
    old = await site.check()
    assert await site.quality.prune(site.clock.now_ms() + 1) == 1
    assert await site.quality.history(NAME) == []
    assert (await site.check()).id > old.id
