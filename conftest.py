"""For the tests of the core and of the plugins alike."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def models_folder() -> Path:
    """Where `make models` has put real models."""
    folder = Path(__file__).parent / ".cache" / "models"
    if not (folder / ".complete").exists():
        pytest.fail("the models are not there; run `make models`")
    return folder
