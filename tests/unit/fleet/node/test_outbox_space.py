"""Weeks without a hub: resolution goes, then details, each loss is told; no count is ever lost."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import pytest

from edge_aiops.fleet.messages.records import Dropped
from edge_aiops.fleet.node.outbox_rows import width_ms
from edge_aiops.journal.boots import Boot, new_boot
from edge_aiops.observe.columns import InputColumns
from edge_aiops.observe.forwarding import Delta
from edge_aiops.observe.labels import LabelCounts
from edge_aiops.observe.models import ObservedModel
from edge_aiops.observe.series import Series, Window
from edge_aiops.observe.summaries import RoleSummary
from edge_aiops.stats.summaries import Baseline
from edge_aiops.testing.clock import FakeClock

from .outbound import FIVE_MINUTES_MS, MODEL, Site, event, labelled, performance, total

HOUR_MS = 3_600_000
DAY_S = 86_400
MIB = 1024**2


class Offline(NamedTuple):
    """What came of some time without a hub."""

    site: Site
    requests: int
    labels: int
    widths: list[int]
    """Those that new windows had, in their order."""
    most_bytes: int
    """What the outbox took at its fullest."""


def deltas_of(features: int, requests: int) -> dict[str, Delta]:
    """What a window of a model with a baseline of so many features grows by."""
    random = np.random.default_rng(1)
    names = [f"feature_{number:02}" for number in range(features)]
    baseline = Baseline({name: random.normal(size=5_000) for name in names})
    model = ObservedModel(served_by=MODEL, stage="production", feature_names=tuple(names))
    events = [
        event(0)._replace(features=msgspec.json.encode(random.normal(size=features).tolist()).decode())
        for _ in range(requests)
    ]
    columns = InputColumns(model, baseline, max_features=1_000).read(events)
    inputs = RoleSummary(baseline, max_features=1_000)
    inputs.update(columns)
    return {
        "performance": performance(requests, 0),
        "labels": Delta(labelled(requests // 2), requests // 2),
        "inputs": Delta(inputs.told(), requests),
    }


async def offline(folder: Path, *, days: int, windows_a_day: int, features: int, most_bytes: int) -> Offline:
    """A node that counts and reaches no hub; it starts again every ten days."""
    clock = FakeClock()
    site = await Site.open(folder, clock, most_bytes=most_bytes)
    kinds, requests = deltas_of(features, 40), 40
    step_s = DAY_S // windows_a_day
    boot, widths, fullest = Boot(new_boot()), [0], 0
    for number in range(days * windows_a_day):
        start_ms = clock.now_ms() - clock.now_ms() % FIVE_MINUTES_MS
        deltas = {
            Window(Series(kind, *MODEL, 1 if kind == "inputs" else 0), FIVE_MINUTES_MS, start_ms): delta  # type: ignore[arg-type]  # the name of a kind
            for kind, delta in kinds.items()
        }
        await site.database.write(partial(site.outbox.grown, boot=boot, deltas=deltas))
        clock.advance(step_s)
        if number % (windows_a_day // 8) == 0:
            width = await site.outbox.keep_house()
            fullest = max(fullest, site.outbox.status.waiting_bytes + site.outbox.status.kept_bytes)
            if width != widths[-1] or number % (10 * windows_a_day) == 0:
                boot = Boot(new_boot(), width_ms=width)
                widths.append(width)
    steps = days * windows_a_day
    return Offline(site, steps * requests, steps * (requests // 2), widths, fullest)


async def check(offline: Offline, most_bytes: int) -> None:
    """Every count arrives, what does not is told, and it fitted."""
    assert offline.most_bytes <= most_bytes
    assert set(offline.widths) == {0, HOUR_MS, 24 * HOUR_MS}
    offline.site.clock.advance(2 * DAY_S)  # until the last window is over
    pushes = await offline.site.drain()
    rows = [row for push in pushes for row in push.rows]
    assert total(rows) == offline.requests
    assert sum(LabelCounts.from_bytes(row.summary).n for row in rows if row.key.kind == "labels") == offline.labels
    told = [
        msgspec.json.decode(record.body, type=Dropped)
        for push in pushes
        for record in push.records
        if record.kind == "dropped"
    ]
    assert {lost.kind for lost in told} <= {"inputs"}
    arrived = sum(row.revision for row in rows if row.key.kind == "inputs")
    assert arrived + sum(lost.items for lost in told) == offline.requests
    baselines = [record for push in pushes for record in push.records if record.kind == "baseline"]
    assert len(baselines) == 1
    await offline.site.close()


async def test_every_count_of_weeks_arrives_and_every_loss_is_told(tmp_path: Path) -> None:
    most_bytes = MIB // 2
    found = await offline(tmp_path, days=40, windows_a_day=24, features=4, most_bytes=most_bytes)
    await check(found, most_bytes)


@pytest.mark.soak
@pytest.mark.timeout(7_200)
async def test_every_count_of_four_hundred_days_fits_into_64_mib(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = await offline(tmp_path, days=400, windows_a_day=288, features=20, most_bytes=64 * MIB)
    await check(found, 64 * MIB)
    size = (tmp_path / "monitoring.db").stat().st_size
    with capsys.disabled():
        print(f"\n400 days: {found.most_bytes / MIB:.1f} MiB at the fullest, the file {size / MIB:.1f} MiB")


@pytest.mark.parametrize(("width", "wide"), [(0, FIVE_MINUTES_MS), (HOUR_MS, HOUR_MS), (24 * HOUR_MS, 24 * HOUR_MS)])
def test_rows_are_as_wide_as_their_boot_says(width: int, wide: int) -> None:
    assert width_ms(Boot(1, width_ms=width)) == wide


async def test_windows_are_as_wide_as_the_setting_says_and_wider_where_space_is_short(tmp_path: Path) -> None:
    site = await Site.open(tmp_path, FakeClock(), window_ms=HOUR_MS, most_bytes=20 * 1024)
    assert await site.outbox.keep_house() == HOUR_MS
    assert site.outbox.status.window_ms == HOUR_MS
    for number in range(60):
        await site.count(1, boot=Boot(number + 1))
    assert await site.outbox.keep_house() == 24 * HOUR_MS
    await site.close()


async def test_what_the_hub_has_goes_first_where_space_is_short(tmp_path: Path) -> None:
    clock = FakeClock()
    site = await Site.open(tmp_path, clock, most_bytes=100 * 1024)
    for number in range(200):
        await site.count(1, boot=Boot(number + 1))
        clock.advance(400)
        if number % 50 == 49:
            await site.drain()
            await site.outbox.keep_house()
            assert site.outbox.status.waiting_bytes + site.outbox.status.kept_bytes < 100 * 1024
    assert site.requests() == 200
    assert site.outbox.status.lost_rows == 0
    assert site.outbox.status.window_ms == FIVE_MINUTES_MS
    await site.close()
