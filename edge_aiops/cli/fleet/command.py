"""`edge-aiops fleet`: what a hub knows of its nodes, and wants of them."""

from __future__ import annotations

from edge_aiops.cli.command import Group
from edge_aiops.cli.fleet import view
from edge_aiops.cli.fleet.config import CONFIG
from edge_aiops.cli.fleet.simulate import SIMULATE
from edge_aiops.cli.node.command import LIST

NODES = LIST._replace(
    name="nodes", examples=("edge-aiops fleet nodes", "edge-aiops fleet nodes --group presses --label site=oslo")
)

GROUP = Group(
    name="fleet",
    summary="Many nodes at once: what their hub knows of them, and wants of them",
    commands=(NODES, *view.COMMANDS, CONFIG, SIMULATE),
)
