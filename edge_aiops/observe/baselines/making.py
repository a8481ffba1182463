"""Makes baselines on request, of a dataset or of a span of production."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from functools import partial
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from edge_aiops.base.errors import InvalidInput, NotFound, UnknownModel
from edge_aiops.observe.baselines.baseline import ROLES, BaselineHeading, ModelBaseline, Role
from edge_aiops.observe.baselines.dataset.request import DatasetRequest
from edge_aiops.observe.baselines.production import draft_of_span
from edge_aiops.observe.baselines.store import Baselines, Draft
from edge_aiops.observe.baselines.upload import received
from edge_aiops.observe.models import ObservedModel, ObservedModels
from edge_aiops.observe.summaries import RoleSummary, Sketches
from edge_aiops.observe.windows import Windows

_MOST_DIGITS = 15
_RANKS = {"production": 2, "staging": 1, "candidate": 0}


class Of(Struct, frozen=True, kw_only=True):
    """What a new baseline is of."""

    model_name: str
    model_version: str | None = None
    description: str = ""


class BaselineMaking:
    """Makes baselines. `folder`: where datasets wait while they are read, one at a time."""

    def __init__(self, baselines: Baselines, *, windows: Windows, models: ObservedModels, folder: Path) -> None:
        self._baselines = baselines
        self._windows = windows
        self._models = models
        self._folder = folder
        self._one_at_a_time = asyncio.Lock()

    def is_in_force(self, baseline: ModelBaseline | BaselineHeading) -> bool:
        """Whether a version is measured against it now, or would be if it had none of its own."""
        found = self._baselines.current(baseline.model_name, baseline.model_version)
        return found is not None and found.number == baseline.number

    async def of_model(self, name: str) -> list[BaselineHeading]:
        """The baselines of a model, the newest first. Raises `UnknownModel` for one of which there is nothing."""
        found = await self._baselines.list(name)
        if not found:
            self._models.versions(name)
        return found

    async def get(self, name: str, number: str) -> ModelBaseline:
        """One baseline of a model. Raises `NotFound`."""
        found = await self._baselines.get(int(number)) if _is_number(number) else None
        if found is None or found.model_name != name:
            raise NotFound(f"model {name[:80]!r} has no baseline {number[:20]!r}")
        return found

    async def delete(self, name: str, number: str) -> ModelBaseline:
        """Take one out of force; gives what it was. Raises `NotFound`."""
        return await self._baselines.delete((await self.get(name, number)).number)

    async def of_dataset(
        self, of: Of, request: DatasetRequest, chunks: AsyncIterable[bytes], *, max_bytes: int
    ) -> ModelBaseline:
        """A baseline of the dataset that `chunks` bring; of the model as a whole where `of` names no version.

        Raises `UnknownModel`, `InvalidInput`, `TooLarge`, `StorageFull`, and `Unavailable` where the format cannot be
        read on this node.
        """
        from edge_aiops.observe.baselines.dataset.making import draft_of  # here, because it is done once a model

        model = self._model(of.model_name, of.model_version)
        async with received(self._folder, chunks, max_bytes=max_bytes) as path, self._one_at_a_time:
            draft = await asyncio.to_thread(draft_of, path, request, model)
            return await self._add(of, of.model_version, self._with_hints(of, draft))

    async def of_span(self, of: Of, from_ms: int, until_ms: int, *, bins: int) -> ModelBaseline:
        """A baseline of what a version saw in a span; without a version, the one that answers who names none.

        Raises `UnknownModel`, `InvalidInput` for a span that ends before it begins, and `Conflict` for one with too
        few rows.
        """
        if until_ms <= from_ms:
            raise InvalidInput.of("to", f"{until_ms} is not after from, {from_ms}")
        name, version, _ = self._model(of.model_name, of.model_version).served_by
        summaries: dict[Role, RoleSummary] = {}
        sketches: dict[Role, Sketches] = {}
        for role in ROLES:
            summaries[role] = await self._role(role, name, version, from_ms, until_ms)
            if role != "outcomes":
                sketches[role] = await self._windows.sketches(name, version, from_ms, until_ms, role=role)
        draft = await asyncio.to_thread(partial(draft_of_span, summaries, sketches, bins=bins))
        all_rows = (await self._windows.performance(name, version, from_ms, until_ms)).rows
        if all_rows > draft.rows:
            said = (
                f"{all_rows - draft.rows} of {all_rows} rows are left out: they failed, their payloads were not "
                "captured, or they were summarised on other bins"
            )
            draft = replace(draft, warnings=(*draft.warnings, said))
        return await self._add(of, version, draft)

    async def _role(self, role: Role, name: str, version: str, from_ms: int, until_ms: int) -> RoleSummary:
        """What there is most of: the rows on the baseline in force, or those on none."""
        loose = await self._windows.role(role, name, version, from_ms, until_ms, baseline=None)
        in_force = self._baselines.current(name, version)
        if in_force is None:
            return loose
        binned = await self._windows.role(role, name, version, from_ms, until_ms, baseline=in_force)
        return binned if binned.rows >= loose.rows else loose

    def _model(self, name: str, version: str | None) -> ObservedModel:
        """A version on this node; without `version` the one that answers who names none."""
        versions = self._models.versions(name)
        if version is None:
            return max((self._models[name, one] for one in versions), key=_rank)
        if version not in versions:
            there = ", ".join(versions)
            raise UnknownModel(f"model {name!r} has no version {version[:80]!r} on this node; it has: {there}")
        return self._models[name, version]

    def _with_hints(self, of: Of, draft: Draft) -> Draft:
        if of.model_version is not None:
            return draft
        own = [
            version
            for name, version in self._models
            if name == of.model_name
            and (found := self._baselines.current(name, version)) is not None
            and found.model_version is not None
        ]
        hints = (f"version {version!r} has a baseline of its own, which stays in force for it" for version in own)
        return replace(draft, warnings=(*draft.warnings, *hints))

    async def _add(self, of: Of, version: str | None, draft: Draft) -> ModelBaseline:
        return await self._baselines.add(
            draft, model_name=of.model_name, model_version=version, description=of.description
        )


def _rank(model: ObservedModel) -> tuple[int, int]:
    return _RANKS.get(model.stage, 0), model.served_by.deployment_version


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
