"""How much memory there is."""

from __future__ import annotations

import os
from pathlib import Path

_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def available_bytes() -> int:
    """Bytes that this process may have: the machine's memory, or its cgroup's limit where that is lower."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limits = [machine]
    for name in _CGROUP_LIMITS:
        try:
            limit = Path(name).read_text("ascii").strip()
        except OSError:
            continue
        if limit.isdigit():
            limits.append(int(limit))
    return min(limits)


def budget_bytes(wanted: int) -> int:
    """`wanted`, or if that is 0 half of what this process may have."""
    return wanted or available_bytes() // 2
