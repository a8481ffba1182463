"""The role of a device: serves predictions and journals every one, with or without its hub."""

from edge_aiops.node.node import Node, NodeStatus

__all__ = ["Node", "NodeStatus"]
