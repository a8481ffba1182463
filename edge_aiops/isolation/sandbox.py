"""The sandbox of code that nobody here has written: it can compute, read its model, and write its temporary folder."""

from __future__ import annotations

import ctypes
import os
import platform
import pwd
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import edge_aiops
from edge_aiops.isolation import landlock, seccomp
from edge_aiops.isolation.kernel import (
    PR_CAPBSET_DROP,
    PR_SET_DUMPABLE,
    PR_SET_NO_NEW_PRIVS,
    prctl,
    system_call,
)

_SYSTEM = (
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo", "/etc/localtime"),
    *("/etc/ld.so.cache", "/etc/ld.so.preload", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/filesystems"),
    *("/proc/sys/vm/overcommit_memory", "/sys/devices", "/sys/bus/pci", "/sys/fs/cgroup", "/dev/urandom", "/dev/null"),
)
_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION = 0x20080522
_MOST_CAPABILITIES = 64


def confine(*, artifact: Path | None, folder: Path) -> list[str]:
    """Put this process, which must have one thread only, into the sandbox, for good.

    `artifact`: the file or folder of the model, to be read; `folder`: where it may write. Gives what was done, and
    says of the rest that the kernel does not have it.
    """
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads != 1:
        raise RuntimeError(f"a process of {threads} threads cannot be confined: Landlock would hold one of them")
    os.umask(0o077)
    prctl(PR_SET_DUMPABLE, 0)
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    done = ["scrubbed environment", "no new privileges", "not traceable"]
    readable = [*_importable(), *map(Path, _SYSTEM), Path(f"/proc/{os.getpid()}"), *([artifact] if artifact else [])]
    try:
        done += landlock.restrict(read=readable, write=folder)
    except OSError as error:
        done.append(f"NOT files by Landlock: {error.strerror}")
    with suppress(KeyError, OSError):
        _drop_capabilities()
        done.append("no capabilities")
    try:
        done += seccomp.refuse_processes_and_sockets()
    except OSError as error:
        done.append(f"NOT processes and sockets by seccomp: {error.strerror}")
    return done


def _importable() -> Iterator[Path]:
    """Where modules are; not the home folder or one around it, unless edge_aiops itself is there."""
    yield from (Path(edge_aiops.__file__).parents[1], Path(sys.prefix), Path(sys.base_prefix))
    unwanted = {Path("/")}
    with suppress(KeyError):
        home = Path(pwd.getpwuid(os.getuid()).pw_dir)
        unwanted |= {home, *home.parents}
    yield from (path for path in map(Path, sys.path) if path not in unwanted)


def _drop_capabilities() -> None:
    for capability in range(_MOST_CAPABILITIES):
        # Of those that this kernel does not know, or that are not ours to drop, there is nothing to lose.
        with suppress(OSError):
            prctl(PR_CAPBSET_DROP, capability)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    nothing = (ctypes.c_uint32 * 6)()
    system_call(_CAPSET[platform.machine()], ctypes.byref(header), ctypes.byref(nothing))
