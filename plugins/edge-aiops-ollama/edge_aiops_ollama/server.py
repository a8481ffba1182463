"""The Ollama server: a client for it, and what its failures mean."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from ollama import AsyncClient, ResponseError

from edge_aiops.plugin import BackendUnavailable, InvalidInput, NotFound, Unavailable
from edge_aiops_ollama.options import Chosen, is_loopback

_CONNECT_TIMEOUT_S = 5.0
_RETRY_AFTER_S = 10.0
_BUSY = (429, 503)
_NO_VISION = "image input"


def client_of(chosen: Chosen) -> AsyncClient:
    """A client of the server. Reads certificates from the disk, so make it in a thread.

    A proxy of the environment is for other machines, not for this one.
    """
    timeout = httpx.Timeout(chosen.options.timeout_s, connect=_CONNECT_TIMEOUT_S)
    return AsyncClient(chosen.url, timeout=timeout, trust_env=not is_loopback(chosen.url))


@contextmanager
def explained(chosen: Chosen) -> Iterator[None]:
    """Turns failures of the client into errors that name the remedy.

    Raises `BackendUnavailable` where no Ollama server answers, `NotFound` for a missing model, `Unavailable` where the
    server is busy or silent, or the connection breaks, `InvalidInput` for what it refuses, and `RuntimeError` for what
    else it reports.
    """
    try:
        yield
    except ResponseError as error:
        raise _refusal(error, chosen) from error
    except httpx.ReadTimeout as error:
        limit = chosen.options.timeout_s
        raise Unavailable(
            f"the Ollama server at {chosen.url} said nothing for {limit:g} s (options.timeoutS)",
            retry_after_s=_RETRY_AFTER_S,
        ) from error
    except (ConnectionError, httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise BackendUnavailable(
            f"no Ollama server at {chosen.url}: start it with `ollama serve`, or set OLLAMA_HOST",
            retry_after_s=_RETRY_AFTER_S,
        ) from error
    except httpx.TransportError as error:
        raise Unavailable(
            f"the connection to the Ollama server at {chosen.url} broke: {str(error) or type(error).__name__}",
            retry_after_s=_RETRY_AFTER_S,
        ) from error
    except ValueError as error:  # what it says is no JSON, or has other fields
        raise _no_ollama(chosen) from error


def _refusal(error: ResponseError, chosen: Chosen) -> Exception:
    said = " ".join(error.error.split())[:400]
    if error.status_code == 404:
        if "model" not in said:
            return _no_ollama(chosen)
        return NotFound(f"{chosen.url} has no model {chosen.model!r}; get it with: ollama pull {chosen.model}")
    if error.status_code in _BUSY:
        return Unavailable(f"the Ollama server at {chosen.url} is busy: {said}")
    if _NO_VISION in said:
        return InvalidInput.of("image", f"model {chosen.model!r} does not see images")
    if error.status_code == 400:
        return InvalidInput(f"the Ollama server refuses this: {said}")
    return RuntimeError(f"Ollama: {said}")


def _no_ollama(chosen: Chosen) -> BackendUnavailable:
    return BackendUnavailable(
        f"what answers at {chosen.url} is no Ollama server; set OLLAMA_HOST, or options.host",
        retry_after_s=_RETRY_AFTER_S,
    )
