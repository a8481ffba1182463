"""docs/monitoring/quality.md says everything that there is, as it is."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from edge_aiops.observe.config import MonitoringConfig, QualityConfig
from edge_aiops.observe.configuration import as_json
from edge_aiops.observe.quality.report import Finding, QualityReport
from edge_aiops.observe.quality.specs import QUALITY_CHECKS
from edge_aiops.plugin.specs import QualityCheckSpec

PAGE = (Path(__file__).parents[4] / "docs" / "monitoring" / "quality.md").read_text("utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("|")]


@pytest.mark.parametrize("spec", QUALITY_CHECKS, ids=lambda spec: spec.name)
def test_every_check_is_there_with_its_threshold(spec: QualityCheckSpec) -> None:
    (row,) = [row for row in ROWS if row.startswith(f"| `{spec.name}` |") and row.count("|") == 5]
    assert row.split("|")[3].strip() == f"{spec.threshold:g}"


@pytest.mark.parametrize("kind", [QualityReport, Finding])
def test_every_field_is_there(kind: type[msgspec.Struct]) -> None:
    first = " ".join(row.split("|")[1] for row in ROWS)
    names = [field.encode_name for field in msgspec.structs.fields(kind)]
    assert [name for name in names if f"`{name}`" not in first] == []


def test_every_setting_is_there_with_its_default() -> None:
    defaults = as_json(MonitoringConfig())["quality"]
    assert len(defaults) == len(QualityConfig.__struct_fields__)
    for name, default in defaults.items():
        shown = msgspec.json.encode(default).decode()
        assert any(row.startswith(f"| `{name}` | `{shown}` |") for row in ROWS), (name, shown)
