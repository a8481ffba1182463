"""Fixtures for tests of plugins and of edge_aiops; pytest finds them where edge_aiops is installed.

Loaded by every pytest run in the environment, so it imports nothing of weight before a fixture is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from edge_aiops.plugin.loader import Plugins
    from edge_aiops.testing.clock import FakeClock
    from edge_aiops.testing.folder import ModelFolder

pytest.register_assert_rewrite("edge_aiops.testing.contract", "edge_aiops.testing.drift_contract")


@pytest.fixture
def fake_clock() -> FakeClock:
    """Time that stands still until the test moves it."""
    from edge_aiops.testing.clock import FakeClock

    return FakeClock()


@pytest.fixture
def edge_aiops_plugins() -> Callable[..., Plugins]:
    """A function that loads the plugins it is given, modules or their dotted names, and no others."""
    from edge_aiops.testing.plugins import plugins_of_modules

    return plugins_of_modules


@pytest.fixture
def model_folder(tmp_path: Path) -> ModelFolder:
    """A folder for small real ONNX models; skips the test where the package onnx is not installed."""
    pytest.importorskip("onnx")
    from edge_aiops.testing.folder import ModelFolder

    return ModelFolder(tmp_path / "models")


@pytest.fixture
def no_blocking() -> Iterator[None]:
    """Fails the test if a call in the event loop waits for a file, a socket, a lock or a sleep.

    Skips the test where the package blockbuster is not installed.
    """
    blockbuster = pytest.importorskip("blockbuster")
    with blockbuster.blockbuster_ctx():
        yield
