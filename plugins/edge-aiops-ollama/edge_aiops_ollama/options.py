"""What may be said about a model when it is registered, and where the server is."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from edge_aiops.plugin import InvalidModel, ModelSource, parsed_options

HOST_VARIABLE = "OLLAMA_HOST"
MODEL_VARIABLE = "OLLAMA_DEFAULT_MODEL"
DEFAULT_HOST = "http://127.0.0.1:11434"

_PORTS = {"http": 80, "https": 443}
_DEFAULT_PORT = 11434

Count = Annotated[int, Meta(ge=0)]
Factor = Annotated[float, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Penalty = Annotated[float, Meta(ge=-2, le=2)]


class RunOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """The option `options`: how Ollama runs the model, by Ollama's names. What is left out is left to the model."""

    num_ctx: Annotated[int, Meta(ge=1)] | UnsetType = UNSET
    num_batch: Annotated[int, Meta(ge=1)] | UnsetType = UNSET
    num_gpu: Annotated[int, Meta(ge=-1)] | UnsetType = UNSET
    num_thread: Annotated[int, Meta(ge=1)] | UnsetType = UNSET
    num_keep: Annotated[int, Meta(ge=-1)] | UnsetType = UNSET
    num_predict: Annotated[int, Meta(ge=-2)] | UnsetType = UNSET
    temperature: Factor | UnsetType = UNSET
    top_k: Count | UnsetType = UNSET
    top_p: Share | UnsetType = UNSET
    min_p: Share | UnsetType = UNSET
    seed: int | UnsetType = UNSET
    stop: tuple[str, ...] | UnsetType = UNSET
    repeat_last_n: Annotated[int, Meta(ge=-1)] | UnsetType = UNSET
    repeat_penalty: Factor | UnsetType = UNSET
    presence_penalty: Penalty | UnsetType = UNSET
    frequency_penalty: Penalty | UnsetType = UNSET


class OllamaOptions(Struct, frozen=True, rename="camel"):
    """The `options` of a model of this backend."""

    model: Annotated[str, Meta(min_length=1)] | None = None
    """Its name on the Ollama server, such as `smollm2` or `llama3.2:3b`; else OLLAMA_DEFAULT_MODEL."""

    host: str | None = None
    """The server's address; else OLLAMA_HOST, else http://127.0.0.1:11434."""

    task: Literal["chat", "generate", "embedding"] = "chat"
    """What a prediction does: `chat` answers the prompt as a user's message, `generate` completes it, `embedding`
    gives the vectors of texts."""

    system: str | None = None
    """The system message, where a conversation brings none of its own."""

    raw: bool = False
    """Give prompts to the model as they are, without its template."""

    vision: bool = False
    """Whether predictions have an `image` beside the prompt."""

    dimensions: Annotated[int, Meta(ge=1, le=65_536)] | None = None
    """How long embeddings are cut by the server; else they are as long as the model makes them."""

    options: RunOptions = RunOptions()
    """How Ollama runs the model."""

    keep_alive: float | str | None = None
    """How long the server keeps the model in its memory after a request, in seconds or like `10m`."""

    pull: bool = False
    """Have the server fetch the model in the background if it is missing."""

    timeout_s: Annotated[float, Meta(gt=0, le=86_400)] = 300.0
    """How long the server may say nothing, such as while it loads the model."""

    @property
    def run_options(self) -> dict[str, Any]:
        """`options` as Ollama takes them."""
        given: dict[str, Any] = msgspec.to_builtins(self.options)
        return given


class Chosen(Struct, frozen=True):
    """What a model is, after options, environment and defaults."""

    model: str
    url: str
    options: OllamaOptions


def chosen(source: ModelSource, environment: Mapping[str, str]) -> Chosen:
    """What `source` asks for. Raises `InvalidModel` that names the option or the variable to set."""
    options = parsed_options(source, OllamaOptions)
    model = options.model or environment.get(MODEL_VARIABLE)
    if not model:
        raise InvalidModel.of(
            "options.model", f"is missing, and {MODEL_VARIABLE} is not set; say which model, such as smollm2"
        )
    _check_task(options)
    if options.host:
        return Chosen(model, _address(options.host, "options.host"), options)
    return Chosen(model, _address(environment.get(HOST_VARIABLE) or DEFAULT_HOST, HOST_VARIABLE), options)


def is_loopback(url: str) -> bool:
    """Whether the server at `url` is on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_task(options: OllamaOptions) -> None:
    if options.vision and options.task == "embedding":
        raise InvalidModel.of("options.vision", "is for the tasks chat and generate; embeddings are of texts")
    if options.dimensions and options.task != "embedding":
        raise InvalidModel.of("options.dimensions", "is for the task embedding")
    if options.raw and options.task != "generate":
        raise InvalidModel.of("options.raw", "is for the task generate; a chat always has the model's template")
    if options.raw and options.system:
        raise InvalidModel.of("options.system", "does nothing with options.raw: a raw prompt says it all")


def _address(host: str, field: str) -> str:
    """The URL for a host as Ollama writes it: scheme and port may be left out."""
    whole = host.strip() if "://" in host else f"http://{host.strip()}"
    try:
        parts = urlsplit(whole)
        port = parts.port or (_PORTS.get(parts.scheme) if "://" in host else _DEFAULT_PORT)
    except ValueError as error:
        raise InvalidModel.of(field, f"{host[:80]!r} is not the address of a server: {error}") from error
    if port is None or not parts.hostname:
        raise InvalidModel.of(field, f"{host[:80]!r} is not the address of a server; write it like {DEFAULT_HOST}")
    # A server that listens on all addresses is told so by the same variable.
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(parts.hostname, parts.hostname)
    name = f"[{name}]" if ":" in name else name
    return f"{parts.scheme}://{name}:{port}{parts.path.rstrip('/')}"
