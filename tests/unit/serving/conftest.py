"""An engine over a real journal, with a backend that does what the test tells it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from edge_aiops.base.clock import SystemClock
from edge_aiops.base.durations import Duration
from edge_aiops.base.settings import JournalSettings, ServingSettings
from edge_aiops.journal.capture import Capture
from edge_aiops.journal.events import InferenceEvent
from edge_aiops.journal.journal import Journal
from edge_aiops.journal.querying import EventFilter
from edge_aiops.plugin.registry import Backends
from edge_aiops.serving.deployment import Deployment
from edge_aiops.serving.engine import Engine
from edge_aiops.serving.request import PredictionRequest, PredictionResult
from edge_aiops.testing.backend import FakeBackend
from edge_aiops.testing.plugins import backend_plugin, plugins_of


class Serving:
    """An engine and what a test wants to know of it."""

    def __init__(self, engine: Engine, journal: Journal) -> None:
        self.engine = engine
        self.journal = journal

    async def predict(
        self, features: Any = (1, 2, 3, 4), name: str = "model", *, deadline_s: float | None = None, **more: Any
    ) -> PredictionResult:
        """Predict with `features`, JSON as bytes or what becomes JSON."""
        content = features if isinstance(features, bytes) else msgspec.json.encode(features)
        request = PredictionRequest(model_name=name, features=Raw(content), **more)
        return await self.engine.predict(request, deadline_s=deadline_s)

    async def events(self, **wanted: Any) -> list[InferenceEvent]:
        """The journal, oldest first."""
        page = await self.journal.page(EventFilter(**wanted), limit=1000)
        return page.events[::-1]


OpenServing = Callable[..., AbstractAsyncContextManager[Serving]]


def _deployment(name: str = "model", version: str = "1", deployment_version: int = 1, **more: Any) -> Deployment:
    defaults: dict[str, Any] = {"stage": "production", "framework": "fake", "sha256": None, "path": None}
    return Deployment(name=name, version=version, deployment_version=deployment_version, **(defaults | more))


@pytest.fixture(scope="session")
def deployment() -> Callable[..., Deployment]:
    """A deployment in few words: `deployment("iris", "2", 5, stage="candidate")`."""
    return _deployment


@pytest.fixture
def open_serving(tmp_path: Path) -> OpenServing:
    """Opens an engine on a backend, with settings of `[serving]`; it serves one deployment, `model`."""

    @asynccontextmanager
    async def opened(backend: FakeBackend, **settings: Any) -> AsyncIterator[Serving]:
        clock = SystemClock()
        journal = await Journal.open(tmp_path / "journal", clock=clock, settings=JournalSettings())
        engine = Engine(
            journal=journal,
            backends=Backends(plugins_of(backend_plugin("fake", lambda: backend, artifact=False))),
            capture=Capture(b"key"),
            clock=clock,
            # A busy machine must not make a deadline of a test that is about something else.
            settings=ServingSettings(**{"default_deadline": Duration(30), **settings}),
        )
        engine.serve([_deployment()])
        try:
            yield Serving(engine, journal)
        finally:
            await engine.close()
            await journal.close()

    return opened


@pytest.fixture
def fake() -> FakeBackend:
    """The backend of `serving`: four numbers in, the same out."""
    return FakeBackend()


@pytest.fixture
async def serving(open_serving: OpenServing, fake: FakeBackend) -> AsyncIterator[Serving]:
    """An engine with the default settings."""
    async with open_serving(fake) as opened:
        yield opened
