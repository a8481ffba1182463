"""The official OpenAI client talks to a server of ours, which has a real language model behind it."""

from __future__ import annotations

import asyncio
import base64
import io
import os
import pty
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest
import pytest_asyncio
from openai import AsyncOpenAI

from tests.tools.minilm import minilm_archive

pytestmark = pytest.mark.asyncio(loop_scope="module")

STEADY = {"seed": 1, "temperature": 0}
HELLO: Any = [{"role": "user", "content": "Say hello."}]
STORY: Any = [{"role": "user", "content": "Tell a long story about a lighthouse."}]
PNG = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(16)).decode()


class Served:
    """A server of ours with the models `llm` and `embedder`, the official client for it, and our own."""

    def __init__(self, client: Any, sdk: AsyncOpenAI) -> None:
        self.client = client
        self.sdk = sdk

    async def register(self, name: str, **options: object) -> None:
        """Have a model of the Ollama server."""
        await self.client.register(name, "1", framework="ollama", options=options, stage="production")

    async def event(self, *, about: str = "", **wanted: object) -> dict[str, Any]:
        """The newest event like `wanted` whose features hold the text `about`, when there is one."""
        async with asyncio.timeout(20):
            while True:
                events = (await self.client.get("/events")).body["events"]
                for event in events:
                    if about in str(event["features"]) and wanted.items() <= event.items():
                        return event
                await asyncio.sleep(0.02)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(serve: Any, ollama_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with serve(tmp_path_factory.mktemp("openai")) as client, _official(client.url) as sdk:
        served = Served(client, sdk)
        await served.register("llm", model="smollm2", host=ollama_url)
        await served.register("embedder", model="smollm2", host=ollama_url, task="embedding")
        await client.register("echo", framework="echo")
        yield served


@asynccontextmanager
async def _official(url: str) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key="unused", max_retries=0, timeout=60) as sdk:
        yield sdk


async def test_models_are_listed_by_name_and_by_version(served: Served) -> None:
    names = [model.id async for model in served.sdk.models.list()]
    assert {"echo", "echo:1", "embedder", "embedder:1", "llm", "llm:1"} <= set(names)
    assert names == sorted(names)
    assert (await served.sdk.models.retrieve("llm:1")).id == "llm:1"
    with pytest.raises(openai.NotFoundError, match="model 'llm' has no version '2'"):
        await served.sdk.models.retrieve("llm:2")


async def test_a_conversation_is_answered_and_is_an_inference_event(served: Served) -> None:
    answer = await served.sdk.chat.completions.create(
        model="llm", messages=HELLO, max_tokens=4, user="u-7", extra_headers={"X-Session-Id": "s-1"}, **STEADY
    )
    (choice,) = answer.choices
    assert (choice.message.role, choice.finish_reason, answer.model) == ("assistant", "length", "llm:1")
    assert choice.message.content and choice.message.content.startswith("Hello")
    assert answer.usage and answer.usage.completion_tokens == 4
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + 4
    assert answer._request_id == answer.id
    event = (await served.client.get(f"/events/{answer.inference_id}")).body  # type: ignore[attr-defined]
    assert event["features"] == {"messages": HELLO}
    assert event["prediction"] == {"response": choice.message.content}
    assert (event["userId"], event["sessionId"], event["requestId"]) == ("u-7", "s-1", answer.id)
    assert (event["promptTokens"], event["completionTokens"]) == (answer.usage.prompt_tokens, 4)
    assert event["firstTokenMs"] > 0 and event["tokensPerSecond"] > 0
    assert event["error"] is None


async def test_a_conversation_is_streamed_with_usage_at_the_end(served: Served) -> None:
    stream = await served.sdk.chat.completions.create(
        model="llm:1",
        messages=HELLO,
        max_completion_tokens=4,
        stream=True,
        stream_options={"include_usage": True},
        extra_headers={"X-Request-Id": "r-9"},
        **STEADY,
    )
    chunks = [chunk async for chunk in stream]
    *pieces, last = chunks
    deltas = [chunk.choices[0].delta for chunk in pieces]
    assert [delta.role for delta in deltas] == ["assistant"] + [None] * (len(deltas) - 1)
    assert len([delta for delta in deltas if delta.content]) > 1
    assert [chunk.choices[0].finish_reason for chunk in pieces] == [None] * (len(pieces) - 1) + ["length"]
    assert {chunk.id for chunk in chunks} == {last.id}
    assert [chunk.usage for chunk in pieces] == [None] * len(pieces)
    assert last.choices == [] and last.usage and last.usage.completion_tokens == 4
    assert stream.response.headers["content-type"] == "text/event-stream; charset=utf-8"
    event = await served.event(requestId="r-9")
    assert event["prediction"] == {"response": "".join(delta.content or "" for delta in deltas)}
    assert event["completionTokens"] == 4


