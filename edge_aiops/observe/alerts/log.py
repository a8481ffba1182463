"""The notifier `log`: one line in the log of the node for each notification."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from edge_aiops.base.errors import InvalidInput
from edge_aiops.plugin.monitoring import Notification

_LEVELS = {"critical": logging.CRITICAL, "warning": logging.WARNING, "info": logging.INFO}

logger = logging.getLogger("edge_aiops.alerts")


class LogNotifier:
    """Writes to the logger `edge_aiops.alerts`, at the level of the alert's severity; it has no options."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        for name in options:
            raise InvalidInput.of(f"options.{name}", "there is no such option; the log takes none")

    async def notify(self, notification: Notification) -> None:
        """Write the line."""
        alert = notification.alert
        facts = {
            "severity": notification.severity,
            "rule": alert.get("ruleId"),
            "model": alert.get("modelName"),
            "version": alert.get("modelVersion"),
            "alert": alert.get("id"),
        }
        told = " ".join(f"{name}={_one_line(value)}" for name, value in facts.items())
        level = logging.INFO if notification.type != "alert.fired" else _LEVELS[notification.severity]
        logger.log(level, "%s %s: %s", notification.type, told, _one_line(notification.summary))

    async def close(self) -> None:
        """It holds nothing."""


def _one_line(value: object) -> str:
    """Without characters that could break the line or steer a terminal."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in str(value))
