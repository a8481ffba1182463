"""The page at /docs."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import html
import json
import re
import shutil
from html.parser import HTMLParser
from typing import Any

import pytest

from edge_aiops.http.docs_examples import PLACEHOLDERS
from edge_aiops.http.docs_page import page

VOID = {"meta", "link", "input"}
REFUSED = re.compile("POST .*/v2/(logging|.*trace/setting|.*sharedmemory)|/fleet/(join|challenge|session) ")
"""What the Open Inference Protocol can set elsewhere, and cannot here; and what only a node's key can sign."""
HOSTILE = "</pre><script>alert('x')</script><!--sections-->\"'"


class Checked(HTMLParser):
    """Collects what a page has, and sees to it that its elements are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(str(value))
            if name in ("href", "src"):
                self.links.append(str(value))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _document(text: str) -> dict[str, Any]:
    """A document in which everything that can be text is `text`."""
    thing = {"type": "object", "description": text, "properties": {text: {"type": text, "default": text}, "self": None}}
    thing["properties"]["self"] = {"$ref": "#/components/schemas/Problem"}  # type: ignore[index]
    operation = {
        "operationId": text,
        "description": text,
        "tags": [text],
        "parameters": [{"name": text, "in": "query", "required": True, "schema": {"enum": [text]}}],
        "requestBody": {"content": {"application/json": {"schema": thing}}},
        "responses": {"200": {"content": {text: {"schema": thing}}}, "default": {}},
    }
    return {
        "info": {"title": text, "version": text, "description": text},
        "servers": [{"url": text}],
        "paths": {f"/{text}": {"post": operation}},
        "components": {"schemas": {"Problem": thing}},
    }


async def test_the_page_shows_every_endpoint_and_asks_nobody_for_anything(client: Any) -> None:
    answer = await client.get("/docs")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    text = answer.content.decode()
    shown = Checked(text)
    document = (await client.get("/openapi.json")).body
    operations = {operation["operationId"] for item in document["paths"].values() for operation in item.values()}
    assert operations <= set(shown.ids)
    assert len(shown.ids) == len(set(shown.ids))
    assert all(link.startswith(("#", "data:")) or link == "openapi.json" for link in shown.links)
    assert {link[1:] for link in shown.links if link.startswith("#")} <= set(shown.ids)
    assert "<!--" not in text
    assert "@import" not in text
    assert "url(" not in text


async def test_the_policy_lets_nothing_run_but_the_pages_own_script_and_style(client: Any) -> None:
    answer = await client.get("/docs")
    policy = answer.headers["Content-Security-Policy"]
    for tag in ("style", "script"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", answer.content.decode(), re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert not re.search(r"\s(style|on\w+)=", answer.content.decode())


async def test_the_root_leads_to_the_page(client: Any) -> None:
    answer = await client.get("/")
    assert (answer.status, answer.headers["Location"]) == (302, "/docs")


def test_whatever_stands_in_the_document_is_text_on_the_page() -> None:
    harmless, hostile = Checked(page(_document("text"))), page(_document(HOSTILE))
    assert "alert" in hostile
    assert "<script>alert" not in hostile
    assert Checked(hostile).tags == harmless.tags
    assert "<!--sections-->" not in hostile


async def test_every_example_works_on_a_fresh_server(client: Any, tmp_path: Any) -> None:
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    from edge_aiops.testing.models import gemm_softmax

    await asyncio.to_thread((tmp_path / "model.onnx").write_bytes, gemm_softmax(4, 3).SerializeToString())
    await asyncio.to_thread((tmp_path / "push.msgpack").write_bytes, b"\x80")
    text = (await client.get("/docs")).content.decode()
    examples = [html.unescape(found) for found in re.findall(r"<pre><code>(curl.*?)</code></pre>", text, re.DOTALL)]
    registering = next(example for example in examples if '"modelName"' in example and "/models " in example)
    for example in (registering, *sorted(examples, key=lambda example: "DELETE" in example)):
        status, said = await _answer(example, tmp_path)
        if REFUSED.search(example):
            assert (status, json.loads(said)["code"]) == (400, "invalid_input"), (example, said)
        elif "$SESSION" in example:
            assert (status, json.loads(said)["code"]) == (401, "unauthenticated"), (example, said)
        elif any(placeholder in example for placeholder in PLACEHOLDERS):
            assert status == 404, (example, said)
            assert json.loads(said)["code"] in ("not_found", "unknown_event", "unknown_alert", "unknown_model"), example
        else:
            assert status in (200, 201, 302), (example, said)


async def _answer(example: str, folder: Any) -> tuple[int, bytes]:
    shell = await asyncio.create_subprocess_shell(
        f"{example} -s -w '\\n%{{http_code}}'", cwd=folder, stdout=asyncio.subprocess.PIPE
    )
    said, _, status = (await shell.communicate())[0].rpartition(b"\n")
    return int(status), said
