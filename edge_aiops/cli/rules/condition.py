"""Conditions as the command line writes them: METRIC OPERATOR THRESHOLD, and then parameters as NAME=VALUE."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import Any

_PARTS = ("metric", "operator", "threshold")
_TEXTS = ("driftType", "feature", "check")
"""Parameters that are no numbers."""


def condition_text(condition: dict[str, Any]) -> str:
    """A condition in the way in which the command line takes it."""
    parameters = {name: value for name, value in condition.items() if name not in _PARTS}
    said = [condition["metric"], condition["operator"], f"{condition['threshold']:g}"]
    return " ".join([*said, *(f"{name}={value}" for name, value in parameters.items())])


def condition(text: str) -> dict[str, Any]:
    """The condition that `text` says, for the server to judge; a usage error where it is no condition at all."""
    words = text.split()
    if len(words) < len(_PARTS):
        raise ArgumentTypeError(f"{text[:60]!r} is no condition; write METRIC OPERATOR THRESHOLD: 'p95Latency > 500'")
    given: dict[str, Any] = dict(zip(_PARTS, words, strict=False))
    given["threshold"] = _number(given["threshold"])
    for word in words[len(_PARTS) :]:
        name, equals, value = word.partition("=")
        if not (name and equals and value):
            raise ArgumentTypeError(f"{word[:60]!r} is no parameter; write NAME=VALUE: windowMinutes=5")
        given[name] = value if name in _TEXTS else _number(value)
    return given


def _number(text: str) -> float:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text[:60]!r} is not a number") from error
