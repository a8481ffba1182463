"""What a node and a worker say to each other: the headers of frames, one Struct a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from edge_aiops.base.errors import EdgeAiopsError, FieldError, ModelFailed, ModelOutOfMemory, Unavailable
from edge_aiops.plugin.generation import GenerationPiece, GenerationRequest
from edge_aiops.plugin.signature import Signature


class TensorHead(Struct, frozen=True, array_like=True):
    """Where a tensor lies in the payload of its frame, or in the shared memory."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    size: int


class TensorHeads(Struct, frozen=True, array_like=True):
    """All tensors of a frame. `block`: where they begin in the shared memory; None if they are in the frame."""

    heads: tuple[TensorHead, ...]
    block: int | None = None


class Predict(Struct, frozen=True, tag=1, array_like=True):
    """`Session.predict`."""

    call: int
    inputs: TensorHeads


class Generate(Struct, frozen=True, tag=2, array_like=True):
    """`TextGenerator.generate`; at most `PIECES` are on their way at once."""

    call: int
    request: GenerationRequest


class CountTokens(Struct, frozen=True, tag=3, array_like=True):
    """`TokenCounter.count_tokens`."""

    call: int
    texts: tuple[str, ...]


class Check(Struct, frozen=True, tag=4, array_like=True):
    """`Checkable.check`."""

    call: int


class Cancel(Struct, frozen=True, tag=5, array_like=True):
    """Nobody waits for this call any more; its end is told nevertheless."""

    call: int


class More(Struct, frozen=True, tag=6, array_like=True):
    """So many pieces of a generation were taken."""

    call: int
    pieces: int


class Release(Struct, frozen=True, tag=7, array_like=True):
    """What lay in the shared memory at `block` was read."""

    block: int


class Close(Struct, frozen=True, tag=8, array_like=True):
    """Close the model and end."""


class Ready(Struct, frozen=True, tag=20, array_like=True):
    """The model is loaded."""

    signature: Signature
    abilities: tuple[str, ...]
    sandbox: tuple[str, ...]


class Result(Struct, frozen=True, tag=21, array_like=True):
    """What a predict gave."""

    call: int
    outputs: TensorHeads


class Piece(Struct, frozen=True, tag=22, array_like=True):
    """The next piece of a generation."""

    call: int
    piece: GenerationPiece


class Done(Struct, frozen=True, tag=23, array_like=True):
    """A call ended; `count` are the tokens of `CountTokens`."""

    call: int
    count: int = 0


class Failed(Struct, frozen=True, tag=24, array_like=True):
    """A call raised; call 0 is the load."""

    call: int
    code: str
    message: str
    fields: tuple[FieldError, ...] = ()
    retry_after_s: float | None = None


class Cancelled(Struct, frozen=True, tag=25, array_like=True):
    """A cancelled call has ended."""

    call: int


Question = Predict | Generate | CountTokens | Check | Cancel | More | Release | Close
Answer = Ready | Result | Piece | Done | Failed | Cancelled

PIECES = 64
"""Pieces of a generation that may be on their way; the worker waits when its reader is slower."""

encoded = msgspec.msgpack.Encoder().encode
question_decoder = msgspec.msgpack.Decoder(Question)
answer_decoder = msgspec.msgpack.Decoder(Answer)


def failed(call: int, error: BaseException, *, subject: str, otherwise: type[EdgeAiopsError]) -> Failed:
    """`error` on its way to another process. One that is none of our tree becomes `otherwise`: `subject` raised it."""
    if isinstance(error, EdgeAiopsError):
        retry_after_s = error.retry_after_s if isinstance(error, Unavailable) else None
        return Failed(call, error.code, error.message, error.fields, retry_after_s)
    # What a framework says may hold what no message can, such as a file name that is not UTF-8.
    said = f"{type(error).__name__}: {error}"[:2_000].encode(errors="replace").decode()
    kind = ModelOutOfMemory if tells_want_of_memory(said) else otherwise
    return Failed(call, kind.code, f"{subject} raised {said}")


def tells_want_of_memory(said: str) -> bool:
    """Whether a message, or the last that a process wrote, is about an allocation that failed."""
    return _WANT_OF_MEMORY.search(said) is not None


def raised(failure: Failed) -> EdgeAiopsError:
    """The error again."""
    kind = _KINDS.get(failure.code, ModelFailed)
    if issubclass(kind, Unavailable):
        return kind(failure.message, retry_after_s=failure.retry_after_s or 1.0)
    return kind(failure.message, fields=failure.fields)


def _kinds(kind: type[EdgeAiopsError]) -> Iterator[type[EdgeAiopsError]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from _kinds(narrower)


_WANT_OF_MEMORY = re.compile(
    r"MemoryError|bad_alloc|bad allocation|[Oo]ut of memory|[Cc]annot allocate memory|[Ff]ailed to allocate"
)
# Without those of other modules, which share the code of one of these, and are made in ways of their own.
_KINDS = {kind.code: kind for kind in _kinds(EdgeAiopsError) if kind.__module__ == EdgeAiopsError.__module__}
