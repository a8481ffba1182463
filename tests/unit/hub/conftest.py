"""A hub on real stores of each kind with the plugins echo and onnx, which its child processes find too."""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from edge_aiops.base.settings import Settings
from edge_aiops.hub.hub import Hub
from edge_aiops.plugin.loader import Plugins
from edge_aiops.plugin.registry import Backends
from edge_aiops.registry.messages import registration_from
from edge_aiops.registry.registry import Registered, Registry
from edge_aiops.testing.clock import FakeClock
from tests.hub_stores import Stores

PLUGINS = Path(__file__).parents[3] / "plugins"

OpenHub = Callable[..., AbstractAsyncContextManager[Hub]]
Register = Callable[..., Awaitable[Registered]]


@pytest.fixture
def backends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Backends:
    """The backends of echo and onnx, as if they were installed."""
    for name in ("echo", "onnx"):
        project = tomllib.loads((PLUGINS / f"edge-aiops-{name}" / "pyproject.toml").read_text())["project"]
        information = tmp_path / "site" / f"edge_aiops_{name}-{project['version']}.dist-info"
        information.mkdir(parents=True)
        (information / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        )
        points = [f"{point} = {module}" for point, module in project["entry-points"]["edge_aiops"].items()]
        (information / "entry_points.txt").write_text("\n".join(["[edge_aiops]", *points]))
        monkeypatch.syspath_prepend(str(PLUGINS / f"edge-aiops-{name}"))
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setenv("EDGE_AIOPS_PLUGINS", "echo,onnx")
    importlib.invalidate_caches()
    return Backends(Plugins())


@pytest.fixture
def open_hub(tmp_path: Path, stores: Stores, backends: Backends, fake_clock: FakeClock) -> OpenHub:
    """Opens a hub in the folder `hub` of the test on the test's stores, or in another with its own."""

    def opened(folder: str = "hub") -> AbstractAsyncContextManager[Hub]:
        settings = stores.settings() if folder == "hub" else Settings()
        return Hub.open(tmp_path / folder, settings=settings, backends=backends, clock=fake_clock)

    return opened


@pytest.fixture
async def hub(open_hub: OpenHub) -> AsyncIterator[Hub]:
    async with open_hub() as opened:
        yield opened


@pytest.fixture
def register(hub: Hub) -> Register:
    """Registers an echo model, or with `content` an ONNX model: `register("iris", "1", stage="production")`."""
    return partial(_registered, hub.registry)


@pytest.fixture
def register_with() -> Register:
    """The same for the registry of a hub that the test has opened."""
    return _registered


async def _registered(
    registry: Registry, name: str, version: str, content: bytes | None = None, **fields: Any
) -> Registered:
    framework = "echo" if content is None else "onnx"
    wanted = registration_from({"modelName": name, "modelVersion": version, "framework": framework, **fields})
    if content is None:
        return await registry.register(wanted)

    async def chunks() -> AsyncIterator[bytes]:
        yield content

    async with registry.upload(chunks()) as upload:
        return await registry.register(wanted, upload)
