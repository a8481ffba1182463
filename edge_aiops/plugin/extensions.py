"""What plugins registered by one hook, by name; each is imported and made on first use."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Generic, Protocol, TypeVar

from edge_aiops.base.errors import EdgeAiopsError, InvalidInput, PluginError
from edge_aiops.base.nearest import nearest
from edge_aiops.plugin.loader import Plugins


class Spec(Protocol):
    """What every spec of an extension has."""

    @property
    def name(self) -> str: ...

    @property
    def factory(self) -> str: ...


S = TypeVar("S", bound=Spec)


class Extensions(Generic[S]):
    """The extensions of one kind: drift tests, quality checks, notifiers.

    `hook` is the hook that gives their specs, `spec` the type of these; `noun` is what messages call one of them, by
    default what the hook says: `drift test` for `register_drift_tests`.
    """

    def __init__(self, plugins: Plugins, *, hook: str, spec: type[S], noun: str | None = None) -> None:
        self._noun = noun or hook.removeprefix("register_").removesuffix("s").replace("_", " ")
        self._specs: dict[str, S] = {}
        self._owners: dict[str, str] = {}
        self._made: dict[str, Any] = {}
        self._making = threading.Lock()
        for plugin, given in plugins.results(hook):
            if not isinstance(given, spec):
                plugins.fail(plugin, f"{hook} gave {type(given).__name__}, not {spec.__name__}")
            elif given.name in self._specs:
                owner = self._owners[given.name]
                plugins.fail(plugin, f"{self._noun} {given.name!r} is registered already by plugin {owner}")
            else:
                self._specs[given.name] = given
                self._owners[given.name] = plugin
        failed = {plugin.name for plugin in plugins.all() if plugin.status == "failed"}
        for name in [name for name, owner in self._owners.items() if owner in failed]:
            del self._specs[name], self._owners[name]

    @property
    def specs(self) -> Mapping[str, S]:
        """The registered specs by name."""
        return MappingProxyType(self._specs)

    def owner(self, name: str) -> str:
        """The name of the plugin that registered this."""
        return self._owners[name]

    def spec(self, name: str, *, field: str | None = None) -> S:
        """The spec of `name`. Raises `InvalidInput` that blames `field`, names the nearest one, and all."""
        if name in self._specs:
            return self._specs[name]
        close = nearest(name, self._specs)
        meant = f"did you mean {close!r}? There" if close else "there"
        known = ", ".join(sorted(self._specs)) or "none"
        message = f"there is no {self._noun} {name[:80]!r}; {meant} are: {known}"
        raise InvalidInput.of(field, message) if field else InvalidInput(message)

    def get(self, name: str) -> Any:
        """The one extension of this name, made at the first call. Raises `InvalidInput` for an unknown name, and
        `PluginError` where it cannot be made."""
        with self._making:
            if name not in self._made:
                self._made[name] = self.make(name)
            return self._made[name]

    def make(self, name: str, *arguments: Any) -> Any:
        """A new extension, its factory called with `arguments`. Raises as `get`; what the factory itself raises on
        purpose, such as `InvalidInput` for an option, passes."""
        spec = self.spec(name)
        module, _, attribute = spec.factory.partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)(*arguments)
        except EdgeAiopsError:
            raise
        except (Exception, SystemExit) as error:
            # The boundary between us and a plugin's import, which may raise anything.
            raise PluginError(
                f"plugin {self._owners[name]}: cannot make {spec.factory} for {self._noun} {name!r}: "
                f"{type(error).__name__}: {error}"
            ) from error
