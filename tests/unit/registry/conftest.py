"""A registry on real files, whose plugin a child process can find too."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from edge_aiops.base.durations import Duration
from edge_aiops.base.settings import HttpSettings, RegistrySettings, Settings
from edge_aiops.plugin.loader import Plugins
from edge_aiops.plugin.registry import Backends
from edge_aiops.registry.messages import registration_from
from edge_aiops.registry.registry import Registered, Registry
from edge_aiops.store.shared.database import Database
from tests.hub_stores import Stores

Register = Callable[..., Awaitable[Registered]]
StoredFiles = Callable[[], Awaitable[list[str]]]
OpenRegistry = Callable[..., AbstractAsyncContextManager[Registry]]


class SteppingClock:
    """A second passes each time somebody looks."""

    def __init__(self) -> None:
        self.ms = 1_700_000_000_000

    def now_ms(self) -> int:
        self.ms += 1000
        return self.ms

    def ticks_ns(self) -> int:
        return self.now_ms() * 1_000_000


@pytest.fixture
def backends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Backends:
    """The fakes as a plugin that is installed in a folder on the import path, like any other distribution."""
    site = tmp_path / "site"
    information = site / "fake_backends-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: fake-backends\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[edge_aiops]\nfakes = fake_backends\n")
    shutil.copy(Path(__file__).with_name("fake_backends.py"), site)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("EDGE_AIOPS_PLUGINS", "fakes")
    importlib.invalidate_caches()
    return Backends(Plugins())


@pytest.fixture
def announced() -> list[int]:
    """The generations that were announced."""
    return []


@pytest.fixture
def open_registry(stores: Stores, backends: Backends, announced: list[int]) -> OpenRegistry:
    """Opens a registry on the test's stores."""

    async def announce(generation: int) -> None:
        announced.append(generation)

    @asynccontextmanager
    async def opened(*, probe_timeout_s: float = 30.0) -> AsyncIterator[Registry]:
        settings = Settings(
            registry=RegistrySettings(probe_timeout=Duration(probe_timeout_s)),
            http=HttpSettings(max_upload_bytes=10_000),
        )
        async with Database.open(stores.database) as database:
            yield Registry(
                database,
                await stores.open_artifacts(),
                backends=backends,
                settings=settings,
                clock=SteppingClock(),
                announce=announce,
            )

    return opened


@pytest.fixture
async def registry(open_registry: OpenRegistry) -> AsyncIterator[Registry]:
    async with open_registry() as opened:
        yield opened


@pytest.fixture
def register(registry: Registry) -> Register:
    """Registers a fake model: `register("iris", "1", content, stage="production")`."""
    return partial(_registered, registry)


@pytest.fixture
def register_with() -> Register:
    """The same for a registry that the test has opened: `register_with(registry, "iris", "1")`."""
    return _registered


async def _registered(
    registry: Registry, name: str, version: str, content: bytes | None = b"FAKE", **fields: Any
) -> Registered:
    wanted = registration_from({"modelName": name, "modelVersion": version, "framework": "fake", **fields})
    if content is None:
        return await registry.register(wanted)

    async def chunks() -> AsyncIterator[bytes]:
        yield content

    async with registry.upload(chunks()) as upload:
        return await registry.register(wanted, upload)


@pytest.fixture
def stored_files(stores: Stores) -> StoredFiles:
    """The digests that the artifact store holds now, and the names of uploads under way."""

    async def names() -> list[str]:
        held = [artifact.sha256 for artifact in await (await stores.open_artifacts()).all()]
        return held + [path.name for path in stores.incoming.glob("*")]

    return names