async def test_a_stream_ends_with_done(served: Served) -> None:
    asked = {"model": "llm", "messages": HELLO, "max_tokens": 1, "stream": True}
    answer = await served.client.post("/v1/chat/completions", asked)
    events = answer.content.decode().removesuffix("\n\n").split("\n\n")
    assert all(event.startswith("data: ") for event in events)
    assert events[-1] == "data: [DONE]"
    assert '"usage"' not in events[-2]


async def test_a_client_that_goes_away_stops_the_model_and_leaves_what_it_said(served: Served, ollama_url: str) -> None:
    async with httpx.AsyncClient(base_url=ollama_url, trust_env=False) as ollama:
        stopped_before = (await ollama.get("/facade")).json()["stopped"]
        stream = await served.sdk.chat.completions.create(model="llm", messages=STORY, max_tokens=1_500, stream=True)
        said = ""
        async for chunk in stream:
            said += chunk.choices[0].delta.content or ""
            if len(said) > 20:
                break
        await stream.close()
        event = await served.event(error="cancelled", about="lighthouse")
        assert event["prediction"]["response"].startswith(said)
        assert event["completionTokens"] is None
        async with asyncio.timeout(20):
            # Another process, which has no event for us.
            while (await ollama.get("/facade")).json()["stopped"] == stopped_before:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


async def test_a_text_that_takes_too_long_is_an_error_in_mid_stream(served: Served) -> None:
    endless = {"type": "array", "items": {"const": "and then"}, "minItems": 400}
    for deadline_ms in (3_000, 9_000, 27_000):  # the first one in which this machine begins the text
        with suppress(openai.APIStatusError):
            stream = await served.sdk.chat.completions.create(
                model="llm",
                messages=STORY,
                response_format={"type": "json_schema", "json_schema": {"name": "endless", "schema": endless}},
                stream=True,
                extra_headers={"X-Deadline-Ms": str(deadline_ms)},
            )
            break
    with pytest.raises(openai.APIError, match=f"the text did not end within {deadline_ms} ms") as caught:
        async for chunk in stream:
            assert chunk.choices
    assert (caught.value.code, caught.value.type) == ("deadline_exceeded", "server_error")
    event = await served.event(error="deadline_exceeded", about="lighthouse")
    assert event["prediction"]["response"]


async def test_prompts_are_completed_each_by_an_event_of_its_own(served: Served) -> None:
    prompts = ["The capital of France is", "One, two, three,"]
    answer = await served.sdk.completions.create(model="llm", prompt=prompts, max_tokens=3, **STEADY)
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert answer.usage and answer.usage.completion_tokens == 6
    for choice, prompt in zip(answer.choices, prompts, strict=True):
        event = (await served.client.get(f"/events/{choice.inference_id}")).body  # type: ignore[attr-defined]
        assert event["features"] == {"prompt": prompt}
        assert event["prediction"] == {"response": choice.text}
    stream = await served.sdk.completions.create(
        model="llm", prompt=prompts, max_tokens=3, stream=True, stream_options={"include_usage": True}, **STEADY
    )
    texts = ["", ""]
    async for chunk in stream:
        for choice in chunk.choices:
            texts[choice.index] += choice.text
    assert texts == [choice.text for choice in answer.choices]
    assert chunk.usage == answer.usage


async def test_a_schema_shapes_the_answer(served: Served) -> None:
    schema = {"type": "object", "properties": {"sunny": {"type": "boolean"}}, "required": ["sunny"]}
    answer = await served.sdk.chat.completions.create(
        model="llm",
        messages=[{"role": "developer", "content": "Answer in JSON."}, *HELLO],
        response_format={"type": "json_schema", "json_schema": {"name": "weather", "schema": schema}},
        max_tokens=20,
        **STEADY,
    )
    assert '"sunny"' in (answer.choices[0].message.content or "")


async def test_parameters_that_change_nothing_here_are_ignored(served: Served) -> None:
    answer = await served.sdk.chat.completions.create(
        model="llm",
        messages=[{"role": "user", "name": "Ada", "content": [{"type": "text", "text": "Hi."}]}],
        max_tokens=1,
        n=1,
        logprobs=False,
        store=False,
        metadata={"team": "a"},
        reasoning_effort="low",
        parallel_tool_calls=False,
        service_tier="auto",
        response_format={"type": "text"},
    )
    assert answer.choices[0].finish_reason == "length"


