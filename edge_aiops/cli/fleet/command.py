"""`edge-aiops fleet`: what a hub knows of its nodes, and wants of them."""

from __future__ import annotations

from edge_aiops.cli.command import Group
from edge_aiops.cli.fleet import view
from edge_aiops.cli.fleet.config import CONFIG
from edge_aiops.cli.fleet.simulate import SIMULATE

GROUP = Group(
    name="fleet",
    summary="Many nodes at once: what their hub knows of them, and wants of them",
    commands=(*view.COMMANDS, CONFIG, SIMULATE),
)
