"""Every field of the configuration of monitoring is documented, with its default."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from edge_aiops.base.durations import Duration
from edge_aiops.http.routes.monitoring import MetricsQuery, StatisticsQuery
from edge_aiops.observe.config import MonitoringConfig, NotifierConfig
from edge_aiops.observe.history import WindowMetrics
from edge_aiops.observe.summaries import FeatureStatistics

FOLDER = Path(__file__).parents[2] / "docs" / "monitoring"
DISTRIBUTIONS = ("drift.md", "`classBalance`:\n\n")
TABLES = {
    "drift.inputDrift.": DISTRIBUTIONS,
    "drift.predictionDrift.": DISTRIBUTIONS,
    "drift.confidenceDrift.": DISTRIBUTIONS,
    "drift.classBalance.": DISTRIBUTIONS,
    "drift.conceptDrift.": ("drift.md", "Part `conceptDrift`:\n\n"),
    "quality.": ("quality.md", "for all models or for one:\n\n"),
    "": ("configuration.md", "node as a whole.\n\n"),
}
"""Where the fields of a part have their rows: the page, and what stands before the table."""


def fields(config: Struct, path: str = "") -> dict[str, Any]:
    """The default of each field by its path, as JSON names it."""
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(config):
        value, place = getattr(config, field.name), f"{path}{field.encode_name}"
        found |= fields(value, f"{place}.") if isinstance(value, Struct) else {place: value}
    return found


FIELDS = fields(MonitoringConfig())


@pytest.mark.parametrize("path", FIELDS)
def test_a_field_is_documented_with_its_default(path: str) -> None:
    part = next(part for part in TABLES if path.startswith(part))
    shown = _defaults(*TABLES[part])[path.removeprefix(part)]
    assert FIELDS[path] is None or any(_is(FIELDS[path], text) for text in re.findall("`([^`]+)`", shown)), shown


@pytest.mark.parametrize("part", TABLES)
def test_no_field_is_documented_that_does_not_exist(part: str) -> None:
    documented = {f"{part}{name}" for name in _defaults(*TABLES[part])}
    assert documented <= FIELDS.keys()


@pytest.mark.parametrize("kind", [WindowMetrics, FeatureStatistics, MetricsQuery, StatisticsQuery])
def test_everything_that_is_read_of_windows_is_documented(kind: type[Struct]) -> None:
    page = (FOLDER / "windows.md").read_text("utf-8")
    assert [field.encode_name for field in msgspec.structs.fields(kind) if f"`{field.encode_name}`" not in page] == []


def _defaults(page: str, before: str) -> dict[str, str]:
    """The second column of a table by the first."""
    table = (FOLDER / page).read_text("utf-8").partition(before)[2].partition("\n\n")[0]
    rows = [line.split(" | ") for line in table.splitlines()[2:]]
    assert rows, f"{page} has no table after {before!r}"
    return {row[0].strip("| `"): row[1] for row in rows}


def _is(default: Any, text: str) -> bool:
    if isinstance(default, Duration):
        return Duration.parse(text.strip('"')) == default
    if isinstance(default, str):
        return text.strip('"') == default
    if isinstance(default, tuple) and default and isinstance(default[0], NotifierConfig):
        return msgspec.convert(json.loads(text), tuple[NotifierConfig, ...]) == default
    return bool(json.loads(text) == (list(default) if isinstance(default, tuple) else default))
