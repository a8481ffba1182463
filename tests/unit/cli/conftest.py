"""A terminal that keeps what is printed."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable

import pytest

_STYLE = re.compile(r"\x1b\[[0-9;]*m")


class Terminal(io.StringIO):
    """Standard output that is a terminal."""

    encoding = "utf-8"  # type: ignore[assignment]  # of a text stream it can be set

    def isatty(self) -> bool:
        return True

    @property
    def lines(self) -> list[str]:
        """What stands on it, without colours and blanks at the ends."""
        return [line.rstrip() for line in _STYLE.sub("", self.getvalue()).splitlines()]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Terminal]:
    """Makes standard output a terminal so many columns wide."""

    def make(columns: int) -> Terminal:
        for variable in ("NO_COLOR", "FORCE_COLOR", "COLORTERM"):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("TERM", "xterm-256color")
        made = Terminal()
        monkeypatch.setattr(sys, "stdout", made)
        return made

    return make
