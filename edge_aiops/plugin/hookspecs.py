"""The hooks, each a signature and a line; docs/plugins.md tells more."""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from edge_aiops.plugin.specs import BackendSpec

hookspec = pluggy.HookspecMarker("edge_aiops")


@hookspec
def register_backends() -> Iterable[BackendSpec]:  # type: ignore[empty-body]  # a hookspec has no body
    """The backends that this plugin adds: what loads and runs the models of a framework."""
