"""A server whose every text steers terminals: no command passes it on."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_aiops.cli.main import main
from edge_aiops.http import openapi
from edge_aiops.http.app import endpoints

DOCUMENT: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(openapi.document(endpoints(node=True, hub=True))))
HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\x08[bold red]\u202e"
STEERING = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]")


def full(schema: dict[str, Any], depth: int = 0) -> Any:
    """A value of a schema with everything in it, each text hostile."""
    if "$ref" in schema:
        return full(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]], depth + 1)
    if "anyOf" in schema:
        return full(next(part for part in schema["anyOf"] if part.get("type") != "null"), depth)
    if "enum" in schema:
        return schema["enum"][0]
    if "prefixItems" in schema:
        return [full(part, depth + 1) for part in schema["prefixItems"]]
    match schema.get("type"):
        case "object":
            more = schema.get("additionalProperties")
            named = {name: full(part, depth + 1) for name, part in schema.get("properties", {}).items()}
            return named | ({HOSTILE: full(more, depth + 1)} if isinstance(more, dict) and depth < 12 else {})
        case "array":
            return [full(schema.get("items") or {}, depth + 1)] * 2 if depth < 12 else []
        case "integer":
            return 1
        case "number":
            return 1.5
        case "boolean":
            return True
        case "string":
            return HOSTILE
    return {HOSTILE: HOSTILE}


class Hostile(BaseHTTPRequestHandler):
    """Answers as the document says, in its way; `status` 400 with a problem."""

    status = 200

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path.partition("?")[0]
        operations = (
            item[self.command.lower()]
            for template, item in DOCUMENT["paths"].items()
            if self.command.lower() in item and re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path)
        )
        operation = next(operations)
        schema: dict[str, Any] = operation["responses"]["200"].get("content", {}).get("application/json", {})
        problem = {"type": HOSTILE, "title": HOSTILE, "status": self.status, "detail": HOSTILE, "code": HOSTILE}
        body = json.dumps(full(schema["schema"]) if self.status == 200 else problem).encode()
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = _answer  # the names that the library calls

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture(params=[200, 400])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    handler = type("Answering", (Hostile,), {"status": request.param})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    "command",
    [
        "monitor --once", "monitor model --once",
        "drift list model", "drift check model", "drift restart model",
        "quality model", "quality model --check", "quality model --schema",
        "baseline list model", "baseline show model 1", "baseline delete model 1", "baseline create model FILE",
        "alerts list", "alerts show 1", "alerts ack 1 --by me",
        "rules list", "rules show slow", "rules metrics", "rules delete slow", "rules set slow --name x",
        "rules test log",
        "events", "events show x",
    ],
)  # fmt: skip
def test_what_a_server_says_does_not_steer_the_terminal(
    url: str, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = tmp_path / "data.csv"
    dataset.write_text("a\n1\n")
    words = [str(dataset) if word == "FILE" else word for word in command.split()]
    main([*words, "--url", url])
    said = "".join(capsys.readouterr())
    assert said
    assert STEERING.search(said) is None, said
