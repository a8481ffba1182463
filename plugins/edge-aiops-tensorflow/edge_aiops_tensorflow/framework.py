"""TensorFlow itself, imported quietly and only where a model needs it."""

from __future__ import annotations

import importlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from edge_aiops.plugin import BackendUnavailable


def tensorflow() -> Any:
    """The module `tensorflow`. Raises `BackendUnavailable` with the remedy where it is not installed."""
    loaded = sys.modules.get("tensorflow")
    return loaded if loaded is not None and hasattr(loaded, "keras") else _imported()


def _imported() -> Any:
    try:
        with _surroundings():
            module = importlib.import_module("tensorflow")
            importlib.import_module("keras")
    except ImportError as error:
        raise BackendUnavailable(
            f"SavedModel, Keras and HDF5 models need TensorFlow, which cannot be imported ({error}); install it with: "
            "pip install 'edge-aiops-tensorflow[tensorflow]'"
        ) from error
    # Failures reach the caller as exceptions; TensorFlow would write advice to its own users to stderr as well.
    for name in ("tensorflow", "absl"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return module


@contextmanager
def _surroundings() -> Iterator[None]:
    """What TensorFlow finds when it is imported: no word to say, and no settings of a user's own for Keras, which may
    change what a model computes, and which a sandbox cannot read."""
    with tempfile.TemporaryDirectory(prefix="edge_aiops-") as empty:
        wanted = {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow", "KERAS_HOME": empty}
        before = {name: os.environ.get(name) for name in wanted}
        os.environ.update(wanted)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
