"""Synthetic nodes push what real ones would, and keep to the same rules."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import pytest

from edge_aiops.fleet.hub.checks import check
from edge_aiops.fleet.messages.push import Push, Pushed, Reported
from edge_aiops.fleet.node.outbox import ALL
from edge_aiops.fleet.simulate.node import WINDOW_MS, MemoryOutbox
from edge_aiops.fleet.simulate.tally import Tally
from edge_aiops.fleet.simulate.traffic import Counted, Traffic
from edge_aiops.observe.summaries import RoleSummary

START_MS = 6_000 * WINDOW_MS


@pytest.fixture(scope="module")
def traffic() -> Traffic:
    return Traffic(features=3, requests=2_000, shift=0.5, seed=1)


def counted(traffic: Traffic, *, seed: int = 1, shifted: bool = False) -> list[Counted]:
    return traffic.window(np.random.default_rng(seed), START_MS, shifted=shifted)


def means(window: Sequence[Counted]) -> list[float]:
    (inputs,) = (one.summary for one in window if one.kind == "inputs")
    assert isinstance(inputs, RoleSummary) and inputs.profile is not None
    return [inputs.profile[name].moments.mean or 0.0 for name in ("x000", "x001", "x002")]


@pytest.fixture
def tally() -> Tally:
    return Tally()


@pytest.fixture
def outbox(traffic: Traffic, tally: Tally) -> MemoryOutbox:
    made = MemoryOutbox(traffic.baselines, now_ms=START_MS, tally=tally)
    made.add(counted(traffic), start_ms=START_MS)
    return made


async def batch(outbox: MemoryOutbox, most: int = 256) -> Push:
    push = await outbox.batch(Reported(generation=0), least=ALL, most=most)
    assert push is not None
    return push


def taken(push: Push) -> Pushed:
    last = max(one.seq for one in (*push.rows, *push.records))
    return Pushed(cursors={push.boot: last}, written=1, generation=0, next_in_ms=1, server_time=0)


def test_a_shifted_node_differs_in_the_first_feature_only(traffic: Traffic) -> None:
    plain, shifted = means(counted(traffic)), means(counted(traffic, shifted=True))
    assert shifted == pytest.approx([plain[0] + 0.5, *plain[1:]])


def test_the_same_seed_draws_the_same_and_another_does_not(traffic: Traffic) -> None:
    assert means(counted(traffic, seed=1)) == means(counted(traffic, seed=1)) != means(counted(traffic, seed=2))


async def test_what_is_pushed_passes_the_checks_of_a_hub(outbox: MemoryOutbox) -> None:
    push = msgspec.msgpack.decode(msgspec.msgpack.encode(await batch(outbox)), type=Push)
    check(push)
    assert [row.key.kind for row in push.rows] == ["performance", "labels", "inputs", "outputs"]
    assert {row.key.baseline for row in push.rows} - {""} == {record.id for record in push.records}


async def test_what_the_hub_has_is_not_pushed_again(outbox: MemoryOutbox, traffic: Traffic) -> None:
    first = await batch(outbox)
    await outbox.acknowledge(taken(first))
    assert await outbox.batch(Reported(generation=0), least=ALL, most=256) is None
    outbox.add(counted(traffic), start_ms=START_MS + WINDOW_MS)
    second = await batch(outbox)
    assert (len(second.rows), len(second.records)) == (4, 0)
    assert second.have == {second.boot: first.rows[-1].seq}
    assert second.rows[0].seq > first.rows[-1].seq


async def test_what_the_hub_does_not_have_is_pushed_again_and_in_parts_where_it_is_too_much(
    outbox: MemoryOutbox,
) -> None:
    first = await batch(outbox)
    await outbox.acknowledge(Pushed(cursors={}, written=0, generation=0, next_in_ms=1, server_time=0))
    again = await batch(outbox, most=3)
    assert (len(again.records), len(again.rows), again.lag) == (2, 1, 3)
    assert [row.key for row in again.rows] == [row.key for row in first.rows[:1]]
    await outbox.acknowledge(taken(again))
    assert len((await batch(outbox)).rows) == 3


async def test_refusals_and_a_hub_that_went_back_are_counted(outbox: MemoryOutbox, tally: Tally) -> None:
    await batch(outbox)
    await outbox.refuse("rows[0] is wrong", row=0)
    assert await outbox.batch(Reported(generation=0), least=ALL, most=256) is None
    before = outbox.stream
    await outbox.rewind({before: 2})
    assert (await outbox.check_in(Reported(generation=0))).have == {outbox.stream: 0}
    assert outbox.stream != before
    assert tally.errors == {"rows[0] is wrong": 1, "went_back": 1}
