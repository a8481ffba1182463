"""Models that give the vectors of texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ollama import AsyncClient, EmbedResponse

from edge_aiops.plugin import Signature, Tensors, TensorSpec
from edge_aiops_ollama.options import Chosen
from edge_aiops_ollama.server import explained
from edge_aiops_ollama.session import OllamaSession

TEXT, EMBEDDING = "text", "embedding"
_MOST_AHEAD = 256

Vector = np.ndarray[Any, np.dtype[np.float32]]


class EmbeddingSession(OllamaSession):
    """A model that embeds: `text` string[rows] -> `embedding` float32[rows, dimensions]."""

    def __init__(self, client: AsyncClient, chosen: Chosen) -> None:
        outputs = (TensorSpec(EMBEDDING, "float32", (None, chosen.options.dimensions)),)
        super().__init__(client, chosen, Signature((TensorSpec(TEXT, "string", (None,)),), outputs))
        self._ahead: dict[str, Vector] = {}
        """Vectors that came with a count of tokens, for the prediction that follows it."""

    async def predict(self, inputs: Tensors) -> Tensors:
        """The vectors of all texts, in one request to the server. A cancelled call has the server stop."""
        texts: list[str] = (await self._checked(inputs))[TEXT].tolist()
        if not texts:
            return {EMBEDDING: np.empty((0, self._chosen.options.dimensions or 0), np.float32)}
        ahead = {text: self._ahead.pop(text) for text in set(texts) if text in self._ahead}
        missing = [text for text in texts if text not in ahead]
        came = iter((await self._embed(missing))[0] if missing else ())
        return {EMBEDDING: np.stack([ahead[text] if text in ahead else next(came) for text in texts])}

    async def count_tokens(self, texts: Sequence[str]) -> int:
        """Tokens of all `texts`. The server tells them only with the vectors, so these are kept for a prediction."""
        await self._check_usable()
        if not texts:
            return 0
        vectors, tokens = await self._embed(texts)
        self._ahead |= zip(texts, vectors, strict=True)
        for text in list(self._ahead)[: -max(_MOST_AHEAD, len(texts))]:
            del self._ahead[text]
        return tokens

    async def _embed(self, texts: Sequence[str]) -> tuple[Vector, int]:
        """A vector for each text, and the tokens of all. Raises `RuntimeError` for vectors of an unexpected shape."""
        options = self._chosen.options
        with explained(self._chosen):
            answer: EmbedResponse = await self._client.embed(
                self._chosen.model,
                list(texts),
                dimensions=options.dimensions,
                options=options.run_options,
                keep_alive=options.keep_alive,
            )
        vectors = np.array(answer.embeddings, np.float32)
        wanted = options.dimensions or vectors.shape[-1]
        if vectors.shape != (len(texts), wanted):
            raise RuntimeError(
                f"Ollama gave embeddings of shape {list(vectors.shape)} for {len(texts)} texts, not "
                f"[{len(texts)}, {wanted}]; options.dimensions must be what the model can give"
            )
        return vectors, answer.prompt_eval_count or 0
