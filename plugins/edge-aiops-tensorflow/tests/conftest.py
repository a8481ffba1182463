"""Small models of this plugin's own; `make_models.py` writes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edge_aiops.plugin import ModelSource
from edge_aiops.testing.backend import source

Small = Callable[..., ModelSource]


@pytest.fixture
def small() -> Small:
    """Gives the source of a model in the folder `models` by its name, with options: `small("loop", threads=2)`."""
    folder = Path(__file__).parent / "models"
    return lambda name, **options: source(path=folder / f"{name}.tflite", **options)
