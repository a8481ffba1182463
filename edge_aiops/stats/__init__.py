"""Statistics of arrays: NumPy in, small frozen results out, and summaries that merge over time and over a fleet.

Computed by the Rust extension, which lets other threads run meanwhile. A summary travels as versioned bytes
with a checksum, never as a pickle. Each family has a module of its own; here is what they share. See
docs/statistics.md.
"""

from edge_aiops._stats import IncompatibleSummaries, ResultWarning, TestResult, UnreadableSummary

__all__ = ["IncompatibleSummaries", "ResultWarning", "TestResult", "UnreadableSummary"]
