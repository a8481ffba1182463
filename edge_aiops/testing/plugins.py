"""Plugins made in memory, as if they were installed."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import Distribution, EntryPoint
from types import ModuleType
from typing import Any

from edge_aiops.plugin import Backend, BackendSpec, hookimpl
from edge_aiops.plugin.loader import ENTRY_POINT_GROUP, Plugins


class InMemoryEntryPoint(EntryPoint):
    """An entry point whose module is at hand, or whose import fails in a way of the test's choice."""

    def __init__(self, name: str, load: Callable[[], Any], distribution: Distribution | None) -> None:
        super().__init__(name=name, value=f"in_memory.{name}", group=ENTRY_POINT_GROUP)
        vars(self).update(_load=load, dist=distribution)

    def load(self) -> Any:
        """What the maker of this entry point said."""
        return vars(self)["_load"]()


def plugin_module(name: str, **members: object) -> ModuleType:
    """A module with these members: `plugin_module("mine", register_backends=hookimpl(...))`."""
    module = ModuleType(name)
    vars(module).update(members)
    return module


def entry_point(
    plugin: ModuleType | Exception | SystemExit, name: str, *, distribution: str = "", version: str = "1.0"
) -> EntryPoint:
    """The entry point of `plugin`, or one whose import raises `plugin`; of `distribution`, if that is given."""
    return InMemoryEntryPoint(
        name, lambda: _given(plugin), _InMemoryDistribution(distribution, version) if distribution else None
    )


def backend_plugin(name: str, make: Callable[[], Backend], **spec: Any) -> EntryPoint:
    """The entry point of a plugin `name` that registers one backend `name`, which `make` makes.

    `spec`: further fields of the `BackendSpec`. The factory's dotted path leads to `make` through a module that
    exists only in this process.
    """
    module = plugin_module(f"edge_aiops_in_memory_{name}", make=make)
    sys.modules[module.__name__] = module
    described = BackendSpec(name=name, factory=f"{module.__name__}:make", description="in memory", **spec)
    vars(module)["register_backends"] = hookimpl(_register_backends_giving([described]))
    return entry_point(module, name, distribution=f"edge-aiops-{name}")


def plugins_of(*candidates: EntryPoint) -> Plugins:
    """`Plugins` with these candidates alone, whatever is installed and whatever the environment says."""
    return Plugins(candidates, environment={})


def plugins_of_modules(*modules: ModuleType | str) -> Plugins:
    """`Plugins` with these modules alone, each given as itself or by its dotted name."""
    loaded = [importlib.import_module(module) if isinstance(module, str) else module for module in modules]
    return plugins_of(*(entry_point(module, module.__name__) for module in loaded))


def _register_backends_giving(specs: Iterable[BackendSpec]) -> Callable[[], Iterable[BackendSpec]]:
    def register_backends() -> Iterable[BackendSpec]:
        return specs

    return register_backends


def _given(plugin: ModuleType | Exception | SystemExit) -> ModuleType:
    if isinstance(plugin, ModuleType):
        return plugin
    raise plugin


class _InMemoryDistribution(Distribution):
    def __init__(self, name: str, version: str) -> None:
        self._metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"

    def read_text(self, filename: str) -> str | None:
        return self._metadata if filename == "METADATA" else None

    def locate_file(self, path: Any) -> Any:
        raise FileNotFoundError(path)
