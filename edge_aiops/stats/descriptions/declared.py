"""Baselines of a model of whose data only descriptions are left, as it was registered with them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, NamedTuple

from edge_aiops.base.names import LONGEST_FEATURE_NAME
from edge_aiops.stats import UnreadableSummary
from edge_aiops.stats.descriptions.distributions import UnknownDistribution, described
from edge_aiops.stats.summaries import Baseline

ROLES = ("inputs", "outputs", "outcomes")
_MOST_QUOTED = 80


class Declared(NamedTuple):
    """What descriptions stand for."""

    baselines: Mapping[str, Baseline]
    """By role, those that there are."""
    rows: int
    """Most rows that a description stands for."""
    faults: tuple[tuple[str, str], ...]
    """Paths of descriptions that mean nothing, and why."""
    notes: tuple[str, ...]
    """What was not taken into account."""


def declared(content: Mapping[str, Any]) -> Declared:
    """The baselines that descriptions stand for; what cannot be understood is told and left out.

    `content` has the features by name, and perhaps `outputs` and `outcomes` beside them; or it has `inputs` too,
    and then nothing but roles. A role may also be a whole baseline as base64.
    """
    baselines: dict[str, Baseline] = {}
    rows = 0
    faults: list[tuple[str, str]] = []
    notes: list[str] = []
    for role, (path, section) in _sections(content).items():
        if isinstance(section, str):
            try:
                baselines[role] = _encoded(section)
            except (binascii.Error, UnreadableSummary, ValueError) as error:
                faults.append((path, f"is no baseline as base64: {error}"))
            continue
        if not isinstance(section, Mapping):
            faults.append((path, "must be an object of features and their distributions"))
            continue
        columns: dict[str, Any] = {}
        for name, description in section.items():
            field = f"{path}.{name}" if path else name
            if len(name) > LONGEST_FEATURE_NAME:
                faults.append(
                    (f"{field[:_MOST_QUOTED]}...", f"its name is longer than {LONGEST_FEATURE_NAME} characters")
                )
                continue
            try:
                found = described(description)
            except UnknownDistribution as error:
                faults.append((field, str(error)))
                continue
            columns[name] = found.reference
            rows = max(rows, found.n)
            notes += [f"{field}: {key} means nothing here" for key in found.ignored]
        if columns:
            baselines[role] = Baseline(columns)
    return Declared(baselines, rows, tuple(faults), tuple(notes))


def _sections(content: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
    """The descriptions by role, each with its path in `content`."""
    if "inputs" in content and all(key in ROLES for key in content):
        return {role: (role, section) for role, section in content.items()}
    beside = {role: (role, content[role]) for role in ROLES[1:] if role in content and _is_section(content[role])}
    features = {name: description for name, description in content.items() if name not in beside}
    return ({"inputs": ("", features)} if features else {}) | beside


def _is_section(value: Any) -> bool:
    """Whether `value` is a role rather than the distribution of a feature that happens to have a role's name."""
    return (
        isinstance(value, Mapping) and bool(value) and all(isinstance(part, Mapping | list) for part in value.values())
    )


def _encoded(text: str) -> Baseline:
    return Baseline.from_bytes(base64.b64decode(text, validate=True))
