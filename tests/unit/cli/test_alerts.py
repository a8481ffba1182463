"""Who acknowledges an alert."""

from __future__ import annotations

import os

import pytest

from edge_aiops.cli.main import main


def test_where_the_system_does_not_know_who_one_is_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)
    assert main(["alerts", "ack", "x", "--url", "http://127.0.0.1:1"]) == 1
    assert capsys.readouterr().err == "error: this system does not know your name; say it with --by\n"
