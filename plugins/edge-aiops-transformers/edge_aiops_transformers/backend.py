"""Loads Hugging Face models."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping

import onnxruntime
from edge_aiops_onnx.options import run_options, session_options
from edge_aiops_onnx.session import OnnxSession

from edge_aiops.plugin import ModelFolder, ModelSource, Session
from edge_aiops_transformers.classification import TextClassification
from edge_aiops_transformers.description import Description, described
from edge_aiops_transformers.embedding import Embedding
from edge_aiops_transformers.options import TaskName, TransformersOptions, check_belonging, read_options
from edge_aiops_transformers.session import Task, TextSession
from edge_aiops_transformers.tokenization import Texts, texts_of
from edge_aiops_transformers.tokens import TokenClassification
from edge_aiops_transformers.weights import Weights, weights_of
from edge_aiops_transformers.zero_shot import ZeroShotClassification

_TASKS: dict[TaskName, Callable[[Weights, Texts, Description, TransformersOptions], Task]] = {
    "embedding": Embedding,
    "text-classification": TextClassification,
    "token-classification": TokenClassification,
    "zero-shot-classification": ZeroShotClassification,
}


class TransformersBackend:
    """Loads the folders of Hugging Face models, with ONNX Runtime on the CPU."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment

    async def load(self, source: ModelSource) -> Session:
        """The model in the folder or archive at `source.path`, ready to run; read in a thread, which a cancelled call
        tells to stop.

        Raises `InvalidModel` that names the option, file or tensor that it cannot be served with.
        """
        options = read_options(source)
        configuration, trial = session_options(options, self._environment), run_options()
        try:
            return await asyncio.to_thread(_loaded, source, options, configuration, trial)
        except asyncio.CancelledError:
            configuration.set_load_cancellation_flag(True)
            trial.terminate = True
            raise


def _loaded(
    source: ModelSource,
    options: TransformersOptions,
    configuration: onnxruntime.SessionOptions,
    trial: onnxruntime.RunOptions,
) -> Session:
    with ModelFolder(source.artifact) as folder:
        description = described(folder)
        task = options.task or description.task
        check_belonging(source, task)
        texts = texts_of(folder, description, options.max_length) if task != "tensors" else None
        weights = weights_of(folder, options.variant, task, configuration=configuration, trial=trial)
    if texts is None:
        return OnnxSession(weights.session, weights.signature, interruptible_only=weights.artifact.loops)
    return TextSession(_TASKS[task](weights, texts, description, options))
