"""How much memory there is, and how much of it this process has."""

from __future__ import annotations

import os
from pathlib import Path

_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def resident_bytes() -> int:
    """Bytes of this process in physical memory."""
    pages = Path("/proc/self/statm").read_text("ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


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
