"""Data files compared column by column, read in blocks so that memory does not grow with them.

Needs pyarrow, which `edge_aiops.stats` itself does not: `pip install 'edge-aiops[compare]'`.
"""
