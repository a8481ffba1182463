"""A seccomp filter: no processes, no programs, no sockets, no signals to others, no hand on other processes, none on
the owners and modes of files, which Landlock does not guard, and nothing that outlives the process in memory.

Written as a program for the kernel's classic BPF machine; see seccomp(2) and the kernel's seccomp_filter.rst.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct

from edge_aiops.isolation.kernel import PR_SET_PDEATHSIG, PR_SET_SECCOMP, prctl

_MODE_FILTER = 2
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, (16, 24)
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
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "inotify_add_watch": (254, 27),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "setxattrat": (463, 463),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "removexattrat": (466, 466),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "semget": (64, 190),
    "semop": (65, 193),
    "semctl": (66, 191),
    "semtimedop": (220, 192),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
}
_CLONE, _CLONE3 = (56, 220), (435, 435)
_TO_ITSELF = {
    "kill": (62, 129),
    "tgkill": (234, 131),
    "prlimit64": (302, 261),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
}
"""Where the first argument is a process, only this one; it may say 0 for that, but to kill."""
_REFUSED_WITH = {
    "fcntl": ((72, 25), 1, (8, 10, 15)),  # F_SETOWN, F_SETSIG, F_SETOWN_EX: have the kernel send a signal to anybody
    "ioctl": ((16, 29), 1, (0x8901, 0x8902)),  # FIOSETOWN, SIOCSPGRP: the same of a socket
    "prctl": ((157, 167), 0, (PR_SET_PDEATHSIG,)),  # outlive the node
}
"""Which argument must not be what."""


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
    first, second = (_instruction(_LOAD, place) for place in _ARGUMENTS)
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
    program += [_instruction(_JUMP_EQUAL, _CLONE[column], 0, 4), first, threads_only, allow, refuse]
    for name, numbers in _TO_ITSELF.items():
        program += [
            _instruction(_JUMP_EQUAL, numbers[column], 0, 5),
            first,
            _instruction(_JUMP_EQUAL, pid, 1, 0),
            _instruction(_JUMP_EQUAL, pid if name == "kill" else 0, 0, 1),
            allow,
            refuse,
        ]
    for numbers, place, values in _REFUSED_WITH.values():
        unwanted = [step for value in values for step in (_instruction(_JUMP_EQUAL, value, 0, 1), refuse)]
        program += [
            _instruction(_JUMP_EQUAL, numbers[column], 0, len(unwanted) + 2),
            (first, second)[place],
            *unwanted,
            allow,
        ]
    return [*program, allow]


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
