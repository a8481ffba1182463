"""Values on the command line: JSON, lists of names, contents of files."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentTypeError
from datetime import datetime
from pathlib import Path
from typing import Any

from edge_aiops.base.durations import Duration
from edge_aiops.base.errors import InvalidInput


def json_text(text: str) -> Any:
    """The value that JSON `text` says; a usage error otherwise."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise ArgumentTypeError(
            f"{text[:40]!r} is not JSON ({error}); quote it for the shell: '{{\"a\": 1}}'"
        ) from error


def json_object(text: str) -> dict[str, Any]:
    """As `json_text`, for objects only."""
    if isinstance(value := json_text(text), dict):
        return value
    raise ArgumentTypeError(f"{text[:40]!r} is not a JSON object, such as '{{\"a\": 1}}'")


def json_or_text(text: str) -> Any:
    """The value that `text` says if it is JSON, else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def names(text: str) -> list[str]:
    """The names in the file `text`, a JSON list or one a line; or, if there is no such file, between its commas."""
    try:
        content = Path(text).read_text("utf-8")
    except (OSError, ValueError):
        return [name.strip() for name in text.split(",") if name.strip()]
    if content.lstrip().startswith("["):
        return [str(name) for name in json_text(content)]
    return [line.strip() for line in content.splitlines() if line.strip()]


def sizes(text: str) -> list[int]:
    """Numbers between commas: `384` or `128,10`."""
    try:
        return [int(size) for size in text.split(",")]
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no list of whole numbers, such as 384 or 128,10") from error


def boolean(text: str) -> bool:
    """`true` or `false`."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    raise ArgumentTypeError(f"{text!r} is neither true nor false")


def seconds(text: str) -> float:
    """A number of seconds, of at least a tenth and at most an hour."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if 0.1 <= value <= 3_600:
        return value
    raise ArgumentTypeError(f"{text!r} is not a number of seconds from 0.1 to 3600")


def moment_ms(text: str) -> int:
    """Milliseconds since the epoch of a moment: as such, in ISO 8601 (local time without a zone), or how long ago."""
    if text.isdecimal() and len(text) <= 15:
        return int(text)
    try:
        return round(datetime.fromisoformat(text).timestamp() * 1000)
    except (ValueError, OverflowError):
        pass
    try:
        return time.time_ns() // 1_000_000 - round(Duration.parse(text) * 1000)
    except InvalidInput:
        raise ArgumentTypeError(
            f"{text!r} is no moment; write 2026-03-01, 2026-03-01T12:00Z, or how long ago it was: 7d"
        ) from None


def json_content(file: str) -> Any:
    """The JSON in a file, `-` for standard input. Raises `InvalidInput`."""
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return json.loads(content)
    except (OSError, ValueError) as error:
        raise InvalidInput(f"cannot read JSON from {'standard input' if file == '-' else file}: {error}") from error
