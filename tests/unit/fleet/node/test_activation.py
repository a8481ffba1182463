"""A version comes to service only if it is good, stays only if it does well, and what was there before comes back."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from edge_aiops.base.errors import EdgeAiopsError, StorageFull
from edge_aiops.fleet.messages.desired import DesiredModel
from edge_aiops.serving.statistics import Vitals
from edge_aiops.store.local import LocalDatabase
from edge_aiops.testing.clock import FakeClock

WELL = Vitals(100, 0)


class Probe:
    """Refuses the deployments that it is told to refuse."""

    def __init__(self) -> None:
        self.refused: dict[int, str] = {}
        self.asked: list[int] = []
        self.hold: asyncio.Event | None = None

    async def __call__(self, model: DesiredModel, path: Path | None) -> str | None:
        self.asked.append(model.deployment)
        if self.hold is not None:
            await self.hold.wait()
        return self.refused.get(model.deployment)


@pytest.fixture
def probe() -> Probe:
    return Probe()


@pytest.fixture
def start(hub: Any, follow: Any, probe: Probe) -> Any:
    """Starts the node; a second time, it starts again."""

    @asynccontextmanager
    async def started(**more: Any) -> AsyncIterator[Any]:
        async with follow(hub.url, probe=probe, **more) as node:
            yield node

    return started


def offer(hub: Any, generation: int, *models: tuple[str, int, str], **fields: Any) -> None:
    """Want versions with their deployment and stage, each with a content of its own."""
    contents = [f"{version} {deployment}".encode() for version, deployment, _ in models]
    hub.offer(generation, *contents, **fields)
    for offered, (version, deployment, stage) in zip(hub.state["models"], models, strict=True):
        offered.update(name="m", version=version, deployment=deployment, stage=stage)


async def settle(node: Any) -> None:
    """Pull, whatever cannot be served."""
    with suppress(EdgeAiopsError):
        await node.follower.pull()


async def until(claim: Callable[[], bool]) -> None:
    """Wait for what happens in the background."""
    while not claim():  # noqa: ASYNC110  # nothing tells
        await asyncio.sleep(0.001)


async def kept(node: Any) -> None:
    """Let what is active prove itself."""
    node.engine.vital = WELL
    await node.activator.judge()
    node.engine.vital = Vitals(0, 0)


async def test_a_version_is_wanted_verified_probed_active_and_kept(hub: Any, start: Any, probe: Probe) -> None:
    offer(hub, 1, ("1", 1, "production"))
    probe.hold = asyncio.Event()
    async with start() as node:
        await node.follower.sync()
        await until(lambda: bool(probe.asked))
        assert (node.states, node.serves) == ({"m:1": "probing"}, [])
        probe.hold.set()
        await node.follower.pull()
        assert (node.states, node.production) == ({"m:1": "active"}, {"m": ("1", 1)})
        await node.activator.judge()
        assert node.states == {"m:1": "active"}
        await kept(node)
        assert node.states == {"m:1": "committed"}
        assert node.engine.watched == []
        assert [one.state for one in node.told] == ["active", "committed"]


async def test_a_new_production_version_that_fails_its_probe_leaves_the_old_one_there(
    hub: Any, start: Any, probe: Probe
) -> None:
    offer(hub, 1, ("1", 1, "production"))
    async with start() as node:
        await node.follower.pull()
        await kept(node)
        probe.refused[2] = "it does not pass its golden test"
        offer(hub, 2, ("2", 2, "production"))
        with pytest.raises(EdgeAiopsError, match="golden"):
            await node.follower.pull()
        assert (node.production, node.serves) == ({"m": ("1", 1)}, [("m", 1)])
        assert node.states == {"m:2": "failed"}
        assert (node.told[-1].state, node.told[-1].reason) == ("failed", "it does not pass its golden test")
        assert "golden" in node.follower.problems[0]
        assert node.follower.status.generation == 2


async def test_a_new_candidate_that_fails_is_not_served_and_disturbs_nobody(hub: Any, start: Any, probe: Probe) -> None:
    offer(hub, 1, ("1", 1, "production"), ("2", 2, "candidate"))
    probe.refused[2] = "it crashes"
    async with start() as node:
        await settle(node)
        assert node.serves == [("m", 1)]
        assert node.states == {"m:1": "active", "m:2": "failed"}


@pytest.mark.parametrize(
    ("commit", "vital", "reason"),
    [
        ({}, Vitals(10, 6), "6 of 10 requests failed"),
        ({}, Vitals(100, 6), "6 of 100 requests failed"),
        ({"mostErrorRate": 0}, Vitals(1, 1), "1 of 1 requests failed"),
        ({"mostP95LatencyMs": 50}, Vitals(100, 0, 100, 51.0), "95 % of its requests took up to 51 ms"),
        ({"mostP95LatencyMs": 50}, Vitals(20, 0, 20, 80.0), "95 % of its requests took up to 80 ms"),
        ({}, Vitals(3, 3, resting="model 'm' failed 3 times in a row"), "failed 3 times in a row"),
    ],
)
async def test_a_version_that_does_badly_is_rolled_back_at_the_next_look(
    hub: Any, start: Any, commit: dict[str, Any], vital: Vitals, reason: str, clock: FakeClock
) -> None:
    offer(hub, 1, ("1", 1, "production"))
    async with start() as node:
        await node.follower.pull()
        await kept(node)
        offer(hub, 2, ("2", 2, "production"), commit=commit)
        await node.follower.pull()
        assert node.production == {"m": ("2", 2)}
        assert [one.deployment_version for one in node.engine.applied[-1].standby] == [1]
        node.engine.vital = vital
        await node.activator.judge()
        assert (node.production, node.serves) == ({"m": ("1", 1)}, [("m", 1)])
        told = node.told[-1]
        assert (told.state, told.deployment) == ("rolledBack", 2)
        assert reason in told.reason
        assert node.engine.watched == []


@pytest.mark.parametrize(
    ("commit", "vital", "after_s"),
    [
        ({}, Vitals(100, 5), 0),
        ({}, Vitals(0, 0), 300),
        ({}, Vitals(20, 1), 300),
        ({"afterRequests": 3}, Vitals(3, 0), 0),
        ({"afterS": 10}, Vitals(1, 0), 10),
        ({"mostP95LatencyMs": 50}, Vitals(100, 0, 100, 50.0), 0),
    ],
)
async def test_a_version_that_does_well_is_kept_after_so_many_requests_or_so_much_time(
    hub: Any, start: Any, commit: dict[str, Any], vital: Vitals, after_s: float, clock: FakeClock
) -> None:
    offer(hub, 1, ("1", 1, "production"), commit=commit)
    async with start() as node:
        await node.follower.pull()
        node.engine.vital = vital
        if after_s:
            clock.advance(after_s - 1)
            await node.activator.judge()
            assert node.states == {"m:1": "active"}
            clock.advance(1)
        await node.activator.judge()
        assert node.states == {"m:1": "committed"}


async def test_the_only_version_that_there_is_goes_on_although_it_does_badly_and_is_kept_when_it_does_well(
    hub: Any, start: Any
) -> None:
    offer(hub, 1, ("1", 1, "production"))
    async with start() as node:
        await node.follower.pull()
        node.engine.vital = Vitals(3, 3, resting="model 'm' failed 3 times in a row")
        for _ in range(3):
            await node.activator.judge()
        assert (node.production, node.states) == ({"m": ("1", 1)}, {"m:1": "active"})
        assert [(one.state, one.reason[:9]) for one in node.told] == [("active", ""), ("active", "model 'm'")]
        assert "does badly" in node.follower.problems[0]
        await kept(node)
        assert (node.states, node.follower.problems) == ({"m:1": "committed"}, [])


async def test_what_was_rolled_back_is_not_tried_again_until_the_hub_wants_something_else(
    hub: Any, start: Any, probe: Probe
) -> None:
    offer(hub, 1, ("1", 1, "production"))
    async with start() as node:
        await node.follower.pull()
        await kept(node)
        offer(hub, 2, ("2", 2, "production"))
        await node.follower.pull()
        node.engine.vital = Vitals(10, 10)
        await node.activator.judge()
        offer(hub, 3, ("2", 2, "production"), ("3", 3, "candidate"))
        await node.follower.pull()
        assert (node.production, node.states["m:2"]) == ({"m": ("1", 1)}, "rolledBack")
    async with start() as node:
        await node.follower.pull()
        assert (node.production, node.states["m:2"]) == ({"m": ("1", 1)}, "rolledBack")
        assert probe.asked == [1, 2, 3]
        offer(hub, 4, ("2", 2, "production"), retries=1)  # an operator asks for it
        await node.follower.pull()
        assert (node.production, node.states) == ({"m": ("2", 2)}, {"m:2": "active"})


async def test_a_promotion_that_fails_leaves_the_version_where_it_was(hub: Any, start: Any) -> None:
    offer(hub, 1, ("1", 1, "production"), ("2", 2, "staging"))
    async with start() as node:
        await node.follower.pull()
        await kept(node)
        offer(hub, 2, ("2", 2, "production"))
        await node.follower.pull()
        assert node.production == {"m": ("2", 2)}
        assert node.states == {"m:2": "active"}
        node.engine.vital = Vitals(6, 6)
        await node.activator.judge()
        assert node.production == {"m": ("1", 1)}
        assert {(one.version, one.stage) for one in node.applied[-1]} == {("1", "production"), ("2", "staging")}


async def test_what_comes_back_is_what_has_proved_itself_however_many_were_tried_since(hub: Any, start: Any) -> None:
    offer(hub, 1, ("1", 1, "production"))
    async with start() as node:
        await node.follower.pull()
        await kept(node)
        for generation in (2, 3, 4):
            offer(hub, generation, (str(generation), generation, "production"))
            await node.follower.pull()
            assert node.production == {"m": (str(generation), generation)}
        node.engine.vital = Vitals(6, 6)
        await node.activator.judge()
        assert node.production == {"m": ("1", 1)}


async def test_an_operator_may_go_back_to_a_version_by_wanting_it(hub: Any, start: Any) -> None:
    offer(hub, 1, ("1", 1, "production"))
    async with start() as node:
        await node.follower.pull()
        await kept(node)
        offer(hub, 2, ("2", 2, "production"))
        await node.follower.pull()
        offer(hub, 3, ("1", 1, "production"))
        await node.follower.pull()
        assert node.production == {"m": ("1", 1)}
        await kept(node)
        assert (node.states, node.engine.applied[-1].standby) == ({"m:1": "committed"}, [])


async def test_what_is_only_told_otherwise_is_in_force_without_another_trial(
    hub: Any, start: Any, probe: Probe
) -> None:
    offer(hub, 1, ("1", 1, "candidate"))
    async with start() as node:
        await node.follower.pull()
        await kept(node)
        offer(hub, 2, ("1", 1, "staging"), pinned=True)
        await node.follower.pull()
        assert [(one.stage, one.pinned) for one in node.applied[-1]] == [("staging", True)]
        assert (node.states, probe.asked) == ({"m:1": "committed"}, [1])


async def test_what_the_hub_does_not_want_any_more_is_gone_at_once_also_while_it_is_new(hub: Any, start: Any) -> None:
    offer(hub, 1, ("1", 1, "production"))
    async with start() as node:
        await node.follower.pull()
        offer(hub, 2, ("2", 2, "production"))
        await node.follower.pull()
        offer(hub, 3)
        await node.follower.pull()
        assert (node.serves, node.states, node.engine.applied[-1].standby) == ([], {}, [])


async def test_a_version_that_failed_its_probe_is_tried_again_after_pauses_that_grow(
    hub: Any, start: Any, probe: Probe, clock: FakeClock
) -> None:
    offer(hub, 1, ("1", 1, "production"))
    probe.refused[1] = "no memory"
    async with start() as node:
        await settle(node)
        await settle(node)
        assert probe.asked == [1]
        clock.advance(61)
        await settle(node)
        assert probe.asked == [1, 1]
        clock.advance(61)
        await settle(node)
        assert probe.asked == [1, 1]
        clock.advance(60)
        probe.refused.clear()
        await settle(node)
        assert (probe.asked, node.production) == ([1, 1, 1], {"m": ("1", 1)})


async def died(node: Any) -> None:
    """Keep the end of this node from being one in order."""

    async def nothing() -> None:
        pass

    node.activator.close = nothing


async def test_a_version_that_brings_the_node_down_is_rolled_back_at_the_second_start(hub: Any, start: Any) -> None:
    offer(hub, 1, ("1", 1, "production"))
    async with start() as node:
        await node.follower.pull()
        await kept(node)
        offer(hub, 2, ("2", 2, "production"))
        await node.follower.pull()
        await died(node)
    async with start() as node:
        assert (node.production, node.states) == ({"m": ("2", 2)}, {"m:2": "active"})
        await died(node)
    async with start() as node:
        assert (node.production, node.states) == ({"m": ("1", 1)}, {"m:2": "rolledBack"})
        assert "ended 2 times" in node.told[0].reason
        await node.follower.pull()
        assert node.production == {"m": ("1", 1)}


async def test_the_only_version_that_may_have_brought_the_node_down_goes_on_in_a_process_of_its_own(
    hub: Any, start: Any
) -> None:
    offer(hub, 1, ("1", 1, "production"))
    async with start() as node:
        await node.follower.pull()
        await died(node)
    async with start() as node:
        assert [served.isolation for served in node.applied[-1]] == [None]
        await died(node)
    async with start() as node:
        assert (node.production, node.states) == ({"m": ("1", 1)}, {"m:1": "active"})
        assert [served.isolation for served in node.applied[-1]] == ["process"]
        assert "ended 2 times" in node.follower.problems[0]
        await kept(node)
        assert [served.isolation for served in node.applied[-1]] == [None]
        assert node.follower.problems == []


async def test_a_version_that_brings_the_node_down_while_it_is_probed_is_given_up_too(
    hub: Any, start: Any, probe: Probe
) -> None:
    offer(hub, 1, ("1", 1, "production"))
    probe.hold = asyncio.Event()
    for attempt in (1, 2):
        async with start() as node:
            await node.follower.sync()
            await until(lambda attempt=attempt: len(probe.asked) >= attempt)
            working = next(task for task in asyncio.all_tasks() if task.get_name() == "activation")
            await died(node)
        working.cancel()
        await asyncio.wait([working])
    async with start() as node:
        await node.follower.pull()
        assert (node.serves, node.states, probe.asked) == ([], {"m:1": "rolledBack"}, [1, 1])


async def test_starts_in_order_count_for_nothing(hub: Any, start: Any) -> None:
    offer(hub, 1, ("1", 1, "production"))
    async with start() as node:
        await node.follower.pull()
    for _ in range(4):
        async with start() as node:
            assert (node.production, node.states) == ({"m": ("1", 1)}, {"m:1": "active"})
            assert len(node.engine.watched) == 1


async def test_a_large_download_that_is_not_wanted_any_more_makes_way(hub: Any, start: Any) -> None:
    offer(hub, 1, ("1", 1, "production"))
    hub.offer(1, b"x" * 30_000_000)
    hub.hold = asyncio.Event()
    async with start() as node:
        await node.follower.sync()
        await until(lambda: len(hub.asked) >= 2)
        offer(hub, 2, ("1", 1, "production"))
        await node.follower.sync()
        hub.hold.set()
        await node.follower.pull()
        assert node.production == {"m": ("1", 1)}
        assert len(node.files) == 1


async def test_small_versions_do_not_wait_for_large_ones(hub: Any, start: Any, probe: Probe) -> None:
    hub.offer(1, b"x" * 3_000_000, b"small")
    async with start() as node:
        await node.follower.pull()
        assert [one.model_name for one in node.told] == ["m1", "m0"]


async def test_a_disk_that_is_full_at_the_start_does_not_keep_the_node_from_serving(
    hub: Any, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(hub, 1, ("1", 1, "production"))
    async with start() as node:
        await node.follower.pull()

    async def full(self: LocalDatabase, unit: Any) -> None:
        raise StorageFull("no space")

    with monkeypatch.context() as patched:
        patched.setattr(LocalDatabase, "write", full)
        async with start() as node:
            assert node.production == {"m": ("1", 1)}


@pytest.mark.parametrize("unreadable", [b"{}", b'{"name": "\xff"}'], ids=["of another program", "damaged"])
async def test_what_this_program_cannot_read_is_said_again_by_the_hub(
    hub: Any, start: Any, tmp_path: Path, unreadable: bytes
) -> None:
    offer(hub, 1, ("1", 1, "production"))
    async with start() as node:
        await node.follower.pull()
    with sqlite3.connect(tmp_path / "node" / "state.db") as database:
        database.execute("UPDATE activations SET wanted = ?", (unreadable,))
        database.execute("UPDATE routes SET answers = ?", (unreadable,))
    database.close()
    async with start() as node:
        await node.follower.reach(1)
        assert node.production == {"m": ("1", 1)}
