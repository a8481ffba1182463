"""What this plugin adds: the backend `tensorflow`."""

from __future__ import annotations

from edge_aiops.plugin import BackendSpec, hookimpl


@hookimpl
def register_backends() -> list[BackendSpec]:
    """The backend `tensorflow`; what runs its models is imported when the first one is loaded."""
    return [
        BackendSpec(
            name="tensorflow",
            factory="edge_aiops_tensorflow.backend:TensorflowBackend",
            description="TensorFlow Lite models, run by LiteRT; SavedModel, Keras and HDF5 by TensorFlow",
            requires=("ai_edge_litert",),
            environment=("OMP_NUM_THREADS",),
        )
    ]
