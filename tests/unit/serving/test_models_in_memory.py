"""Models in memory: loaded once, leased, evicted, replaced."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_aiops.base.durations import Duration
from edge_aiops.base.errors import InvalidModel, Overloaded, Unavailable, UnknownModel
from edge_aiops.plugin import ModelSource
from edge_aiops.serving import cache
from edge_aiops.testing.backend import FakeBackend, FakeSession

MEGABYTE = 1024 * 1024


async def until(holds: Callable[[], object]) -> None:
    """Let the event loop go on until `holds`; the test's own time-out ends the wait."""
    while not holds():  # noqa: ASYNC110  # what it waits for has no event
        await asyncio.sleep(0.001)


def versions(fake: FakeBackend) -> list[str]:
    return [session.source.version for session in fake.open]


async def test_fifty_first_requests_load_the_model_once(serving: Any, fake: FakeBackend) -> None:
    fake.may_load.clear()
    waiting = [asyncio.create_task(serving.predict([row] * 4, deadline_s=60)) for row in range(50)]
    await until(lambda: fake.loading)
    fake.may_load.set()
    results = await asyncio.gather(*waiting)
    assert [msgspec.json.decode(result.prediction)["output"][0] for result in results] == list(range(50))
    assert len(fake.sessions) == 1
    (loaded,) = serving.engine.loaded()
    assert (loaded.hits, loaded.in_use) == (50, 0)


async def test_one_cancelled_first_request_does_not_stop_the_load_for_the_others(
    serving: Any, fake: FakeBackend
) -> None:
    fake.may_load.clear()
    tasks = [asyncio.create_task(serving.predict(deadline_s=60)) for _ in range(3)]
    await until(lambda: fake.loading)
    tasks[0].cancel()
    await asyncio.wait(tasks[:1])
    fake.may_load.set()
    await asyncio.gather(*tasks[1:])
    assert tasks[0].cancelled()
    assert len(fake.sessions) == 1


async def test_a_load_that_fails_is_told_to_all_who_wait_and_tried_again_by_the_next(
    serving: Any, fake: FakeBackend
) -> None:
    fake.load_failures = [InvalidModel("the file is damaged")]
    results = await asyncio.gather(*(serving.predict() for _ in range(10)), return_exceptions=True)
    assert [str(result) for result in results] == ["the file is damaged"] * 10
    await serving.predict()
    assert len(fake.sessions) == 1


async def test_a_load_that_takes_too_long_is_unavailable_and_tried_again_by_the_next(
    open_serving: Any, fake: FakeBackend
) -> None:
    async with open_serving(fake, load_timeout=Duration(0.05)) as serving:
        fake.may_load.clear()
        with pytest.raises(Unavailable, match=r"serving\.load_timeout"):
            await serving.predict()
        fake.may_load.set()
        await serving.predict()


async def test_models_load_one_at_a_time(serving: Any, fake: FakeBackend, deployment: Any) -> None:
    serving.engine.serve([deployment(f"m{number}") for number in range(5)])
    await asyncio.gather(*(serving.predict(name=f"m{number}", deadline_s=60) for number in range(5)))
    assert fake.most_loading == 1
    assert sorted(loaded.model_name for loaded in serving.engine.loaded()) == [f"m{number}" for number in range(5)]


async def test_at_most_so_many_models_stay_as_the_settings_allow_the_least_recently_used_go(
    open_serving: Any, fake: FakeBackend, deployment: Any
) -> None:
    async with open_serving(fake, max_loaded_models=2) as serving:
        serving.engine.serve([deployment(name) for name in ("a", "b", "c")])
        for name in ("a", "b", "a", "c"):
            await serving.predict(name=name)
        assert [loaded.model_name for loaded in serving.engine.loaded()] == ["a", "c"]
        await until(lambda: len(fake.open) == 2)
        await serving.predict(name="b")
        assert [loaded.model_name for loaded in serving.engine.loaded()] == ["c", "b"]


async def test_models_stay_within_their_budget_of_memory(open_serving: Any, fake: FakeBackend, deployment: Any) -> None:
    fake.memory_bytes = 24 * MEGABYTE
    async with open_serving(fake, memory_budget_bytes=64 * MEGABYTE) as serving:
        serving.engine.serve([deployment(f"m{number}") for number in range(6)])
        for number in range(6):
            await serving.predict(name=f"m{number}")
            assert sum(loaded.memory_bytes for loaded in serving.engine.loaded()) <= 64 * MEGABYTE
        assert serving.engine.loaded()[-1].model_name == "m5"
        assert serving.engine.loaded()[-1].memory_bytes >= 20 * MEGABYTE


