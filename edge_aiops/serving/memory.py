"""How much memory this process has, and how it is given back."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from pathlib import Path

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGE_BYTES = 1024 * 1024


def resident_bytes() -> int:
    """Bytes of this process in physical memory."""
    pages = Path("/proc/self/statm").read_text("ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def settled_bytes() -> int:
    """The same without what only waits to be collected."""
    gc.collect()
    return resident_bytes()


def return_large_blocks() -> None:
    """From now on, in the whole process: blocks of 1 MiB or more go back to the system when they are freed.

    Left alone, glibc raises its thresholds with every large block that is freed, until tens of megabytes of an
    unloaded model stay with the process. Measured with an ONNX model of 117 MB, loaded, run and closed five times in
    worker threads: 42 to 143 MB stayed (at the peak it took 180 to 244); with `return_free_memory` alone 30 to 86 MB
    (174 to 206); with fixed thresholds as well 12 to 14 MB (132). The price is a page fault for each page of a large
    block at every run, which batches feel. Does nothing without glibc.
    """
    mallopt = _libc_function("mallopt")
    if mallopt:
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _LARGE_BYTES)


def return_free_memory() -> None:
    """Give back all pages that hold nothing; takes milliseconds. Does nothing without glibc."""
    malloc_trim = _libc_function("malloc_trim")
    if malloc_trim:
        malloc_trim(0)


def _libc_function(name: str) -> ctypes._NamedFuncPointer | None:
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
