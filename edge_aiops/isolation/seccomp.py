"""A seccomp filter: no processes, no programs, no sockets, no signals to others, no look into other processes.

Written as a program for the kernel's classic BPF machine; see seccomp(2) and the kernel's seccomp_filter.rst.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct

from edge_aiops.isolation.kernel import PR_SET_SECCOMP, prctl

_MODE_FILTER = 2
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000
_CLONE_THREAD = 0x10000
_X32 = 0x40000000

_MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# Numbers on x86_64 and on aarch64; None where the machine has no such call.
_REFUSED = {
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "socket": (41, 198),
    "io_uring_setup": (425, 425),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
}
_CLONE, _CLONE3 = (56, 220), (435, 435)
_TO_ITSELF = {"kill": (62, 129), "tgkill": (234, 131)}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def refuse_processes_and_sockets() -> list[str]:
    """Install the filter, for good; it needs no_new_privs.

    Gives what was done; raises `OSError` where the kernel or the machine has no filter for it.
    """
    machine = platform.machine()
    if machine not in _MACHINES:
        raise OSError(errno.ENOSYS, f"there is no seccomp filter for {machine}")
    instructions = b"".join(_filter(list(_MACHINES).index(machine), _MACHINES[machine], os.getpid()))
    program = _Program(len(instructions) // 8, instructions)
    prctl(PR_SET_SECCOMP, _MODE_FILTER, program)
    return ["processes, programs, sockets and signals by seccomp"]


def _filter(column: int, architecture: int, pid: int) -> list[bytes]:
    refuse, missing = _instruction(_RETURN, _ERROR | errno.EPERM), _instruction(_RETURN, _ERROR | errno.ENOSYS)
    allow = _instruction(_RETURN, _ALLOW)
    argument = _instruction(_LOAD, _FIRST_ARGUMENT)
    program = [
        _instruction(_LOAD, _ARCHITECTURE),
        _instruction(_JUMP_EQUAL, architecture, 1, 0),
        refuse,
        _instruction(_LOAD, _NUMBER),
        _instruction(_JUMP_AT_LEAST, _X32, 0, 1),
        refuse,
    ]
    for numbers in _REFUSED.values():
        if (number := numbers[column]) is not None:
            program += [_instruction(_JUMP_EQUAL, number, 0, 1), refuse]
    # The C library falls back to clone, whose flags can be seen.
    program += [_instruction(_JUMP_EQUAL, _CLONE3[column], 0, 1), missing]
    threads_only = _instruction(_JUMP_BITS, _CLONE_THREAD, 0, 1)
    program += [_instruction(_JUMP_EQUAL, _CLONE[column], 0, 4), argument, threads_only, allow, refuse]
    for numbers in _TO_ITSELF.values():
        itself_only = _instruction(_JUMP_EQUAL, pid, 0, 1)
        program += [_instruction(_JUMP_EQUAL, numbers[column], 0, 4), argument, itself_only, allow, refuse]
    return [*program, allow]


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