async def test_a_model_larger_than_the_budget_is_still_served(open_serving: Any, fake: FakeBackend) -> None:
    fake.memory_bytes = 16 * MEGABYTE
    async with open_serving(fake, memory_budget_bytes=MEGABYTE) as serving:
        await serving.predict()
        await serving.predict()
        assert len(fake.sessions) == 1


async def test_a_model_weighs_at_least_its_file(
    serving: Any, fake: FakeBackend, deployment: Any, tmp_path: Path
) -> None:
    path = tmp_path / "weights"
    path.write_bytes(bytes(8 * MEGABYTE))
    serving.engine.serve([deployment(path=path, sha256="0" * 64)])
    await serving.predict()
    assert serving.engine.loaded()[0].memory_bytes >= 8 * MEGABYTE


async def test_a_model_in_use_is_never_evicted(open_serving: Any, fake: FakeBackend, deployment: Any) -> None:
    async with open_serving(fake, max_loaded_models=1) as serving:
        serving.engine.serve([deployment(name) for name in ("a", "b", "c")])
        await serving.predict(name="a")
        fake.sessions[0].may_go.clear()
        running = asyncio.create_task(serving.predict(name="a", deadline_s=60))
        await until(lambda: fake.sessions[0].running)
        await serving.predict(name="b")
        await serving.predict(name="c")
        assert not fake.sessions[0].closed
        fake.sessions[0].may_go.set()
        await running
        assert [loaded.model_name for loaded in serving.engine.loaded()] == ["c"]


async def test_a_model_that_was_in_use_while_there_were_too_many_goes_when_it_is_released(
    open_serving: Any, fake: FakeBackend, deployment: Any
) -> None:
    async with open_serving(fake, max_loaded_models=1) as serving:
        serving.engine.serve([deployment(name) for name in ("a", "b")])
        await serving.predict(name="a")
        fake.sessions[0].may_go.clear()
        running = asyncio.create_task(serving.predict(name="a", deadline_s=60))
        await until(lambda: fake.sessions[0].running)
        await serving.predict(name="b")
        assert [loaded.model_name for loaded in serving.engine.loaded()] == ["a", "b"]
        fake.sessions[0].may_go.set()
        await running
        assert [loaded.model_name for loaded in serving.engine.loaded()] == ["b"]
        await until(lambda: fake.sessions[0].closed)


async def test_room_is_made_before_a_load_where_the_size_is_known(
    open_serving: Any, deployment: Any, tmp_path: Path
) -> None:
    open_at_load: list[int] = []

    class Watching(FakeBackend):
        async def load(self, source: ModelSource) -> FakeSession:
            open_at_load.append(len(self.open))
            return await super().load(source)

    backend = Watching()
    path = tmp_path / "weights"
    path.write_bytes(bytes(8 * MEGABYTE))
    async with open_serving(backend, memory_budget_bytes=12 * MEGABYTE) as serving:
        serving.engine.serve([deployment(name, path=path, sha256="0" * 64) for name in ("a", "b")])
        for name in ("a", "b", "a"):
            await serving.predict(name=name)
    assert open_at_load == [0, 0, 0]


async def test_a_pinned_model_is_loaded_unasked_and_never_evicted(
    open_serving: Any, fake: FakeBackend, deployment: Any
) -> None:
    async with open_serving(fake, max_loaded_models=1) as serving:
        serving.engine.serve([deployment("a", pinned=True), deployment("b"), deployment("c")])
        await until(lambda: fake.open)
        for name in ("b", "c", "b"):
            await serving.predict(name=name)
        loaded = {model.model_name: model for model in serving.engine.loaded()}
        assert loaded.keys() == {"a", "b"}
        assert (loaded["a"].pinned, loaded["a"].hits, loaded["b"].pinned) == (True, 0, False)
        assert fake.sessions[0] in fake.open


async def test_a_pinned_model_that_is_not_in_memory_is_a_problem(
    serving: Any, fake: FakeBackend, deployment: Any
) -> None:
    fake.load_failures = [InvalidModel("damaged")]
    serving.engine.serve([deployment(pinned=True)])
    await until(serving.engine.problems)
    assert serving.engine.problems() == ["model 'model' 1 is pinned and not in memory: damaged"]
    await serving.predict()
    assert serving.engine.problems() == []


async def test_no_more_requests_wait_for_a_load_than_for_a_run(open_serving: Any, fake: FakeBackend) -> None:
    async with open_serving(fake, max_queued=5) as serving:
        fake.may_load.clear()
        waiting = [asyncio.create_task(serving.predict(deadline_s=60)) for _ in range(8)]
        await until(lambda: sum(task.done() for task in waiting) == 3)
        fake.may_load.set()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        refused = [result for result in results if isinstance(result, Overloaded)]
        assert len(refused) == 3
        assert "serving.max_queued" in str(refused[0])
        (pressure,) = serving.engine.pressures()
        assert (pressure.queued, pressure.shed) == (0, 3)


