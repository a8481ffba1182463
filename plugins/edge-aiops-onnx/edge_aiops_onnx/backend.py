"""Loads ONNX models."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

import onnxruntime

from edge_aiops.plugin import InvalidModel, ModelSource, Signature, parsed_options
from edge_aiops_onnx.artifact import Artifact, examined
from edge_aiops_onnx.errors import reason_of
from edge_aiops_onnx.options import OnnxOptions, session_options
from edge_aiops_onnx.session import OnnxSession
from edge_aiops_onnx.signature import signature_of

_PROVIDERS = ["CPUExecutionProvider"]


class OnnxBackend:
    """Loads ONNX models with ONNX Runtime, on the CPU."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment

    async def load(self, source: ModelSource) -> OnnxSession:
        """The model at `source.path`, ready to run; read in a thread, which a cancelled call tells to stop.

        Raises `InvalidModel` for an unknown option, a file that is not ONNX, that is damaged or that needs other
        files, and for a model with inputs or outputs that are no tensors.
        """
        path = source.artifact
        configuration = session_options(parsed_options(source, OnnxOptions), self._environment)
        try:
            return await asyncio.to_thread(_loaded, path, configuration)
        except asyncio.CancelledError:
            configuration.set_load_cancellation_flag(True)
            raise


def _loaded(path: Path, configuration: onnxruntime.SessionOptions) -> OnnxSession:
    with path.open("rb") as file:
        artifact = examined(file)
    session, signature = inference_session(path, artifact, configuration)
    return OnnxSession(session, signature, interruptible_only=artifact.loops)


def inference_session(
    model: Path | bytes, artifact: Artifact, configuration: onnxruntime.SessionOptions
) -> tuple[onnxruntime.InferenceSession, Signature]:
    """An ONNX model, a file or its content, that was `examined`, ready to run.

    Raises `InvalidModel` for what ONNX Runtime cannot load, and for inputs or outputs that are no tensors.
    """
    try:
        # Its fallback would only print and try the same again.
        session = onnxruntime.InferenceSession(model, configuration, providers=_PROVIDERS, enable_fallback=0)
        return session, signature_of(session, unranked=artifact.unranked)
    except InvalidModel:
        raise
    except Exception as error:
        # ONNX Runtime's errors share no base class, and names that are no text fail when they are read.
        raise InvalidModel(f"ONNX Runtime cannot load the model: {reason_of(error)}") from error
