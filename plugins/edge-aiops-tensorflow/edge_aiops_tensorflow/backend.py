"""Loads models of TensorFlow."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping

from edge_aiops.plugin import ModelSource, default_threads, parsed_options
from edge_aiops_tensorflow.artifact import kind_of
from edge_aiops_tensorflow.options import KerasOptions, SavedModelOptions, TfliteOptions
from edge_aiops_tensorflow.session import Model, TensorflowSession
from edge_aiops_tensorflow.tflite import TfliteModel


class TensorflowBackend:
    """Loads TensorFlow Lite, SavedModel, Keras and HDF5 models, told apart by their content."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._threads = default_threads(environment)

    async def load(self, source: ModelSource) -> TensorflowSession:
        """The model at `source.path`, ready to run; read in a thread.

        Raises `InvalidModel` for an unknown option, for a file that is damaged or something else, and for a model that
        may do more than compute and was registered without `trust: code`; `BackendUnavailable` where such a model
        needs TensorFlow and it is not installed.
        """
        return TensorflowSession(await asyncio.to_thread(self._loaded, source))

    def _loaded(self, source: ModelSource) -> Model:
        kind = kind_of(source)
        if kind == "TensorFlow Lite":
            tflite = parsed_options(source, TfliteOptions)
            return TfliteModel(source.artifact, tflite, threads=tflite.threads or self._threads)
        if kind == "SavedModel":
            # Imported here, since it imports TensorFlow: half a gigabyte that TensorFlow Lite does without.
            from edge_aiops_tensorflow.saved_model import load_saved_model

            options = parsed_options(source, SavedModelOptions)
            return load_saved_model(source.artifact, options, threads=options.threads or self._threads)
        from edge_aiops_tensorflow.keras_model import load_keras_model

        keras = parsed_options(source, KerasOptions)
        return load_keras_model(source.artifact, kind, threads=keras.threads or self._threads)