async def test_a_load_under_way_is_shown_with_who_waits_for_it(
    serving: Any, fake: FakeBackend, deployment: Any
) -> None:
    fake.may_load.clear()
    serving.engine.serve([deployment(isolation="inline")])
    waiting = asyncio.create_task(serving.predict(deadline_s=60))
    await until(serving.engine.loaded)
    (loading,) = serving.engine.loaded()
    assert (loading.state, loading.memory_bytes, loading.hits, loading.in_use) == ("loading", 0, 0, 1)
    fake.may_load.set()
    await waiting
    (loaded,) = serving.engine.loaded()
    assert (loaded.state, loaded.isolation, loaded.in_use) == ("loaded", "inline", 0)
    assert loaded.since >= loading.since > 1_600_000_000_000


async def test_a_model_that_runs_elsewhere_weighs_what_it_takes_there(
    serving: Any, fake: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeSession, "memory_bytes", lambda session: 123_456_789, raising=False)
    await serving.predict()
    assert [loaded.memory_bytes for loaded in serving.engine.loaded()] == [123_456_789]


async def test_a_replaced_model_is_closed_when_its_last_request_is_answered(
    serving: Any, fake: FakeBackend, deployment: Any
) -> None:
    await serving.predict()
    old = fake.sessions[0]
    old.may_go.clear()
    running = asyncio.create_task(serving.predict(deadline_s=60))
    await until(lambda: old.running)
    serving.engine.serve([deployment("model", "1", 2)])
    assert (await serving.predict()).deployment_version == 2
    assert not old.closed
    old.may_go.set()
    assert (await running).deployment_version == 1
    await until(lambda: old.closed)
    assert len(fake.open) == 1


async def test_a_model_replaced_while_it_loads_answers_who_waited_and_is_then_closed(
    serving: Any, fake: FakeBackend, deployment: Any
) -> None:
    fake.may_load.clear()
    waiting = [asyncio.create_task(serving.predict(deadline_s=60)) for _ in range(5)]
    await until(lambda: fake.loading)
    serving.engine.serve([deployment("model", "2", 2)])
    fake.may_load.set()
    await asyncio.gather(*waiting)
    assert (await serving.predict()).deployment_version == 2
    await until(lambda: versions(fake) == ["2"])
    assert [loaded.model_version for loaded in serving.engine.loaded()] == ["2"]


async def test_who_loads_a_model_that_is_unloaded_meanwhile_is_told_what_was_loaded(
    serving: Any, fake: FakeBackend
) -> None:
    fake.may_load.clear()
    loading = asyncio.create_task(serving.engine.load("model"))
    await until(lambda: fake.loading)
    serving.engine.unload("model")
    fake.may_load.set()
    assert (await loading).model_version == "1"
    assert serving.engine.loaded() == []


async def test_a_model_replaced_while_it_loads_for_nobody_any_more_is_closed(
    serving: Any, fake: FakeBackend, deployment: Any
) -> None:
    fake.may_load.clear()
    waiting = asyncio.create_task(serving.predict(deadline_s=60))
    await until(lambda: fake.loading)
    waiting.cancel()
    await asyncio.wait([waiting])
    serving.engine.serve([deployment("model", "2", 2)])
    fake.may_load.set()
    await serving.predict()
    assert [loaded.model_version for loaded in serving.engine.loaded()] == ["2"]
    await until(lambda: versions(fake) == ["2"])


async def test_a_model_that_is_wanted_again_while_it_loads_stays(
    serving: Any, fake: FakeBackend, deployment: Any
) -> None:
    fake.may_load.clear()
    waiting = asyncio.create_task(serving.predict(deadline_s=60))
    await until(lambda: fake.loading)
    serving.engine.serve([])
    serving.engine.serve([deployment()])
    fake.may_load.set()
    await waiting
    await serving.predict()
    assert len(fake.sessions) == 1


class FileBackend(FakeBackend):
    """Needs the model's file, as real backends do, and waits before it looks for it."""

    async def load(self, source: ModelSource) -> FakeSession:
        session = await super().load(source)
        if source.path is not None and not source.path.exists():
            raise InvalidModel("the file is gone")
        return session


