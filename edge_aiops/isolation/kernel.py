"""What the kernel can be asked for that Python has no function for."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 24, 38
_ARGUMENT = ctypes.c_ulong


def prctl(option: int, value: int = 0, pointer: ctypes.Structure | None = None) -> None:
    """prctl(2). Raises `OSError`."""
    libc = ctypes.CDLL(None, use_errno=True)
    third: object = _ARGUMENT(0) if pointer is None else ctypes.byref(pointer)
    if libc.prctl(option, _ARGUMENT(value), third, _ARGUMENT(0), _ARGUMENT(0)) != 0:
        raise _error(f"prctl {option}")


def system_call(number: int, *arguments: object) -> int:
    """syscall(2); numbers are passed as 64 bits, structures by reference. Raises `OSError`."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    passed = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    answer: int = libc.syscall(ctypes.c_long(number), *passed)
    if answer < 0:
        raise _error(f"system call {number}")
    return answer


def out_of_memory_kills() -> int:
    """How many processes the kernel has killed for want of memory: in the cgroup of this process, or else at all."""
    for counters in (*_cgroup_counters(), Path("/proc/vmstat")):
        with suppress(OSError, ValueError):
            for line in counters.read_text("ascii").splitlines():
                name, _, count = line.partition(" ")
                if name == "oom_kill":
                    return int(count)
    return 0


def _cgroup_counters() -> list[Path]:
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text("ascii").splitlines():
            hierarchy, _, path = line.split(":", 2)
            if hierarchy == "0" and path != "/":
                return [Path(f"/sys/fs/cgroup{path}/memory.events"), Path("/sys/fs/cgroup/memory.events")]
    return [Path("/sys/fs/cgroup/memory.events")]


def _error(what: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{what}: {os.strerror(number)}")
