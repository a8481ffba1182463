"""A node by itself: starts on its folder, serves what it knows, and stops in order."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from msgspec import Raw

from edge_aiops.base.clock import SystemClock
from edge_aiops.base.errors import StoreLocked
from edge_aiops.base.settings import Settings
from edge_aiops.fleet.messages.desired import DesiredModel, DesiredState
from edge_aiops.fleet.node.state import NodeState, SavedDesired
from edge_aiops.journal.querying import EventFilter
from edge_aiops.node import Node
from edge_aiops.plugin.registry import Backends
from edge_aiops.serving.request import PredictionRequest
from edge_aiops.testing.backend import FakeBackend
from edge_aiops.testing.plugins import backend_plugin, entry_point, plugins_of

GONE = "http://127.0.0.1:9"
REQUEST = PredictionRequest(model_name="model", features=Raw(b"[1, 2, 3, 4]"))

OpenNode = Callable[..., AbstractAsyncContextManager[Node]]


@pytest.fixture
def fake() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def open_node(tmp_path: Path, fake: FakeBackend) -> OpenNode:
    """Opens a node on the test's folder, without a hub or with one that is gone."""

    @asynccontextmanager
    async def opened(hub_url: str | None = None) -> AsyncIterator[Node]:
        broken = entry_point(ImportError("no such framework"), "broken")
        plugins = plugins_of(backend_plugin("fake", lambda: fake, artifact=False), broken)
        async with Node(
            tmp_path / "node", Settings(), plugins=plugins, backends=Backends(plugins), hub_url=hub_url
        ) as node:
            yield node

    return opened


async def desire(folder: Path) -> None:
    """Let the node in `folder` have applied a state with the model `model`."""
    model = DesiredModel(
        name="model", version="1", deployment=1, stage="production", framework="fake", sha256=None, size=0
    )
    state = await NodeState.open(folder, clock=SystemClock())
    body = msgspec.json.encode(DesiredState(generation=1, models=(model,)))
    await state.save_desired(SavedDesired(1, '"1"', body))
    await state.close()


async def test_a_node_serves_what_it_served_last_although_its_hub_is_gone(open_node: OpenNode, tmp_path: Path) -> None:
    await desire(tmp_path / "node")
    async with open_node(GONE) as node:
        result = await node.engine.predict(REQUEST)
        assert (result.model_version, result.deployment_version) == ("1", 1)
        await node.catch_up(2)
        assert (await node.engine.predict(REQUEST)).deployment_version == 1
        status = node.status()
    assert status.ready
    assert status.hub is not None
    assert status.hub.generation == 1
    assert status.hub.last_error
    assert (status.models, status.models_loaded) == (1, 1)


async def test_a_node_without_a_hub_has_no_models_and_is_ready(open_node: OpenNode) -> None:
    async with open_node() as node:
        await node.catch_up(5)
        status = node.status()
    assert (status.ready, status.models, status.hub) == (True, 0, None)


async def test_events_and_identity_survive_a_restart(open_node: OpenNode, tmp_path: Path) -> None:
    await desire(tmp_path / "node")
    seen = []
    for _ in range(3):
        async with open_node(GONE) as node:
            seen.append((node.status().node_id, (await node.engine.predict(REQUEST)).inference_id))
            page = await node.journal.page(EventFilter())
    assert [event.inference_id for event in page.events] == [inference_id for _, inference_id in reversed(seen)]
    assert len({node_id for node_id, _ in seen}) == 1


async def test_two_nodes_never_share_a_folder(open_node: OpenNode) -> None:
    async with open_node():
        with pytest.raises(StoreLocked):
            async with open_node():
                pass
    async with open_node():
        pass


async def test_stopping_closes_every_model(open_node: OpenNode, tmp_path: Path, fake: FakeBackend) -> None:
    await desire(tmp_path / "node")
    async with open_node(GONE) as node:
        await node.engine.predict(REQUEST)
    assert [session.closed for session in fake.sessions] == [True]


async def test_the_status_names_plugins_that_failed_and_the_databases(open_node: OpenNode) -> None:
    async with open_node() as node:
        status = node.status()
    assert [(plugin.name, plugin.status) for plugin in status.plugins_failed] == [("broken", "failed")]
    assert any("no such framework" in reason for reason in status.reasons)
    assert [database.file for database in status.databases] == ["state.db", "events.db", "monitoring.db"]
    assert all(database.size_bytes > 0 and database.quarantined is None for database in status.databases)


async def test_a_damaged_journal_is_set_aside_and_the_status_says_so(open_node: OpenNode, tmp_path: Path) -> None:
    await desire(tmp_path / "node")
    async with open_node(GONE) as node:
        await node.engine.predict(REQUEST)
    (tmp_path / "node" / "events.db").write_bytes(b"garbage" * 1000)
    async with open_node(GONE) as node:
        status = node.status()
        assert (await node.engine.predict(REQUEST)).inference_id
    assert [database.quarantined is not None for database in status.databases] == [False, True, False]
    assert any("events.db" in reason for reason in status.reasons)