async def test_a_request_that_waits_for_a_model_whose_file_is_replaced_is_answered_by_the_new_one(
    open_serving: Any, deployment: Any, tmp_path: Path
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.touch()
    new.touch()
    backend = FileBackend()
    async with open_serving(backend) as serving:
        serving.engine.serve([deployment("model", "1", 1, sha256="1", path=old)])
        backend.may_load.clear()
        waiting = asyncio.create_task(serving.predict(deadline_s=60))
        await until(lambda: backend.loading)
        serving.engine.serve([deployment("model", "1", 2, sha256="2", path=new)])
        old.unlink()
        backend.may_load.set()
        assert (await waiting).deployment_version == 2


async def test_a_request_that_waits_for_a_model_that_is_deleted_is_told_so(
    open_serving: Any, deployment: Any, tmp_path: Path
) -> None:
    backend = FileBackend()
    async with open_serving(backend) as serving:
        serving.engine.serve([deployment("model", "1", 1, sha256="1", path=tmp_path / "gone")])
        backend.may_load.clear()
        waiting = asyncio.create_task(serving.predict(deadline_s=60))
        await until(lambda: backend.loading)
        serving.engine.serve([])
        backend.may_load.set()
        with pytest.raises(UnknownModel):
            await waiting


async def test_two_deployments_with_the_same_version_never_share_weights(
    serving: Any, fake: FakeBackend, deployment: Any
) -> None:
    await serving.predict()
    serving.engine.serve([deployment(sha256="1" * 64)])
    await serving.predict()
    assert len(fake.sessions) == 2
    await until(lambda: fake.sessions[0].closed)


async def test_what_is_served_again_unchanged_stays_in_memory(serving: Any, fake: FakeBackend, deployment: Any) -> None:
    await serving.predict()
    serving.engine.serve([deployment(), deployment("other")])
    await serving.predict()
    assert len(fake.sessions) == 1


async def test_an_unloaded_model_gives_its_memory_back_and_loads_again_when_it_is_needed(
    serving: Any, fake: FakeBackend
) -> None:
    assert (await serving.engine.load("model")).model_name == "model"
    serving.engine.unload("model")
    assert serving.engine.loaded() == []
    await until(lambda: fake.sessions[0].closed)
    await serving.predict()
    assert len(fake.open) == 1


async def test_loading_again_counts_no_new_load(serving: Any, fake: FakeBackend) -> None:
    first, second = await serving.engine.load("model"), await serving.engine.load("model", "1")
    assert (first.in_use, second.in_use) == (0, 0)
    assert len(fake.sessions) == 1


async def test_a_model_that_cannot_be_closed_stops_nobody(
    serving: Any, fake: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(session: FakeSession) -> None:
        raise RuntimeError("cannot close")

    await serving.predict()
    monkeypatch.setattr(FakeSession, "close", broken)
    serving.engine.unload("model")
    await serving.predict()


async def test_closing_closes_every_model_also_those_in_use(open_serving: Any, deployment: Any) -> None:
    fake = FakeBackend()
    async with open_serving(fake) as serving:
        serving.engine.serve([deployment(name) for name in ("a", "b")])
        for name in ("a", "b"):
            await serving.predict(name=name)
    assert fake.open == []


async def test_closing_closes_a_model_that_was_just_loaded_and_is_being_weighed(
    open_serving: Any, fake: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_go = threading.Event()
    monkeypatch.setattr(cache, "resident_bytes", lambda: may_go.wait(10))
    async with open_serving(fake) as serving:
        waiting = asyncio.create_task(serving.predict(deadline_s=60))
        await until(lambda: fake.open)
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_later(0.01, may_go.set)
    assert fake.open == []
    await asyncio.wait([waiting])


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (("other", None), "no model named 'other' on this node; there are: model"),
        (("model", "9"), "model 'model' has no version '9' on this node; it has: 1"),
        (("x" * 100_000, None), "x"),
        (("model", "x" * 100_000), "x"),
    ],
)
async def test_an_unknown_model_is_named_with_what_there_is(
    serving: Any, wanted: tuple[str, str | None], message: str
) -> None:
    name, version = wanted
    with pytest.raises(UnknownModel, match=message) as caught:
        await serving.predict(name=name, model_version=version)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("stages", "chosen"),
    [
        ({"1": "candidate", "2": "production", "3": "staging"}, "2"),
        ({"1": "candidate", "2": "staging", "3": "candidate"}, "2"),
        ({"1": "candidate", "2": "candidate"}, "2"),
        ({"1": "staging", "2": "staging"}, "2"),
        ({"1": "production", "2": "candidate"}, "1"),
    ],
)
async def test_without_a_version_the_one_furthest_in_its_life_answers_the_newest_first(
    serving: Any, deployment: Any, stages: dict[str, str], chosen: str
) -> None:
    deployments = [deployment("model", version, int(version), stage=stage) for version, stage in stages.items()]
    for order in (deployments, deployments[::-1]):
        serving.engine.serve(order)
        assert (await serving.predict()).model_version == chosen
        for version in stages:
            assert (await serving.predict(model_version=version)).model_version == version
