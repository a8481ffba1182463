"""The fleet as a whole: metrics, drift, quality and alerts of any selection of nodes, over merged summaries."""
