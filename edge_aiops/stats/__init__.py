"""Statistics of arrays: NumPy in, small frozen results out, and summaries that merge over time and over a fleet.

Computed by the Rust extension, which lets other threads run meanwhile. A summary travels as versioned bytes
with a checksum, never as a pickle. See docs/statistics.md.
"""

from edge_aiops._stats import (
    IncompatibleSummaries,
    Moments,
    ResultWarning,
    TestResult,
    UnreadableSummary,
    moments,
)

__all__ = [
    "IncompatibleSummaries",
    "Moments",
    "ResultWarning",
    "TestResult",
    "UnreadableSummary",
    "moments",
]
