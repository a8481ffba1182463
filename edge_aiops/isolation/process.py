"""The process of a worker: started in a group of its own, watched, weighed, and killed with all that it started."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import edge_aiops
from edge_aiops.isolation.kernel import out_of_memory_kills
from edge_aiops.isolation.removal import remove

_USUAL_VARIABLES = (
    *("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH"),
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
    *("EDGE_AIOPS_PLUGINS", "EDGE_AIOPS_BLOCK_PLUGINS"),
)
_TRUSTED_VARIABLES = ("HOME", "USER", "XDG_CACHE_HOME", "SSL_CERT_FILE", "SSL_CERT_DIR")
_FOLDER = "edge-aiops-worker-"
_LOG_BYTES = 8 * 1024
_READ_BYTES = 64 * 1024


class End(NamedTuple):
    """How a process ended."""

    status: int
    """Its exit status; negative for a signal."""

    peak_bytes: int
    """The most physical memory that it had; 0 where that is not known."""

    said: str
    """The last of what it wrote to standard output and error."""

    for_want_of_memory: bool
    """Whether the kernel killed it because the machine, or the cgroup, had no memory left, as far as can be told."""

    def __str__(self) -> str:
        if self.status >= 0:
            return f"ended its process with status {self.status}"
        with suppress(ValueError):
            return f"crashed ({signal.Signals(-self.status).name})"
        return f"crashed (signal {-self.status})"


class Spawned(NamedTuple):
    """A process that has just been started, its temporary folder, and how often the kernel had killed for want of
    memory until then."""

    process: subprocess.Popen[bytes]
    folder: Path
    kills_before: int
    inherited_bytes: int
    """Up to here the kernel counts the memory of the process that started it as its peak."""


class WorkerProcess:
    """A running child. It dies with the thread that started it: start it in one that lasts."""

    def __init__(self, spawned: Spawned) -> None:
        process = spawned.process
        self.pid = process.pid
        self._process = process
        self._folder = spawned.folder
        self._kills_before = spawned.kills_before
        self._inherited_bytes = spawned.inherited_bytes
        self._killed = False
        self._said: deque[bytes] = deque()
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[End] = self._loop.create_future()
        self._watched = os.pidfd_open(process.pid)
        self._loop.add_reader(self._watched, self._reap)
        assert process.stderr is not None
        os.set_blocking(process.stderr.fileno(), False)
        self._loop.add_reader(process.stderr.fileno(), self._listen)

    def kill(self) -> None:
        """End it now, with everything that it started; `ended` tells when that is done."""
        if self._process.returncode is None:
            self._killed = True
            self._kill_group()
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    async def ended(self) -> End:
        """Wait until it has ended, with everything that it started."""
        return await asyncio.shield(self._ended)

    async def clean_up(self) -> None:
        """Remove its temporary folder, and those that nodes have left that were killed."""
        await asyncio.to_thread(_remove, self._folder)

    def memory_bytes(self) -> int:
        """Physical memory of the process and its children, shared pages by their share; reads /proc, some ms."""
        return sum(_memory_of(pid) for pid in _family(self.pid))

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def _reap(self) -> None:
        # Before it is waited for: until then nobody else can have its number.
        self._kill_group()
        _, status, usage = os.wait4(self.pid, 0)
        peak_bytes = usage.ru_maxrss * 1024
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self._loop.remove_reader(self._watched)
        os.close(self._watched)
        self._listen()
        self._stop_listening()
        killed_by_kernel = self._process.returncode == -signal.SIGKILL and not self._killed
        self._ended.set_result(
            End(
                status=self._process.returncode,
                peak_bytes=peak_bytes if peak_bytes > self._inherited_bytes else 0,
                said=b"".join(self._said)[-_LOG_BYTES:].decode("utf-8", "replace").strip(),
                for_want_of_memory=killed_by_kernel and out_of_memory_kills() > self._kills_before,
            )
        )

    def _listen(self) -> None:
        assert self._process.stderr is not None
        if self._process.stderr.closed:
            return
        with suppress(BlockingIOError):
            piece = os.read(self._process.stderr.fileno(), _READ_BYTES)
            if not piece:
                self._stop_listening()
                return
            self._said.append(piece[-_LOG_BYTES:])
            while sum(map(len, self._said)) > 2 * _LOG_BYTES:
                self._said.popleft()

    def _stop_listening(self) -> None:
        assert self._process.stderr is not None
        if not self._process.stderr.closed:
            self._loop.remove_reader(self._process.stderr.fileno())
            self._process.stderr.close()


def spawned(
    birth: Callable[[Path], bytes],
    *,
    descriptors: tuple[int, ...],
    names: tuple[str, ...],
    sandboxed: bool,
) -> Spawned:
    """Start `edge_aiops.isolation.worker`; takes some milliseconds.

    `birth`: what it reads from standard input, given its folder; `descriptors` stay open in it; `names`: of variables
    that it sees beside the usual ones. It dies with the thread that calls this.
    """
    kills_before = out_of_memory_kills()
    folder = Path(tempfile.mkdtemp(prefix=f"{_FOLDER}{os.getpid()}-"))
    try:
        with os.fdopen(os.memfd_create("edge-aiops-birth"), "w+b") as told:
            told.write(birth(folder))
            told.seek(0)
            process = subprocess.Popen(
                [sys.executable, "-P", "-X", "faulthandler", "-m", "edge_aiops.isolation.worker"],
                stdin=told,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                cwd=folder,
                env={"HOME": str(folder), **_environment(names, sandboxed=sandboxed), "TMPDIR": str(folder)},
                pass_fds=descriptors,
                # A group of its own, so that what the framework starts can be killed with it.
                start_new_session=True,
            )
    except BaseException:
        remove(folder)
        raise
    inherited_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Spawned(process, folder, kills_before, inherited_bytes)


def _environment(names: tuple[str, ...], *, sandboxed: bool) -> dict[str, str]:
    """What a worker sees of the environment: variables that steer Python, plugins and threads, the folders of the
    user, and `names`; in the sandbox neither of the last two, and no modules of the current folder."""
    wanted = _USUAL_VARIABLES if sandboxed else (*_USUAL_VARIABLES, *_TRUSTED_VARIABLES, *names)
    chosen = {name: os.environ[name] for name in wanted if name in os.environ}
    return {**chosen, "PYTHONPATH": os.pathsep.join(_import_path(sandboxed=sandboxed)), "PYTHONUNBUFFERED": "1"}


def _remove(folder: Path) -> None:
    remove(folder)
    for other in folder.parent.glob(f"{_FOLDER}*"):
        node = other.name.removeprefix(_FOLDER).partition("-")[0]
        if not Path("/proc", node).exists():
            remove(other)


def _import_path(*, sandboxed: bool) -> Iterator[str]:
    """What this process can import, the child can. In the sandbox all of it can be read: `python -m` puts the current
    folder there, with whatever else it holds."""
    here, ours = Path.cwd(), Path(edge_aiops.__file__).parents[1]
    for entry in sys.path:
        if not sandboxed or Path(entry).absolute() != here or here == ours:
            yield entry or str(here)


def _family(pid: int) -> Iterator[int]:
    yield pid
    with suppress(OSError, ValueError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text("ascii").split():
                yield from _family(int(child))


def _memory_of(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    # Of a sandboxed process only the superuser is told its share.
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0
