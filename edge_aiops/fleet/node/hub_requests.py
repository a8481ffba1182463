"""Single requests to a hub, without a session: bounded in time and size, and never sent on to anybody else."""

from __future__ import annotations

from typing import TypeVar

import aiohttp
import msgspec
from msgspec import Struct

from edge_aiops.base import errors
from edge_aiops.base.errors import EdgeAiopsError, Unavailable

T = TypeVar("T")

MOST_ANSWER_BYTES = 1024**2
TIMEOUT_S = 60.0
_CHUNK_BYTES = 64 * 1024
_SAID: dict[str, type[EdgeAiopsError]] = {
    kind.code: kind
    for kind in (
        errors.Unauthenticated,
        errors.NodeRevoked,
        errors.NodeQuarantined,
        errors.UnknownNode,
        errors.Conflict,
        errors.InvalidInput,
    )
}


class _Problem(Struct, frozen=True):
    code: str = ""
    detail: str = ""


async def post(http: aiohttp.ClientSession, url: str, body: Struct, answer: type[T]) -> T:
    """The answer to a POST. Raises what the hub says, and `Unavailable` where it says nothing that makes sense."""
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S, sock_connect=10)
    headers = {"Content-Type": "application/json"}
    try:
        async with http.post(
            url, data=msgspec.json.encode(body), headers=headers, timeout=timeout, allow_redirects=False
        ) as response:
            said = await read_bounded(response, MOST_ANSWER_BYTES)
            if response.status >= 300:
                raise refusal(response, said)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise unreachable(url, error) from error
    try:
        return msgspec.json.decode(said, type=answer)
    except (ValueError, RecursionError) as error:
        raise Unavailable(f"{url} answered something that is no {answer.__name__}: {error}") from error


async def read_bounded(response: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    """The whole body. Raises `Unavailable` for one that is longer than `most_bytes`."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > most_bytes:
            raise Unavailable(f"the answer of {response.url} is longer than {most_bytes} bytes")
    return bytes(body)


def refusal(response: aiohttp.ClientResponse, said: bytes) -> EdgeAiopsError:
    """A failure that the hub has answered, as an error of ours."""
    try:
        problem = msgspec.json.decode(said, type=_Problem)
    except (ValueError, RecursionError):
        problem = _Problem()
    if (kind := _SAID.get(problem.code)) is not None:
        return kind(f"the hub says: {problem.detail}")
    detail = f": {problem.detail}" if problem.detail else ""
    return Unavailable(f"the hub answered {response.status} {response.reason} to {response.url}{detail}")


def unreachable(url: str, error: Exception) -> Unavailable:
    """What to say where nobody answers."""
    return Unavailable(f"the hub {url} cannot be reached: {type(error).__name__}: {error}")
