"""Baselines: made from a model's metadata, a dataset or a span of production; kept by number."""

from edge_aiops.observe.baselines.baseline import ROLES, ModelBaseline, Role, Source
from edge_aiops.observe.baselines.store import Baselines, Draft

__all__ = ["ROLES", "Baselines", "Draft", "ModelBaseline", "Role", "Source"]
