"""The contract between edge_aiops and its plugins; everything a plugin's author needs is importable from here."""

from __future__ import annotations

import pluggy

from edge_aiops.base.errors import BackendUnavailable, InvalidInput, InvalidModel, NotFound, Unavailable
from edge_aiops.plugin.archives import ModelFolder
from edge_aiops.plugin.generation import (
    Checkable,
    FinishReason,
    GenerationPiece,
    GenerationRequest,
    Message,
    TextGenerator,
    TokenCounter,
)
from edge_aiops.plugin.monitoring import Notification, NotificationFailed, Notifier
from edge_aiops.plugin.options import parsed_options
from edge_aiops.plugin.protocols import Backend, ModelSource, Session, Tensors
from edge_aiops.plugin.run_times import RunTimes
from edge_aiops.plugin.signature import DTYPES, Signature, TensorSpec
from edge_aiops.plugin.specs import BackendSpec, NotifierSpec
from edge_aiops.plugin.tensors import checked_inputs, fits, numpy_dtype
from edge_aiops.plugin.threads import Threads, default_threads

hookimpl = pluggy.HookimplMarker("edge_aiops")
"""Marks a function of a plugin as the implementation of the hook of the same name."""

__all__ = [
    "DTYPES",
    "Backend",
    "BackendSpec",
    "BackendUnavailable",
    "Checkable",
    "FinishReason",
    "GenerationPiece",
    "GenerationRequest",
    "InvalidInput",
    "InvalidModel",
    "Message",
    "ModelFolder",
    "ModelSource",
    "NotFound",
    "Notification",
    "NotificationFailed",
    "Notifier",
    "NotifierSpec",
    "RunTimes",
    "Session",
    "Signature",
    "TensorSpec",
    "Tensors",
    "TextGenerator",
    "Threads",
    "TokenCounter",
    "Unavailable",
    "checked_inputs",
    "default_threads",
    "fits",
    "hookimpl",
    "numpy_dtype",
    "parsed_options",
]
