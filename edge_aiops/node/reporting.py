"""What a node tells its hub of itself with each push."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from edge_aiops import __version__
from edge_aiops.fleet.messages.push import Reported
from edge_aiops.fleet.messages.rollout import Activation

if TYPE_CHECKING:
    from edge_aiops.node.node import NodeStatus

MOST_REASONS, MOST_CHARACTERS = 20, 300
"""How much of what is wrong is told."""


async def reported(
    status: NodeStatus, *, folder: Path, activations: Mapping[str, Activation], unsupported: tuple[str, ...]
) -> Reported:
    """How a node is, with nothing in it that a model was given or has said."""
    usage = await asyncio.to_thread(shutil.disk_usage, folder)
    fleet = status.fleet
    return Reported(
        generation=status.hub.generation if status.hub else 0,
        version=__version__,
        models=dict(activations),
        health={
            "ready": status.ready,
            "reasons": [reason[:MOST_CHARACTERS] for reason in status.reasons[:MOST_REASONS]],
            "models": status.models,
            "modelsLoaded": status.models_loaded,
            "databaseBytes": {database.file: database.size_bytes for database in status.databases},
            "freeBytes": usage.free,
            "lagRows": fleet.lag_rows if fleet else 0,
            "lostRows": fleet.lost_rows if fleet else 0,
            "lostItems": fleet.lost_items if fleet else 0,
        },
        unsupported=unsupported,
    )
