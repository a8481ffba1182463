"""A small Ollama server for tests: its HTTP API over a real language model, which llama.cpp runs.

`python tests/tools/ollama_facade.py --library FOLDER --store FOLDER` prints its address and serves until its standard
input ends. Models of the library, `FOLDER/NAME/*.gguf`, can be pulled into the store, and those of the store are
served. Beyond Ollama's API, `GET /facade` tells what was asked, and `POST /facade` makes the next pulls wait or fail.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import xllamacpp
from aiohttp import web

_VERSION = "0.13.0"
_CHUNK_BYTES = 8 * 1024 * 1024
_THREADS = 1
_CONTEXT_TOKENS = 2_048
_QUIET = -1
_SAMPLING = {
    "num_predict": "max_tokens",
    **{name: name for name in ("temperature", "top_k", "top_p", "min_p", "seed", "stop", "repeat_penalty")},
    **{name: name for name in ("presence_penalty", "frequency_penalty")},
}
"""Ollama's names of options, and those of llama.cpp."""


class Refused(Exception):
    """What Ollama answers instead: a status and a sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Facade:
    """The server's state: what is in the store, the loaded model, and what was asked."""

    def __init__(self, library: Path, store: Path) -> None:
        self.library = library
        self.store = store
        self.hold_pulls = asyncio.Event()
        """Pulls stop in the middle until it is set, as it is at first."""
        self.hold_pulls.set()
        self.failing_pulls = ""
        self.images: list[str] = []
        self.asked: list[dict[str, Any]] = []
        self.pulls = 0
        self.pulling = 0
        self.embedded = 0
        self.generating = 0
        self.stopped = 0
        """Generations whose caller went away."""
        self._llama: xllamacpp.Server | None = None
        self._loading = asyncio.Lock()
        # A connection for each request: llama.cpp may close an idle one while a request is on its way to it.
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))

    async def close(self) -> None:
        await self._http.close()

    def file(self, name: str) -> Path:
        """The weights of a model. Raises `Refused` as Ollama does where it is not in the store."""
        path = self.store / f"{_tagged(name).replace(':', '@').replace('/', '_')}.gguf"
        if not path.exists():
            raise Refused(404, f"model '{name}' not found")
        return path

    async def pull(self, name: str) -> AsyncIterator[dict[str, Any]]:
        """Copy a model from the library into the store, telling how far it is."""
        self.pulls += 1
        self.pulling += 1
        try:
            async for part in self._pulled(name):
                yield part
        finally:
            self.pulling -= 1

    async def _pulled(self, name: str) -> AsyncIterator[dict[str, Any]]:
        yield {"status": "pulling manifest"}
        if self.failing_pulls:
            yield {"error": self.failing_pulls}
            return
        sources = sorted((self.library / name.partition(":")[0]).glob("*.gguf"))
        if not sources:
            yield {"error": "pull model manifest: file does not exist"}
            return
        total, done = sources[0].stat().st_size, 0
        digest = f"sha256:{name.encode().hex():0<64}"[:71]
        partial = self.store / f"{digest[7:]}.partial"
        with sources[0].open("rb") as source, partial.open("wb") as target:
            while chunk := source.read(_CHUNK_BYTES):
                target.write(chunk)
                done += len(chunk)
                yield {"status": f"pulling {digest[7:19]}", "digest": digest, "total": total, "completed": done}
                if done > total // 3:
                    await self.hold_pulls.wait()
        partial.rename(self.store / f"{_tagged(name).replace(':', '@')}.gguf")
        for status in ("verifying sha256 digest", "writing manifest", "success"):
            yield {"status": status}

    async def embeddings(self, name: str, texts: list[str]) -> tuple[list[list[float]], int]:
        """A vector for each text, and how many tokens they were."""
        if not texts:
            return [], 0
        self.embedded += len(texts)
        async with self._http.post(
            await self._address(name, "/v1/embeddings"), json={"input": texts, "model": name}
        ) as response:
            answer = await response.json()
        if response.status != 200:
            raise Refused(400, answer["error"]["message"])
        rows = sorted(answer["data"], key=lambda row: row["index"])
        return [row["embedding"] for row in rows], answer["usage"]["prompt_tokens"]

    async def texts(self, body: dict[str, Any]) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """The pieces of a text, the last with what Ollama says at the end."""
        path, request = _llama_request(body)
        self.asked.append(body)
        if images := _images_of(body):
            self.images += images
            self.file(body["model"])
            raise Refused(500, "this model is missing data required for image input")
        url = await self._address(body["model"], path)
        began = time.perf_counter_ns()
        end: dict[str, Any] = {"done_reason": "stop"}
        self.generating += 1
        try:
            async with self._http.post(url, json=request) as response:
                if response.status != 200:
                    raise Refused(400, (await response.json())["error"]["message"])
                async for line in response.content:
                    if not line.startswith(b"data: ") or line.startswith(b"data: [DONE]"):
                        continue
                    part = json.loads(line.removeprefix(b"data: "))
                    for choice in part.get("choices") or ():
                        if reason := choice.get("finish_reason"):
                            end["done_reason"] = reason
                        if text := choice.get("text") or choice.get("delta", {}).get("content"):
                            yield text, {}
                    if usage := part.get("usage"):
                        end |= {
                            "prompt_eval_count": usage["prompt_tokens"],
                            "eval_count": usage["completion_tokens"],
                        }
        except (asyncio.CancelledError, GeneratorExit):
            self.stopped += 1
            raise
        finally:
            self.generating -= 1
        taken = time.perf_counter_ns() - began
        yield "", {**end, "total_duration": taken, "load_duration": 1, "eval_duration": taken}

    async def _address(self, name: str, path: str) -> str:
        file = self.file(name)
        async with self._loading:
            if self._llama is None:
                self._llama = await asyncio.to_thread(_loaded, file)
        return f"{self._llama.listening_address}{path}"


