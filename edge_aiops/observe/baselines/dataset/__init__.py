"""Baselines from reference datasets: files of rows with named columns."""

from edge_aiops.observe.baselines.dataset.making import draft_of
from edge_aiops.observe.baselines.dataset.request import FORMATS, DatasetRequest, format_of

__all__ = ["FORMATS", "DatasetRequest", "draft_of", "format_of"]
