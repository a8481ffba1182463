"""What goes into models, for rules that name a feature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from edge_aiops.base.clock import Clock
from edge_aiops.observe.summaries import describe

if TYPE_CHECKING:
    # Only their types: each of these is a part of monitoring of its own.
    from edge_aiops.observe.models import ObservedModels
    from edge_aiops.observe.quality.quality import QualityChecks
    from edge_aiops.observe.windows import Windows

_DAY_MS = 86_400_000


class Observed(Protocol):
    """The parts of monitoring that know of features."""

    @property
    def models(self) -> ObservedModels: ...

    @property
    def windows(self) -> Windows: ...

    @property
    def quality(self) -> QualityChecks: ...


class KnownFeatures:
    """The features of the models of a node."""

    def __init__(self, observed: Observed, *, clock: Clock) -> None:
        self._observed = observed
        self._clock = clock

    async def of(self, model_name: str, model_version: str | None) -> list[str]:
        """Those of a version of a model, or of all: by schemas and baselines, and by what came in the last day.

        Nothing of a model that is not served.
        """
        now_ms, found = self._clock.now_ms(), set[str]()
        for name, version in list(self._observed.models):
            if name == model_name and model_version in (None, version):
                span = (now_ms - _DAY_MS, now_ms + 1)
                came = await self._observed.windows.role("inputs", name, version, *span, baseline=None)
                found |= {feature.name for feature in describe(came)}
                found |= {feature.name for feature in (await self._observed.quality.schema(name, version)).features}
        return sorted(found)