def _loaded(file: Path) -> xllamacpp.Server:
    """llama.cpp with the model, on a port of its own. One slot, so that what it says does not hang on who else asks."""
    params = xllamacpp.CommonParams()
    params.model.path = str(file)
    params.n_ctx = _CONTEXT_TOKENS
    params.n_parallel = 1
    params.cpuparams.n_threads = _THREADS
    params.cpuparams.poll = params.cpuparams_batch.poll = 0  # a thread that spins takes the processor from the tests
    params.n_threads_http = 8
    params.embedding = True
    params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    params.warmup = False
    params.ui = False
    params.cache_ram_mib = 0
    params.verbosity = _QUIET
    params.port = 0
    return xllamacpp.Server(params)


def _tagged(name: str) -> str:
    return name if ":" in name else f"{name}:latest"


def _images_of(body: dict[str, Any]) -> list[str]:
    holders = [body, *(body.get("messages") or ())]
    return [image for holder in holders for image in holder.get("images") or ()]


def _llama_request(body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Where llama.cpp is asked, and how."""
    options = body.get("options") or {}
    request: dict[str, Any] = {llama: options[name] for name, llama in _SAMPLING.items() if options.get(name)}
    if "temperature" in options:
        request["temperature"] = options["temperature"]
    request |= {"stream": True, "stream_options": {"include_usage": True}, "model": body["model"]}
    schema = body.get("format")
    if schema:
        grammar = {"type": "json_schema", "json_schema": {"schema": schema}}
        request["response_format"] = {"type": "json_object"} if schema == "json" else grammar
    if body.get("raw"):
        return "/v1/completions", {**request, "prompt": body["prompt"]}
    messages = body.get("messages")
    if messages is None:
        messages = [{"role": "user", "content": body["prompt"]}]
        if body.get("system"):
            messages.insert(0, {"role": "system", "content": body["system"]})
    plain = [{"role": message["role"], "content": message.get("content") or ""} for message in messages]
    return "/v1/chat/completions", {**request, "messages": plain}


FACADE: web.AppKey[Facade] = web.AppKey("facade")
routes = web.RouteTableDef()


@routes.get("/api/version")
async def version(request: web.Request) -> web.Response:
    return web.json_response({"version": _VERSION})


@routes.get("/api/tags")
@routes.get("/api/ps")
async def tags(request: web.Request) -> web.Response:
    files = sorted(request.app[FACADE].store.glob("*.gguf"))
    names = {file.stem.replace("@", ":"): file.stat().st_size for file in files}
    models = [{"name": name, "model": name, "size": size, "digest": "0" * 64} for name, size in names.items()]
    return web.json_response({"models": models})


@routes.post("/api/show")
async def show(request: web.Request) -> web.Response:
    request.app[FACADE].file((await request.json())["model"])
    information = {"general.architecture": "llama", "llama.embedding_length": 576}
    return web.json_response({"model_info": information, "capabilities": ["completion"], "details": {"format": "gguf"}})


@routes.delete("/api/delete")
async def delete(request: web.Request) -> web.Response:
    request.app[FACADE].file((await request.json())["model"]).unlink()
    return web.Response()


@routes.post("/api/pull")
async def pull(request: web.Request) -> web.StreamResponse:
    name = (await request.json())["model"]
    return await _streamed(request, request.app[FACADE].pull(name))


@routes.post("/api/embed")
async def embed(request: web.Request) -> web.Response:
    facade, body = request.app[FACADE], await request.json()
    given = body["input"]
    rows, tokens = await facade.embeddings(body["model"], [given] if isinstance(given, str) else given)
    rows = [row[: body.get("dimensions") or None] for row in rows]
    return web.json_response({"model": body["model"], "embeddings": rows, "prompt_eval_count": tokens})


@routes.post("/api/chat")
@routes.post("/api/generate")
async def generate(request: web.Request) -> web.StreamResponse:
    facade, body = request.app[FACADE], await request.json()
    facade.file(body["model"])
    chat = request.path == "/api/chat"

    async def parts() -> AsyncIterator[dict[str, Any]]:
        async with aclosing(facade.texts(body)) as texts:
            async for text, end in texts:
                said = {"message": {"role": "assistant", "content": text}} if chat else {"response": text}
                at = datetime.now(UTC).isoformat()
                yield {"model": body["model"], "created_at": at, **said, "done": bool(end), **end}

    if body.get("stream", True):
        return await _streamed(request, parts())
    whole: dict[str, Any] = {}
    text = ""
    async for part in parts():
        text += part["message"]["content"] if chat else part["response"]
        whole = part
    said = {"message": {"role": "assistant", "content": text}} if chat else {"response": text}
    return web.json_response({**whole, **said})


@routes.get("/facade")
async def told(request: web.Request) -> web.Response:
    facade = request.app[FACADE]
    images = [base64.b64decode(image).hex() for image in facade.images]
    counts = {name: getattr(facade, name) for name in ("pulls", "pulling", "embedded", "generating", "stopped")}
    return web.json_response({"asked": facade.asked, "images": images, **counts})


@routes.post("/facade")
async def control(request: web.Request) -> web.Response:
    facade, body = request.app[FACADE], await request.json()
    facade.failing_pulls = body.get("failPulls", "")
    (facade.hold_pulls.clear if body.get("holdPulls") else facade.hold_pulls.set)()
    return web.json_response({})


async def _streamed(request: web.Request, parts: AsyncIterator[dict[str, Any]]) -> web.StreamResponse:
    """The parts as lines of JSON. What goes wrong before the first one is an answer of its own."""
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    try:
        async for part in parts:
            if not response.prepared:
                await response.prepare(request)
            await response.write(json.dumps(part).encode() + b"\n")
    finally:
        await parts.aclose()  # type: ignore[attr-defined]  # they are generators
    await response.write_eof()
    return response


@web.middleware
async def _refusing(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        answered: web.StreamResponse = await handler(request)
    except Refused as error:
        return web.json_response({"error": str(error)}, status=error.status)
    return answered


async def serve(library: Path, store: Path) -> None:
    """Serve until standard input ends, with whoever started this."""
    app = web.Application(middlewares=[_refusing], client_max_size=64 * 1024 * 1024)
    app.add_routes(routes)
    app[FACADE] = facade = Facade(library, store)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await facade.close()
    await runner.cleanup()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", type=Path, required=True)
    parser.add_argument("--store", type=Path, required=True)
    chosen = parser.parse_args()
    asyncio.run(serve(chosen.library, chosen.store))
