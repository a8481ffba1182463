"""Models that give the vectors of texts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from ollama import AsyncClient, EmbedResponse

from edge_aiops.plugin import Signature, Tensors, TensorSpec
from edge_aiops_ollama.options import Chosen
from edge_aiops_ollama.server import explained
from edge_aiops_ollama.session import OllamaSession

TEXT, EMBEDDING = "text", "embedding"
_MOST_COUNTS = 256


class EmbeddingSession(OllamaSession):
    """A model that embeds: `text` string[rows] -> `embedding` float32[rows, dimensions]."""

    def __init__(self, client: AsyncClient, chosen: Chosen) -> None:
        outputs = (TensorSpec(EMBEDDING, "float32", (None, chosen.options.dimensions)),)
        super().__init__(client, chosen, Signature((TensorSpec(TEXT, "string", (None,)),), outputs))
        self._counts: OrderedDict[int, int] = OrderedDict()

    async def predict(self, inputs: Tensors) -> Tensors:
        """The vectors of all texts, in one request to the server. A cancelled call has the server stop."""
        texts: list[str] = self._checked(inputs)[TEXT].tolist()
        if not texts:
            return {EMBEDDING: np.empty((0, self._chosen.options.dimensions or 0), np.float32)}
        embeddings = np.array((await self._embed(texts)).embeddings, np.float32)
        wanted = self._chosen.options.dimensions or embeddings.shape[-1]
        if embeddings.shape != (len(texts), wanted):
            raise RuntimeError(
                f"Ollama gave embeddings of shape {list(embeddings.shape)} for {len(texts)} texts, not "
                f"[{len(texts)}, {wanted}]; options.dimensions must be what the model can give"
            )
        return {EMBEDDING: embeddings}

    async def count_tokens(self, texts: Sequence[str]) -> int:
        """Tokens of all `texts`. Known of texts that were embedded together lately; others are embedded for it."""
        self._check_usable()
        if not texts:
            return 0
        if hash(tuple(texts)) not in self._counts:
            await self._embed(texts)
        return self._counts[hash(tuple(texts))]

    async def _embed(self, texts: Sequence[str]) -> EmbedResponse:
        options = self._chosen.options
        with explained(self._chosen):
            answer: EmbedResponse = await self._client.embed(
                self._chosen.model,
                list(texts),
                dimensions=options.dimensions,
                options=options.run_options,
                keep_alive=options.keep_alive,
            )
        self._counts[hash(tuple(texts))] = answer.prompt_eval_count or 0
        while len(self._counts) > _MOST_COUNTS:
            self._counts.popitem(last=False)
        return answer
