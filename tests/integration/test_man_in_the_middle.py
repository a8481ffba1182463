"""A hub and a node on two machines, and between them somebody who passes on what they say, or something else."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from edge_aiops.base.settings import Settings, load_settings
from edge_aiops.http.serve import serving_hub, serving_node
from edge_aiops.testing.models import gemm_softmax

Change = Callable[[str, bytes], bytes]
"""Gives the body to pass on, from a path and the hub's body."""


class Between:
    """Passes requests on to the hub, and answers back, changed as `change` says."""

    def __init__(self, hub_url: str) -> None:
        self.hub_url = hub_url
        self.url = ""
        self.change: Change = lambda path, body: body
        self.impostor: dict[str, Any] = {}
        """Answers of its own, by path."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Between]:
        """Listen while the context lasts."""
        app = web.Application(client_max_size=2**26)
        app.router.add_route("*", "/{path:.*}", self._passed_on)
        async with aiohttp.ClientSession() as self._http, TestServer(app) as server:
            self.url = str(server.make_url("")).rstrip("/")
            yield self

    async def _passed_on(self, request: web.Request) -> web.Response:
        if request.path in self.impostor:
            return web.json_response(self.impostor[request.path])
        headers = {name: value for name, value in request.headers.items() if name not in ("Host", "Accept-Encoding")}
        url = URL(self.hub_url + request.path_qs, encoded=True)
        async with self._http.request(request.method, url, data=await request.read(), headers=headers) as answer:
            body = self.change(request.path, await answer.read())
            kept = ("ETag", "Content-Type", "Content-Range", "Accept-Ranges", "Cache-Control")
            told = {name: answer.headers[name] for name in kept if name in answer.headers}
            return web.Response(body=body, status=answer.status, headers=told)


class Fleet(NamedTuple):
    """Who sits before a hub with one model, and a token of that hub."""

    between: Between
    token: str


def settings(folder: Path) -> Settings:
    """Of a hub or a node in this folder, which looks for news all the time."""
    said = {
        "data.folder": str(folder),
        "http.port": 0,
        "serving.default_deadline": "30s",
        "fleet.sync_interval": "100ms",
    }
    return load_settings(environment={}, overrides=said).settings


@pytest.fixture
async def fleet(tmp_path: Path, connect: Any) -> AsyncIterator[Fleet]:
    """A hub on which a model is registered, and who is between."""
    async with (
        serving_hub(settings(tmp_path / "hub")) as url,
        connect(url) as hub,
        Between(url).running() as between,
    ):
        await hub.register("m", "1", gemm_softmax(4, 3, seed=1), stage="production")
        yield Fleet(between, (await hub.post("/fleet/tokens")).body["token"])


@pytest.fixture
def node(fleet: Fleet, tmp_path: Path, connect: Any) -> Any:
    """Runs a node that takes who is between for its hub: `async with node() as client`."""

    @asynccontextmanager
    async def running(join: str | None = fleet.token) -> AsyncIterator[Any]:
        here = settings(tmp_path / "node")
        async with serving_node(here, hub_url=fleet.between.url, join=join) as url, connect(url) as client:
            yield client

    return running


async def standing(client: Any, wanted: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Where the node stands, as soon as that is what is `wanted`."""
    for _ in range(1_000):
        stands: dict[str, Any] = (await client.get("/status")).body["node"]
        if wanted(stands):
            return stands
        await asyncio.sleep(0.02)
    pytest.fail(f"the node stands at {stands}")


def serves(stands: dict[str, Any]) -> bool:
    """Whether the hub's model is there."""
    return bool(stands["models"])


def complains(stands: dict[str, Any]) -> bool:
    """Whether something is wrong with the hub."""
    return stands["hub"]["lastError"] is not None


def other_state(path: str, body: bytes) -> bytes:
    """The model of the hub is taken for one that may run code."""
    return body.replace(b'"trust":"data"', b'"trust":"code"') if path == "/fleet/desired" else body


def other_model(path: str, body: bytes) -> bytes:
    """The artifact is another model of the same size."""
    return gemm_softmax(4, 3, seed=2).SerializeToString() if path.startswith("/artifacts/") else body


def other_root(path: str, body: bytes) -> bytes:
    """The root of trust is somebody else's."""
    return body.replace(b'\\"version\\":1', b'\\"version\\":2') if path == "/fleet/join" else body


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (other_state, "desired is not what the hub has signed for"),
        (other_model, "damaged|digest|SHA-256"),
        (other_root, "is not the hub that made the join token"),
    ],
)
async def test_what_is_changed_on_the_way_is_refused_by_name_and_the_truth_is_served_afterwards(
    fleet: Fleet, node: Any, change: Change, said: str
) -> None:
    fleet.between.change = change
    async with node() as client:
        stands = await standing(client, complains)
        assert re.search(said, stands["hub"]["lastError"]), stands
        assert (await client.post("/predict", {"modelName": "m", "features": [1, 2, 3, 4]})).status == 404
        fleet.between.change = lambda path, body: body
        await standing(client, serves)


async def test_who_takes_a_node_for_its_own_without_a_join_is_not_believed(fleet: Fleet, node: Any) -> None:
    state = {"schema": 1, "generation": 9, "models": []}
    fleet.between.impostor = {
        "/fleet/challenge": {"challenge": "sign this"},
        "/fleet/session": {"token": "a session", "expiresInS": 900},
        "/fleet/desired": state,
    }
    async with node(join=None) as client:
        stands = await standing(client, complains)
        assert "has not joined a hub yet" in stands["hub"]["lastError"]
        assert stands["hub"]["generation"] == 0


async def test_who_only_passes_on_what_is_said_is_not_noticed(fleet: Fleet, node: Any) -> None:
    async with node() as client:
        stands = await standing(client, serves)
        assert stands["hub"]["lastError"] is None
        assert (await client.predict("m"))["modelVersion"] == "1"