async def test_sentences_are_embedded_by_minilm(served: Served, models_folder: Path) -> None:
    archive = io.BytesIO(await asyncio.to_thread(minilm_archive(models_folder, "int8").read_bytes))
    registered = await served.client.call(
        "PUT", "/models/minilm/1/artifact?framework=transformers&stage=production", data=archive
    )
    assert registered.status == 201, registered
    sentences = ["A man plays the guitar.", "Somebody makes music.", "The stock market fell."]
    answer = await served.sdk.embeddings.create(
        model="minilm", input=sentences, extra_headers={"X-Deadline-Ms": "60000"}
    )
    vectors = np.array([row.embedding for row in answer.data])
    assert vectors.shape == (3, 384)
    assert vectors[0] @ vectors[1] > 0.3 > vectors[0] @ vectors[2]
    event = (await served.client.get(f"/events/{answer.inference_id}")).body  # type: ignore[attr-defined]
    assert (event["modelName"], event["features"]) == ("minilm", {"text": sentences})
    assert event["promptTokens"] == answer.usage.prompt_tokens > 15


async def test_texts_are_embedded_as_base64_and_as_numbers(served: Served) -> None:
    texts = ["The cat sleeps.", "Quarterly figures."]
    packed = await served.sdk.embeddings.create(model="embedder", input=texts, user="u-7")
    plain = await served.sdk.embeddings.create(model="embedder", input=texts, encoding_format="float")
    assert [row.index for row in packed.data] == [0, 1]
    vectors = np.array([row.embedding for row in packed.data])
    assert vectors.shape == (2, 576)
    np.testing.assert_allclose(vectors, [row.embedding for row in plain.data], atol=1e-5)
    assert packed.usage.prompt_tokens == packed.usage.total_tokens > 4
    event = (await served.client.get(f"/events/{packed.inference_id}")).body  # type: ignore[attr-defined]
    assert (event["features"], event["promptTokens"]) == ({"text": texts}, packed.usage.prompt_tokens)
    assert (event["userId"], event["rows"]) == ("u-7", 2)
    one = await served.sdk.embeddings.create(model="embedder", input="The cat sleeps.", dimensions=576)
    np.testing.assert_allclose(one.data[0].embedding, vectors[0], atol=1e-4)


