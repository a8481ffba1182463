"""Loads plugins one by one, so that one that fails is reported by name and the rest start without it."""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy
from msgspec import Struct

from edge_aiops import __version__
from edge_aiops.base.errors import PluginError
from edge_aiops.base.nearest import nearest
from edge_aiops.plugin import hookspecs

ENTRY_POINT_GROUP = "edge_aiops"
BUILTIN = EntryPoint(name="builtin", value="edge_aiops.observe.plugin", group=ENTRY_POINT_GROUP)
"""What edge_aiops itself adds by the hooks; loaded with every selection, unless it is blocked by its name."""

logger = logging.getLogger(__name__)


class LoadedPlugin(Struct, frozen=True, kw_only=True, rename="camel"):
    """What became of one plugin."""

    name: str
    distribution: str
    version: str
    status: str
    """`loaded`, `blocked` (by EDGE_AIOPS_PLUGINS or EDGE_AIOPS_BLOCK_PLUGINS) or `failed`."""

    error: str | None = None


class Plugins:
    """The plugins of one process: which are there, which failed and why, and their hooks' results.

    `environment` holds EDGE_AIOPS_PLUGINS (load only these), EDGE_AIOPS_BLOCK_PLUGINS (all but these) and
    EDGE_AIOPS_TRACE_PLUGINS (log hook calls, and tracebacks of plugins that fail).
    """

    def __init__(
        self, candidates: Iterable[EntryPoint] | None = None, *, environment: Mapping[str, str] | None = None
    ) -> None:
        environment = os.environ if environment is None else environment
        self._manager = pluggy.PluginManager("edge_aiops")
        self._manager.add_hookspecs(hookspecs)
        self._plugins: dict[str, LoadedPlugin] = {}
        if environment.get("EDGE_AIOPS_TRACE_PLUGINS", "0") not in ("", "0"):
            logger.setLevel(logging.DEBUG)
        only, blocked = _names(environment, "EDGE_AIOPS_PLUGINS"), _names(environment, "EDGE_AIOPS_BLOCK_PLUGINS")
        for candidate in (BUILTIN, *entry_points(group=ENTRY_POINT_GROUP)) if candidates is None else candidates:
            chosen = not only or candidate.name in only or candidate is BUILTIN
            unwanted = candidate.name in blocked or not chosen
            self._add(candidate, blocked=bool(unwanted))
        self._warn_of_unknown(only | blocked)

    def all(self) -> list[LoadedPlugin]:
        """Every plugin that was found, by name."""
        return [self._plugins[name] for name in sorted(self._plugins)]

    def results(self, hook: str) -> list[tuple[str, Any]]:
        """What each plugin's implementation of `hook` gave, with the plugin's name.

        A plugin whose implementation raises is marked failed; the others' results stay.
        """
        given: list[tuple[str, Any]] = []
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            name = implementation.plugin_name
            try:
                items = list(implementation.function())
            except (Exception, SystemExit) as error:
                # The boundary between our start and other people's code.
                self.fail(name, f"{hook} raised {type(error).__name__}: {error}", cause=error)
            else:
                logger.debug("plugin %s: %s gave %s", name, hook, items)
                given += [(name, item) for item in items]
        return given

    def fail(self, name: str, reason: str, *, cause: BaseException | None = None) -> None:
        """Mark the plugin as failed and ask it nothing more.

        Its name and the reason appear in the log, `/plugins` and `/status`; the traceback of `cause` in a trace.
        """
        known = self._plugins[name]
        self._plugins[name] = LoadedPlugin(
            name=name, distribution=known.distribution, version=known.version, status="failed", error=reason
        )
        if self._manager.has_plugin(name):
            self._manager.unregister(name=name)
        logger.warning("plugin %s %s failed: %s", name, known.version, reason)
        logger.debug("plugin %s failed here:", name, exc_info=cause)

    def _add(self, candidate: EntryPoint, *, blocked: bool) -> None:
        plugin = _described(candidate, status="blocked" if blocked else "loaded")
        if other := self._plugins.get(candidate.name):
            self.fail(plugin.name, f"two plugins have this name: {_origin(other)} and {_origin(plugin)}; uninstall one")
            return
        self._plugins[plugin.name] = plugin
        if blocked:
            return
        try:
            self._register(candidate)
        except (Exception, SystemExit) as error:
            # The boundary between our start and other people's code: an import may raise anything.
            reason = str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
            self.fail(plugin.name, reason, cause=error)

    def _register(self, candidate: EntryPoint) -> None:
        module = candidate.load()
        for name, function in _hook_implementations(module):
            self._refuse_unfit(name, function)
        try:
            self._manager.register(module, candidate.name)
            self._manager.check_pending()
        except pluggy.PluginValidationError as error:
            raise PluginError(f"{error}; the hooks are listed in docs/plugins.md") from error
        logger.debug("plugin %s: loaded from %s", candidate.name, candidate.value)

    def _refuse_unfit(self, name: str, function: Callable[..., Any]) -> None:
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            raise PluginError(
                f"{name} is an async def; hooks are called once at start and must be plain functions: "
                "return a spec, and do the asynchronous work in the class that its factory names"
            )
        marks = function.edge_aiops_impl  # type: ignore[attr-defined]  # set by hookimpl
        if marks["wrapper"] or marks["hookwrapper"]:
            raise PluginError(f"{name} is a hook wrapper; a plugin adds results of its own and cannot change others'")
        hook = marks["specname"] or name
        known = [name for name, caller in vars(self._manager.hook).items() if caller.has_spec()]
        if hook not in known and not marks["optionalhook"]:
            close = nearest(hook, known)
            meant = f"; did you mean {close}?" if close else "."
            raise PluginError(f"there is no hook {hook}{meant} The hooks are listed in docs/plugins.md")

    def _warn_of_unknown(self, named: frozenset[str]) -> None:
        for name in sorted(named - self._plugins.keys()):
            known = ", ".join(sorted(self._plugins)) or "none"
            logger.warning("EDGE_AIOPS_PLUGINS or EDGE_AIOPS_BLOCK_PLUGINS names %r; there are: %s", name, known)


def _hook_implementations(module: object) -> Iterator[tuple[str, Callable[..., Any]]]:
    # Only routines are asked for the mark: to look at an attribute of a lazy module would import it.
    for name, member in inspect.getmembers(module, inspect.isroutine):
        if isinstance(getattr(member, "edge_aiops_impl", None), dict):
            yield name, member


def _names(environment: Mapping[str, str], variable: str) -> frozenset[str]:
    return frozenset(name.strip() for name in environment.get(variable, "").split(",") if name.strip())


def _described(candidate: EntryPoint, *, status: str) -> LoadedPlugin:
    distribution = candidate.dist
    if candidate is BUILTIN:
        name, version = "edge-aiops", __version__
    else:
        name, version = (distribution.name, distribution.version) if distribution else ("", "")
    return LoadedPlugin(name=candidate.name, distribution=name, version=version, status=status)


def _origin(plugin: LoadedPlugin) -> str:
    return f"{plugin.distribution or 'an unnamed distribution'} {plugin.version}".rstrip()
