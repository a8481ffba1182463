"""What this plugin adds: the backend `transformers`."""

from __future__ import annotations

from edge_aiops.plugin import BackendSpec, hookimpl


@hookimpl
def register_backends() -> list[BackendSpec]:
    """The backend `transformers`; what runs its models is imported when the first one is loaded."""
    return [
        BackendSpec(
            name="transformers",
            factory="edge_aiops_transformers.backend:TransformersBackend",
            description="Hugging Face models: text embeddings and classification, by ONNX Runtime",
            requires=("onnxruntime", "tokenizers"),
        )
    ]
