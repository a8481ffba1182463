"""Where checks of drift get what they compare, and by which configuration."""

from __future__ import annotations

from typing import Protocol

from edge_aiops.observe.baselines.baseline import ModelBaseline, Role
from edge_aiops.observe.config import MonitoringConfig
from edge_aiops.stats.summaries import Profile


class Summary(Protocol):
    """What a role of a model was like over a span."""

    @property
    def profile(self) -> Profile | None:
        """The features that the baseline has."""


class Spans(Protocol):
    """Where the summaries of a span come from."""

    async def role(
        self,
        role: Role,
        model_name: str,
        model_version: str,
        from_ms: int,
        until_ms: int,
        *,
        baseline: ModelBaseline | None,
    ) -> Summary:
        """The summary of a role, merged over the span, on `baseline`."""


class CurrentBaselines(Protocol):
    """Where baselines come from."""

    def current(self, model_name: str, model_version: str) -> ModelBaseline | None:
        """The baseline that a model version is compared with now."""


class Configurations(Protocol):
    """Where configurations come from."""

    def of(self, model_name: str) -> MonitoringConfig:
        """What holds for a model."""
