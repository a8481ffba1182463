"""The places that alerts are sent to, made from the configuration."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from edge_aiops.base.errors import EdgeAiopsError, InvalidInput, PluginError
from edge_aiops.observe.alerts import secrets
from edge_aiops.observe.alerts.rule import SEVERITIES
from edge_aiops.observe.alerts.words import one_of
from edge_aiops.observe.config import MonitoringConfig, NotifierConfig
from edge_aiops.plugin.extensions import Extensions
from edge_aiops.plugin.monitoring import Notifier
from edge_aiops.plugin.specs import NotifierSpec

logger = logging.getLogger(__name__)


class Place(NamedTuple):
    """One configured notifier."""

    config: NotifierConfig
    notifier: Notifier | None
    problem: str | None
    """Why there is none."""

    @property
    def fingerprint(self) -> str:
        """Changes with the configuration."""
        return hashlib.sha256(msgspec.json.encode(self.config, order="deterministic")).hexdigest()


class Notifiers:
    """The configured notifiers by name, in the order of the configuration.

    `extensions` are the registered kinds; `environment` (of the process, by default) holds what options name as
    `env:NAME`.
    """

    def __init__(self, extensions: Extensions[NotifierSpec], *, environment: Mapping[str, str] | None = None) -> None:
        self._extensions = extensions
        self._environment = os.environ if environment is None else environment
        self._places: dict[str, Place] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The names that rules may name."""
        return tuple(self._places)

    @property
    def places(self) -> list[Place]:
        """All of them."""
        return list(self._places.values())

    def get(self, name: str) -> Place | None:
        """One place; None where no such is configured."""
        return self._places.get(name)

    async def check(self, config: MonitoringConfig, *, elsewhere: bool = False) -> None:
        """Raises `InvalidInput` that blames what of `config.notifiers` cannot be.

        `elsewhere`: it is for other processes, whose environment is not known here; so what is taken from that is not
        looked at.
        """
        names: set[str] = set()
        for number, place in enumerate(config.notifiers):
            field = f"notifiers[{number}]"
            if place.name in names:
                raise InvalidInput.of(f"{field}.name", f"{place.name!r} stands here twice; give each a name of its own")
            names.add(place.name)
            for severity in place.severities:
                one_of(f"{field}.severities", severity, SEVERITIES, noun="severity")
            one_of(f"{field}.type", place.type, self._extensions.specs, noun="registered notifier")
            if elsewhere and secrets.from_environment(place.options):
                continue
            try:
                notifier = await self._made(place)
            except InvalidInput as error:
                raise error.within(field) from error
            except PluginError as error:
                raise InvalidInput.of(f"{field}.type", error.message) from error
            await _close(place.name, notifier)

    async def configure(self, config: MonitoringConfig) -> None:
        """Use these places from now on. One that cannot be made is logged, and what is for it waits."""
        before, after = self._places, dict[str, Place]()
        for wanted in config.notifiers:
            known = before.get(wanted.name)
            kept = known is not None and known.config == wanted and known.notifier is not None
            after[wanted.name] = known if known and kept else await self._place(wanted)
        self._places = after
        for name, place in before.items():
            if place.notifier and after.get(name) is not place:
                await _close(name, place.notifier)

    async def close(self) -> None:
        """Give back what all of them hold."""
        for name, place in self._places.items():
            if place.notifier:
                await _close(name, place.notifier)
        self._places = {}

    def redacted(self, config: MonitoringConfig) -> MonitoringConfig:
        """`config` for people, without secrets."""
        shown = [
            msgspec.structs.replace(place, options=secrets.redacted(place.options, self._secrets(place.type)))
            for place in config.notifiers
        ]
        return msgspec.structs.replace(config, notifiers=tuple(shown))

    def restored(self, config: MonitoringConfig, before: MonitoringConfig) -> MonitoringConfig:
        """`config`, as somebody sends it, with the secrets that `redacted` hid as they were in `before`.

        A place is the same as before by its name and type. Raises `InvalidInput` where there was no secret.
        """
        known = {(place.name, place.type): place.options for place in before.notifiers}
        places = [
            msgspec.structs.replace(
                place,
                options=secrets.restored(
                    place.options,
                    known.get((place.name, place.type), {}),
                    self._secrets(place.type),
                    field=f"notifiers[{number}].options",
                ),
            )
            for number, place in enumerate(config.notifiers)
        ]
        return msgspec.structs.replace(config, notifiers=tuple(places))

    def _secrets(self, kind: str) -> Sequence[str]:
        spec = self._extensions.specs.get(kind)
        return spec.secrets if spec else ()

    async def _place(self, wanted: NotifierConfig) -> Place:
        try:
            return Place(wanted, await self._made(wanted), None)
        except EdgeAiopsError as error:
            logger.warning("notifier %r cannot be used: %s", wanted.name, error)
            return Place(wanted, None, error.message)

    async def _made(self, wanted: NotifierConfig) -> Notifier:
        options = secrets.resolved(wanted.options, self._environment)
        # In a thread, because a plugin's first use imports what it works with.
        made: Any = await asyncio.to_thread(self._extensions.make, wanted.type, options)
        notifier: Notifier = made
        return notifier


async def _close(name: str, notifier: Notifier) -> None:
    try:
        async with asyncio.timeout(5):
            await notifier.close()
    except (Exception, SystemExit):
        # The boundary to a plugin that is done with, whatever it raises or lacks.
        logger.exception("notifier %r did not close in order", name)
