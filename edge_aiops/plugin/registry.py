"""The backends that plugins registered, by name; each is imported and made on first use."""

from __future__ import annotations

import importlib
import importlib.util
import threading
from collections.abc import Mapping
from types import MappingProxyType

from edge_aiops.base.errors import BackendUnavailable, PluginError
from edge_aiops.base.nearest import nearest
from edge_aiops.plugin.loader import Plugins
from edge_aiops.plugin.protocols import Backend
from edge_aiops.plugin.specs import BackendSpec


class Backends:
    """Backends by the name of their framework."""

    def __init__(self, plugins: Plugins) -> None:
        self.plugins = plugins
        self._specs: dict[str, BackendSpec] = {}
        self._owners: dict[str, str] = {}
        self._made: dict[str, Backend] = {}
        self._making = threading.Lock()
        for plugin, spec in plugins.results("register_backends"):
            if refusal := self._refusal(spec):
                plugins.fail(plugin, refusal)
            else:
                self._specs[spec.name] = spec
                self._owners[spec.name] = plugin
        self._forget_failed()

    @property
    def specs(self) -> Mapping[str, BackendSpec]:
        """The registered backends by name."""
        return MappingProxyType(self._specs)

    def missing(self, name: str) -> str | None:
        """Why models of this framework cannot be served here, and what would mend it; None if they can."""
        spec = self._specs.get(name)
        if spec is None:
            known = ", ".join(sorted(self._specs)) or "none"
            return f"no plugin here serves framework {name!r} (there are: {known}){self._not_loaded(name)}"
        absent = [module for module in spec.requires if not _importable(module)]
        if absent:
            remedy = self._distribution(self._owners[name]) or " ".join(absent)
            return f"backend {name!r} needs {', '.join(absent)}, which is not installed; try: pip install {remedy}"
        return None

    def meant(self, name: str) -> str | None:
        """The backend that somebody who wrote `name` probably meant; None if there is one of that name, or a plugin
        that did not load."""
        if name in self._specs or any(plugin.name == name for plugin in self.plugins.all()):
            return None
        return nearest(name, self._specs, likeness=0.7)

    def get(self, name: str) -> Backend:
        """The backend for framework `name`. Raises `BackendUnavailable` with the remedy, or `PluginError`.

        The first call for a name imports its framework, which may take seconds: make it in a thread.
        """
        with self._making:
            if name not in self._made:
                if reason := self.missing(name):
                    raise BackendUnavailable(reason, retry_after_s=60)
                self._made[name] = self._make(self._specs[name])
            return self._made[name]

    def _refusal(self, spec: object) -> str | None:
        if not isinstance(spec, BackendSpec):
            return f"register_backends gave {type(spec).__name__}, not BackendSpec"
        if spec.name in self._specs:
            return f"backend {spec.name!r} is registered already by plugin {self._owners[spec.name]}"
        return None

    def _forget_failed(self) -> None:
        failed = {plugin.name for plugin in self.plugins.all() if plugin.status == "failed"}
        for name in [name for name, owner in self._owners.items() if owner in failed]:
            del self._specs[name], self._owners[name]

    def _not_loaded(self, name: str) -> str:
        plugin = next((plugin for plugin in self.plugins.all() if plugin.name == name), None)
        if plugin and plugin.status == "failed":
            return f"; plugin {name} failed: {plugin.error}"
        if plugin and plugin.status == "blocked":
            return f"; plugin {name} is blocked by EDGE_AIOPS_PLUGINS or EDGE_AIOPS_BLOCK_PLUGINS"
        return f"; try: pip install edge-aiops-{name}"

    def _distribution(self, plugin: str) -> str:
        return next(known.distribution for known in self.plugins.all() if known.name == plugin)

    def _make(self, spec: BackendSpec) -> Backend:
        module, _, attribute = spec.factory.partition(":")
        try:
            backend: Backend = getattr(importlib.import_module(module), attribute)()
        except (Exception, SystemExit) as error:
            # The boundary between us and a plugin's import, which may raise anything.
            raise PluginError(
                f"plugin {self._owners[spec.name]}: cannot make {spec.factory} for backend {spec.name!r}: "
                f"{type(error).__name__}: {error}"
            ) from error
        return backend


def _importable(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        # A parent package is absent, or what is in sys.modules under this name has no spec.
        return False
