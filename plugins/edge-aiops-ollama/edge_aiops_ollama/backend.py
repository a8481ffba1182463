"""Connects to models of an Ollama server."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping

from edge_aiops.plugin import ModelSource
from edge_aiops_ollama.embedding import EmbeddingSession
from edge_aiops_ollama.generation import TextSession
from edge_aiops_ollama.options import chosen
from edge_aiops_ollama.server import client_of


class OllamaBackend:
    """Connects to models of an Ollama server."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment

    async def load(self, source: ModelSource) -> TextSession | EmbeddingSession:
        """The model that the options describe. The server is not asked yet: it may come later than the model, and its
        absence is told by every request. Raises `InvalidModel` that names a wrong option or a variable to set."""
        described = chosen(source, self._environment)
        client = await asyncio.to_thread(client_of, described)
        kind = EmbeddingSession if described.options.task == "embedding" else TextSession
        return kind(client, described)
