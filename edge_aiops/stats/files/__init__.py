"""Data files compared column by column, read in blocks so that memory does not grow with them.

Needs pyarrow, which the rest of `edge_aiops.stats` does not: `pip install 'edge-aiops[compare]'`.
See docs/statistics/compare.md.
"""

from edge_aiops.stats.files.comparing import FileComparison, compare_files
from edge_aiops.stats.files.opened import opened
from edge_aiops.stats.files.options import Options
from edge_aiops.stats.files.report import Report, report_of

__all__ = ["FileComparison", "Options", "Report", "compare_files", "opened", "report_of"]
