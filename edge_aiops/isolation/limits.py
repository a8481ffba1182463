"""What one worker may take, and how a process limits itself to it."""

from __future__ import annotations

import os
import resource
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

_ADDRESS_SPACE_BYTES = 4 * 1024**3
_OOM_SCORE = 500


class WorkerLimits(Struct, frozen=True, kw_only=True):
    """What one worker may take."""

    memory_bytes: int | None = None
    """Private memory of the process, beyond which its allocations fail; None sets no limit."""

    load_timeout_s: float = 120.0
    """Longest time from the start of the process until the model is loaded."""

    grace_s: float = 2.0
    """Time in which a cancelled call, or the closing of the model, must end before the process is killed."""

    open_files: int = 1_024
    file_bytes: int = 1024**3
    """Largest file that it may write."""

    processes: int = 256
    """Processes and threads that may be there beyond those that this user has when the worker starts. The kernel does
    not count those of the superuser; in the sandbox no process is started at all."""


def limit(limits: WorkerLimits) -> list[str]:
    """Limit this process, for good; gives what was done."""
    wanted = {
        "open files": (resource.RLIMIT_NOFILE, limits.open_files),
        "file size": (resource.RLIMIT_FSIZE, limits.file_bytes),
        "processes": (resource.RLIMIT_NPROC, _tasks_of_user() + limits.processes),
        "core dumps": (resource.RLIMIT_CORE, 0),
    }
    if limits.memory_bytes is not None:
        # Private memory is what a model takes; the address space, which also holds what is shared or only reserved,
        # bounds what the first does not count.
        wanted["memory"] = (resource.RLIMIT_DATA, limits.memory_bytes)
        wanted["address space"] = (resource.RLIMIT_AS, limits.memory_bytes + _ADDRESS_SPACE_BYTES)
    for kind, most in wanted.values():
        _, hard = resource.getrlimit(kind)
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (least, least))
    with suppress(OSError):
        # Where memory runs out, the kernel takes the worker rather than the node.
        Path("/proc/self/oom_score_adj").write_text(str(_OOM_SCORE), "ascii")
    return [f"limit of {name}" for name in wanted]


def _tasks_of_user() -> int:
    tasks = 0
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            if process.name.isdecimal() and process.stat().st_uid == os.getuid():
                tasks += len(list((process / "task").iterdir()))
    return tasks
