"""The plugin that edge_aiops itself is: its own drift tests, quality checks and notifiers."""

from __future__ import annotations

from collections.abc import Iterable

from edge_aiops.observe.alerts.specs import NOTIFIERS
from edge_aiops.plugin import hookimpl
from edge_aiops.plugin.specs import NotifierSpec


@hookimpl
def register_notifiers() -> Iterable[NotifierSpec]:
    """The built-in notifiers."""
    return NOTIFIERS
