"""What a check of the quality of data found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from edge_aiops.observe.quality.given import SchemaProblem

Trigger = Literal["schedule", "demand"]


class Finding(Struct, frozen=True, kw_only=True, rename="camel"):
    """What one check found of one feature, or of whole rows where `feature` is null."""

    check: str
    feature: str | None
    affected: int
    """Rows that are not as they should be."""
    rows: int
    """Rows that were judged."""
    share: float
    """Affected of the judged; of findings that are not about rows, 1 where it is so."""
    threshold: float
    """As configured, else the check's own."""
    tolerated: float
    """What the baseline leads to expect, on top of the threshold."""
    violated: bool
    message: str


class QualityReport(Struct, frozen=True, kw_only=True, rename="camel"):
    """The quality of the data of a model version over a span."""

    id: int
    model_name: str
    model_version: str
    from_ms: int = field(name="from")
    until_ms: int = field(name="to")
    checked_at: int
    trigger: Trigger
    rows: int
    score: float | None
    """Share of values, rows times expected features, that are as they should be; null where nothing was judged."""
    note: str | None
    """Why rows were not judged; null where they were."""
    violations: tuple[str, ...]
    """The messages of the findings that are violations."""
    findings: tuple[Finding, ...]
    """Violations first, then by share."""
    omitted: int
    """Findings that are left out because there are too many."""
    schema_source: Mapping[str, str]
    """Where what is expected of each feature comes from: `given`, `baseline`, `model`, or several of them."""
    schema_problems: tuple[SchemaProblem, ...]
    """Parts of the given schema that could not be understood."""
    baseline: int | None
    """The number of the baseline that was used."""
    failed: Mapping[str, str]
    """Checks that could not run, with the reason."""
