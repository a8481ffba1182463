"""How the help of a command is laid out: prose is filled, what is indented keeps its lines."""

from __future__ import annotations

import re
import shutil
import textwrap
from argparse import HelpFormatter
from itertools import groupby

WIDTH = 80
"""Most columns of the help, however wide the terminal is."""

_WORD = re.compile(r"""(?:[^\s'"]|'[^']*'|"[^"]*")+""")
_COMMAND = "edge-aiops "
_CONTINUED = "      "


class Formatter(HelpFormatter):
    """Fills the paragraphs of descriptions, and continues long commands on the next line as a shell takes them."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=min(shutil.get_terminal_size().columns, WIDTH) - 2)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        lines: list[str] = []
        for kept, block in groupby(text.splitlines(), key=_is_kept):
            if kept:
                lines += [part for line in block for part in continued(line, width)]
            else:
                lines += textwrap.wrap(" ".join(block), width, break_long_words=False, break_on_hyphens=False)
        return "\n".join(f"{indent}{line}".rstrip() for line in lines)


def _is_kept(line: str) -> bool:
    return not line or line.startswith(" ")


def continued(line: str, width: int) -> list[str]:
    """A line; a command as lines of at most `width` columns, as far as its words allow, continued by backslashes."""
    if len(line) <= width or _COMMAND not in line:
        return [line]
    margin = line[: len(line) - len(line.lstrip())]
    lines, current = [], margin
    for word in _WORD.findall(line):
        if current.strip() and len(current) + len(word) + len(" \\") > width:
            lines.append(current + "\\")
            current = margin + _CONTINUED
        current += f"{word} "
    return [*lines, current.rstrip()]
