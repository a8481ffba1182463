"""Models for the tests that need TensorFlow, made once. pytest imports this file wherever it collects, so TensorFlow is
imported by what the fixtures load."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SavedModel's folder with many signatures."""
    return loaded(Path(__file__).with_name("samples.py")).save(tmp_path_factory.mktemp("samples"))


@pytest.fixture(scope="session")
def tfjs(pytestconfig: pytest.Config) -> ModuleType:
    """The converter in `tests/tools`."""
    return loaded(pytestconfig.rootpath / "tests" / "tools" / "tfjs.py")


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
