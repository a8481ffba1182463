"""What this plugin adds: the backend `ollama`."""

from __future__ import annotations

from edge_aiops.plugin import BackendSpec, hookimpl


@hookimpl
def register_backends() -> list[BackendSpec]:
    """The backend `ollama`; what runs its models is imported when the first one is loaded."""
    return [
        BackendSpec(
            name="ollama",
            factory="edge_aiops_ollama.backend:OllamaBackend",
            description="large language models of an Ollama server",
            requires=("ollama",),
            artifact=False,
            environment=("OLLAMA_HOST", "OLLAMA_DEFAULT_MODEL"),
        )
    ]
