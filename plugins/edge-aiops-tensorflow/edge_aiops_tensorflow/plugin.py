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
            description="TensorFlow Lite models by LiteRT; SavedModel and Keras by TensorFlow in a worker process",
            requires=("ai_edge_litert",),
        )
    ]
