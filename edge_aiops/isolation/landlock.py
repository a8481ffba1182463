"""Landlock: from now on this thread and its children reach only the files that it names, and no network.

Linux 5.13 and later, where it is switched on; documented in the kernel's userspace-api/landlock.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from edge_aiops.isolation.kernel import system_call

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1
_BELOW_PATH = 1

_WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE = 1 << 1, 1 << 2, 1 << 3, 1 << 14
_EXECUTE, _REFER, _IOCTL_DEVICE = 1 << 0, 1 << 13, 1 << 15
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEVICE
_RIGHTS = ((1, 13), (2, 14), (3, 15), (5, 16))
"""From which version on how many rights there are."""
_TCP = 0b11  # to bind and to connect
_SCOPES = 0b11  # abstract sockets and signals
_TCP_SINCE, _SCOPES_SINCE = 4, 6


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Path(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("descriptor", ctypes.c_int32))


def version() -> int:
    """The version of Landlock that this kernel has; 0 if none."""
    try:
        return system_call(_CREATE_RULESET, None, 0, _VERSION)
    except OSError:
        return 0


def restrict(*, read: Iterable[Path], write: Path) -> list[str]:
    """Allow reading below the paths `read`, those that exist, and everything but execution below `write`.

    The process needs no_new_privs. Gives what was done; raises `OSError` where there is no Landlock.
    """
    found = version()
    rights = (1 << max((count for since, count in _RIGHTS if since <= found), default=13)) - 1
    rules = _Ruleset(rights, _TCP if found >= _TCP_SINCE else 0, _SCOPES if found >= _SCOPES_SINCE else 0)
    size = 24 if found >= _SCOPES_SINCE else 16 if found >= _TCP_SINCE else 8
    ruleset = system_call(_CREATE_RULESET, ctypes.byref(rules), size, 0)
    try:
        for path in read:
            with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
                _allow(ruleset, path, rights & (_READ_FILE | _READ_DIR))
        _allow(ruleset, write, rights & ~(_EXECUTE | _REFER))
        system_call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    done = ["files by Landlock"]
    if rules.network:
        done.append("TCP by Landlock")
    if rules.scoped:
        done.append("signals by Landlock")
    return done


def _allow(ruleset: int, path: Path, rights: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        allowed = rights if path.is_dir() else rights & _OF_FILES
        rule = _Path(allowed, descriptor)
        system_call(_ADD_RULE, ruleset, _BELOW_PATH, ctypes.byref(rule), 0)
    finally:
        os.close(descriptor)
