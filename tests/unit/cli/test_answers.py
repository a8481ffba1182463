"""Servers that answer something else than ours: a command says so, and shows no trace."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from edge_aiops.cli.main import main
from tests.unit.cli.commands import ALL_COMMANDS

ANSWERS: dict[str, tuple[int, bytes]] = {
    "nothing": (200, b""),
    "a page": (200, b"<html>"),
    "an empty object": (200, b"{}"),
    "a list": (200, b'["a", {"b": null}]'),
    "a text": (200, b'"' + b"x" * 1_000 + b'"'),
    "a number": (200, b"-1e308"),
    "null": (200, b"null"),
    "no text at all": (200, b'{"alerts": "\\ud800", "rules": [{}], "versions": [{"realtime": null}], "latest": 5}'),
    "objects for lists": (200, b'{"alerts": {"0": 1}, "rules": {}, "events": 7, "versions": {"a": {}}, "history": 1}'),
    "deep": (200, b"[" * 100_000 + b"]" * 100_000),
    "a problem without fields": (400, b'{"detail": {"a": [1]}, "errors": [1, {}, {"field": 5}]}'),
    "a problem of another kind": (500, b'{"detail": null, "errors": 3}'),
    "no problem": (503, b"[]"),
}


def _ends(example: str) -> list[str]:
    words = shlex.split(example.partition(" | ")[2] or example)[1:]
    words = [word for word in words if word not in ("--json", "--follow")]
    return list(dict.fromkeys([*words, "--once"])) if words[0] == "monitor" else words


EXAMPLES = sorted({shlex.join(_ends(command.examples[0])) for command in ALL_COMMANDS.values() if command.client})


@pytest.fixture
def answering() -> Iterator[Callable[[str], str]]:
    """Starts a server that always answers the same; gives its address."""
    servers: list[tuple[ThreadingHTTPServer, threading.Thread]] = []

    def start(name: str) -> str:
        status, body = ANSWERS[name]

        class Answering(BaseHTTPRequestHandler):
            wbufsize = -1  # one packet, which nothing delays

            def _answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # the names that the library calls

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("answer", ANSWERS)
def test_whatever_a_server_answers_no_command_fails_with_a_trace(
    answering: Callable[[str], str],
    answer: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("training.csv", "training.parquet", "iris.onnx"):
        (tmp_path / name).write_text("a\n1\n")
    (tmp_path / "flower.json").write_text("[1]")
    url = answering(answer)
    for example in EXAMPLES:
        code = main([*shlex.split(example), "--url", url])
        shown = capsys.readouterr()
        assert code == 0 or shown.err.startswith("error: "), example
        assert ANSWERS[answer][0] == 200 or code == 1, example


def test_what_was_not_understood_is_said_with_a_remedy(
    answering: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["alerts", "--url", answering("an empty object")]) == 1
    said = capsys.readouterr().err
    assert "does not understand what the server answered (KeyError: 'alerts')" in said
    assert "is it another version?" in said


def test_the_trace_is_there_for_those_who_ask(answering: Callable[[str], str]) -> None:
    with pytest.raises(KeyError, match="alerts"):
        main(["alerts", "--log-level", "debug", "--url", answering("an empty object")])
