"""What observing a model costs."""

from __future__ import annotations

from benchmarks.figure import Figure

BATCHES = (1, 8, 64)
"""Events that are committed together at 1, at 8 and at 64 connections."""

FIGURES = [
    *(
        figure
        for batch in BATCHES
        for figure in (
            Figure(f"observe {batch}", f"observe an event of 20 features, {batch} committed together", "us"),
            Figure(f"statistics {batch}", "  of which the statistics of its features", "us"),
        )
    ),
    Figure("memory", "memory for a model of 100 features", "KB"),
    Figure("window 20", "bytes of a window of 300 events, 20 features", "KB"),
    Figure("window 100", "  100 features", "KB"),
    Figure("file 20", "growth of monitoring.db by a window of 300 events, 20 features", "KB"),
    Figure("file 100", "  100 features", "KB"),
    Figure("check", "drift check of 100 features, 24 hours of 100,000 events", "ms"),
]