@pytest.mark.parametrize(
    ("asked", "param", "message"),
    [
        ({"n": 2}, "n", "is not supported here; leave it out"),
        ({"logprobs": True}, "logprobs", "is not supported here"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools", "is not supported here"),
        ({"extra_body": {"top_k": 5}}, "body", "unknown field `top_k`"),
        ({"temperature": 3}, "temperature", "<= 2.0"),
        ({"max_tokens": 0}, "max_tokens", ">= 1"),
        ({"seed": 2**63}, "seed", "<= 9223372036854775807"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema.schema", "is missing"),
        ({"messages": []}, "messages", "length >= 1"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role", "Invalid enum value 'tool'"),
        ({"messages": [{"role": "assistant"}]}, "messages[0].content", "is missing"),
        (
            {"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]},
            "messages[0].content[0].type",
            "Invalid value 'input_audio'",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x/y"}}]}]},
            "messages[0].content[0].image_url.url",
            "because nothing is fetched",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": PNG}}]}]},
            "image",
            "does not see images",
        ),
        ({"extra_headers": {"X-Deadline-Ms": "soon"}}, "X-Deadline-Ms", "is not a number of milliseconds"),
        ({"extra_headers": {"X-Request-Id": "x" * 257}}, "X-Request-Id", "is no identifier"),
        ({"model": "echo"}, "model", "'echo' generates no text"),
    ],
)
async def test_what_is_not_served_is_refused_by_name(
    served: Served, asked: dict[str, Any], param: str, message: str
) -> None:
    for stream in (False, True):
        with pytest.raises(openai.BadRequestError, match=message) as caught:
            await served.sdk.chat.completions.create(**{"model": "llm", "messages": HELLO, "stream": stream} | asked)
        assert (caught.value.param, caught.value.type, caught.value.code) == (
            param,
            "invalid_request_error",
            "invalid_input",
        )


@pytest.mark.parametrize(
    ("asked", "param", "message"),
    [
        ({"input": [1, 2]}, "input", "tokens are not taken"),
        ({"input": [[1], [2]]}, "input", "tokens are not taken"),
        ({"input": []}, "input", "length >= 1"),
        ({"dimensions": 64}, "dimensions", "64 cannot be had; the vectors of this model have 576"),
        ({"model": "echo"}, "model", "'echo' gives no embeddings of texts: it makes input: float32"),
        ({"model": "llm"}, "model", "'llm' gives no embeddings of texts"),
    ],
)
async def test_embeddings_that_cannot_be_had_are_refused_by_name(
    served: Served, asked: dict[str, Any], param: str, message: str
) -> None:
    with pytest.raises(openai.BadRequestError, match=message) as caught:
        await served.sdk.embeddings.create(**{"model": "embedder", "input": "a cat"} | asked)
    assert caught.value.param == param


async def test_failures_are_the_clients_own_exceptions(served: Served, ollama_url: str) -> None:
    ask = served.sdk.chat.completions.create
    with pytest.raises(openai.NotFoundError, match="no model named 'gpt-4o' on this node") as unknown:
        await ask(model="gpt-4o", messages=HELLO)
    assert (unknown.value.code, unknown.value.type) == ("unknown_model", "invalid_request_error")
    await served.register("absent", model="mistral", host=ollama_url)
    with pytest.raises(openai.NotFoundError, match="get it with: ollama pull mistral"):
        await ask(model="absent", messages=HELLO)
    await served.register("alone", model="smollm2", host="http://127.0.0.1:9")
    for stream in (False, True):
        with pytest.raises(openai.InternalServerError, match=r"no Ollama server at http://127\.0\.0\.1:9") as away:
            await ask(model="alone", messages=HELLO, stream=stream)
        assert (away.value.status_code, away.value.code, away.value.type) == (
            503,
            "backend_unavailable",
            "server_error",
        )
        assert away.value.response.headers["retry-after"] == "10"
    for model, status in (("llm", 200), ("absent", 404), ("alone", 503)):
        assert (await served.client.get(f"/v2/models/{model}/ready")).status == status
    await served.register("lost", model="smollm2", host="http://127.0.0.1:9", task="embedding")
    with pytest.raises(openai.InternalServerError, match="no Ollama server"):
        await served.sdk.embeddings.create(model="lost", input="a cat")
    assert await served.event(modelName="lost", error="backend_unavailable")


async def test_one_body_serves_every_client(served: Served) -> None:
    answer = await served.client.post("/v1/chat/completions", {"model": "llm", "messages": HELLO, "n": 2})
    assert answer.problem == (400, "invalid_input")
    assert answer.body["errors"] == [{"field": "n", "message": "is not supported here; leave it out"}]
    assert answer.body["error"] == {
        "message": answer.body["detail"],
        "type": "invalid_request_error",
        "param": "n",
        "code": "invalid_input",
    }
    for path in ("/v1/nothing", "/v1/models/unknown"):
        missing = await served.client.get(path)
        assert missing.status == 404
        assert missing.body["error"]["message"] == missing.body["detail"]
    assert "error" not in (await served.client.get("/nothing")).body


async def test_a_question_on_the_command_line_is_answered(served: Served) -> None:
    code, said, _ = await _chat(served, "llm", "Say hello.", "--max-tokens", "4", "--temperature", "0")
    assert (code, said.startswith("Hello"), said[-1]) == (0, True, "\n")
    code, said, _ = await _chat(
        served, "llm", "--max-tokens", "4", "--system", "Be brief.", standard_input="Say hello."
    )
    assert code == 0 and said.strip()
    event = await served.event(about="Be brief.")
    assert [message["content"] for message in event["features"]["messages"]] == ["Be brief.", "Say hello."]


async def test_what_goes_wrong_is_told_on_the_command_line(served: Served) -> None:
    code, _, said = await _chat(served, "gpt-4o", "Hello")
    assert (code, "no model named 'gpt-4o' on this node" in said) == (1, True)
    code, _, said = await _chat(served, "llm", "Hello", "--temperature", "3")
    assert (code, "temperature: Expected `float` <= 2.0" in said) == (1, True)


async def _chat(served: Served, *arguments: str, standard_input: str = "") -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "edge_aiops", "chat", "--url", served.client.url, *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    said, failed = await process.communicate(standard_input.encode())
    return process.returncode, said.decode(), failed.decode()


async def test_a_conversation_in_a_terminal_goes_on_after_an_answer_is_interrupted(served: Served) -> None:
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "edge_aiops", "chat", "--url", served.client.url, "llm"),
        stdin=theirs,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    os.close(theirs)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            await process.stdout.readuntil(b"> ")
            os.write(ours, b"Tell a story that never ends.\n")
            assert await process.stdout.read(1)
            process.send_signal(signal.SIGINT)
            await process.stdout.readuntil(b"\n> ")
            await served.event(error="cancelled", about="Tell a story that never ends.")
            os.write(ours, b"Say hello.\n")
            assert await process.stdout.read(1)
            process.send_signal(signal.SIGINT)
            await process.stdout.readuntil(b"\n> ")
            os.write(ours, b"\x04")
            assert await process.wait() == 0
    finally:
        os.close(ours)
        if process.returncode is None:
            process.kill()
    event = await served.event(about="'assistant'")
    assert [message["role"] for message in event["features"]["messages"]] == ["user", "assistant", "user"]
