"""Makes the baselines that models were registered with, each once."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Iterable

import msgspec

from edge_aiops.base.errors import EdgeAiopsError
from edge_aiops.observe.baselines.store import Baselines, Draft
from edge_aiops.observe.models import ObservedModel
from edge_aiops.stats.descriptions import Declared, declared

logger = logging.getLogger(__name__)


class MetadataBaselines:
    """Sees to it that each version on the node has the baseline that it was registered with.

    It is made when the version first comes with this content, and is in force until a newer one is made. One that
    was deleted stays so.
    """

    def __init__(self, baselines: Baselines) -> None:
        self._baselines = baselines
        self._one_at_a_time = asyncio.Lock()
        self._known: dict[tuple[str, str], ObservedModel] = {}
        self.problems: dict[tuple[str, str], str] = {}
        """Of versions whose distributions were not all understood or could not be kept: what is wrong."""

    async def follow(self, models: Iterable[ObservedModel]) -> None:
        """Make what is missing for `models`, which are all of the node. What goes wrong is in `problems`."""
        async with self._one_at_a_time:
            present = {(model.served_by.model_name, model.served_by.model_version): model for model in models}
            for gone in self._known.keys() - present.keys():
                del self._known[gone]
            for gone in self.problems.keys() - present.keys():
                del self.problems[gone]
            for version, model in present.items():
                if self._known.get(version) is not model:
                    await self._adopt(version, model)

    async def _adopt(self, version: tuple[str, str], model: ObservedModel) -> None:
        found = await asyncio.to_thread(declared, model.baseline_distributions)
        try:
            if found.baselines:
                await self._keep(version, model, found)
        except EdgeAiopsError as error:
            if version not in self.problems:
                logger.warning("the baseline of %s %s is not kept yet: %s", *version, error)
            self.problems[version] = f"the baseline of its metadata is not kept yet: {error}"
            return
        self._known[version] = model
        self.problems.pop(version, None)
        if found.faults:
            self.problems[version] = "; ".join(f"baselineDistributions.{path}: {said}" for path, said in found.faults)

    async def _keep(self, version: tuple[str, str], model: ObservedModel, found: Declared) -> None:
        content = msgspec.json.encode(model.baseline_distributions, order="sorted")
        origin = hashlib.sha256(content).hexdigest()
        if await self._baselines.last_origin(*version) != origin:
            name, of_version = version
            await self._baselines.add(_draft(found), model_name=name, model_version=of_version, origin=origin)


def _draft(found: Declared) -> Draft:
    return Draft(
        source="metadata",
        rows=found.rows,
        inputs=found.baselines.get("inputs"),
        outputs=found.baselines.get("outputs"),
        outcomes=found.baselines.get("outcomes"),
        warnings=(*(f"{path}: {said}" for path, said in found.faults), *found.notes),
    )
