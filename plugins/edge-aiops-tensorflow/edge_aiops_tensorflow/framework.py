"""TensorFlow itself, imported quietly and only where a model needs it."""

from __future__ import annotations

import importlib
import logging
import os
from typing import Any

from edge_aiops.plugin import BackendUnavailable

_ERRORS_ONLY = "3"


def tensorflow() -> Any:
    """The module `tensorflow`. Raises `BackendUnavailable` with the remedy where it is not installed."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", _ERRORS_ONLY)
    try:
        module = importlib.import_module("tensorflow")
    except ImportError as error:
        raise BackendUnavailable(
            f"SavedModel, Keras and HDF5 models need TensorFlow, which cannot be imported ({error}); install it with: "
            "pip install 'edge-aiops-tensorflow[tensorflow]'"
        ) from error
    # Failures reach the caller as exceptions; TensorFlow would write advice to its own users to stderr as well.
    for name in ("tensorflow", "absl"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return module
