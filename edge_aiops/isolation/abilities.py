"""Sessions elsewhere that have `generate`, `count_tokens` and `check` exactly where the model has them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable, Sequence
from functools import cache
from typing import TypeVar

from edge_aiops.plugin.generation import Checkable, GenerationPiece, GenerationRequest, TextGenerator, TokenCounter

ABILITIES: dict[str, type] = {"generate": TextGenerator, "count_tokens": TokenCounter, "check": Checkable}
"""What a session may do beyond tensors, by its method."""


class Forwarding(ABC):
    """A session that can forward everything, and offers what the model can."""

    @abstractmethod
    def _generated(self, request: GenerationRequest) -> AsyncIterator[GenerationPiece]: ...

    @abstractmethod
    async def _counted(self, texts: Sequence[str]) -> int: ...

    @abstractmethod
    async def _checked(self) -> None: ...


class _Generating(Forwarding):
    def generate(self, request: GenerationRequest) -> AsyncIterator[GenerationPiece]:
        """The text, piece by piece."""
        return self._generated(request)


class _Counting(Forwarding):
    async def count_tokens(self, texts: Sequence[str]) -> int:
        """Tokens of all `texts` together."""
        return await self._counted(texts)


class _Checked(Forwarding):
    async def check(self) -> None:
        """Raises what is missing."""
        await self._checked()


_BY_METHOD = {"generate": _Generating, "count_tokens": _Counting, "check": _Checked}

S = TypeVar("S", bound=Forwarding)


def with_abilities(kind: type[S], methods: Iterable[str]) -> type[S]:
    """`kind` with these of the methods of `TextGenerator`, `TokenCounter` and `Checkable`."""
    return _extended(kind, tuple(methods))


@cache
def _extended(kind: type[S], methods: tuple[str, ...]) -> type[S]:
    return type(kind.__name__, (*(_BY_METHOD[method] for method in methods), kind), {})
