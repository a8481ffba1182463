"""A plugin whose models do what their input says: answer, crash, hang, eat, multiply, or try to break out."""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from functools import cache
from pathlib import Path
from typing import cast

import numpy as np
from msgspec import Struct

from edge_aiops.plugin import (
    BackendSpec,
    GenerationPiece,
    GenerationRequest,
    InvalidModel,
    ModelSource,
    Signature,
    Tensors,
    TensorSpec,
    Unavailable,
    checked_inputs,
    hookimpl,
    numpy_dtype,
    parsed_options,
)
from edge_aiops.plugin.loader import Plugins
from edge_aiops.plugin.registry import Backends


@hookimpl
def register_backends() -> list[BackendSpec]:
    return [
        BackendSpec(
            name="chaos",
            factory="edge_aiops_chaos:ChaosBackend",
            description="models that misbehave when they are told to",
            artifact=False,
            isolation="process",
            environment=("CHAOS_ALLOWED",),
        )
    ]


class ChaosOptions(Struct, frozen=True, rename="camel"):
    on_load: str = ""
    """What loading it does."""

    fails_where: str = ""
    """A file in whose presence the load ends the process."""


class ChaosBackend:
    async def load(self, source: ModelSource) -> ChaosSession:
        options = parsed_options(source, ChaosOptions)
        if options.on_load:
            done(options.on_load)
        if options.fails_where:
            fail_where(Path(options.fails_where))
        return ChaosSession()


class ChaosSession:
    """Takes one line: a word of `DEEDS`, and what it needs."""

    signature = Signature(
        inputs=(TensorSpec("command", "string", (None,)),), outputs=(TensorSpec("said", "string", (None,)),)
    )

    async def predict(self, inputs: Tensors) -> Tensors:
        checked_inputs(self.signature, inputs)
        words = str(inputs["command"][0]).split(" ", 2)
        if words[0] == "load":
            return {"said": np.array([await loaded(words[1], Path(words[2]))], object)}
        return {"said": np.array([done(command) for command in inputs["command"]], object)}

    async def generate(self, request: GenerationRequest) -> AsyncIterator[GenerationPiece]:
        words = (request.prompt or "").split()
        if words[:1] == ["endless"]:
            place = 0
            while True:
                yield GenerationPiece(text=f"{place} ")
                place += 1
        for word in words:
            yield GenerationPiece(text=done(word[1:]) if word.startswith("!") else word)
        yield GenerationPiece(finish_reason="stop", completion_tokens=len(words))

    async def count_tokens(self, texts: Sequence[str]) -> int:
        return sum(len(text.split()) for text in texts)

    async def check(self) -> None:
        raise Unavailable("no server here; try: start it", retry_after_s=7)

    async def close(self) -> None:
        pass


def done(command: str) -> str:
    word, *arguments = command.split(" ", 1)
    return DEEDS[word](*arguments)


@cache
def backends() -> Backends:
    return Backends(Plugins())


async def loaded(framework: str, path: Path) -> str:
    """Load a model of another backend and run it once."""
    try:
        session = await backends().get(framework).load(ModelSource(name="other", version="1", path=path))
    except InvalidModel:
        return "refused"
    inputs = {
        spec.name: np.zeros([1 if size is None else size for size in spec.shape], numpy_dtype(spec))
        for spec in session.signature.inputs
    }
    await session.predict(inputs)
    await session.close()
    return "answers"


def fail_where(trouble: Path) -> None:
    if trouble.exists():
        os._exit(7)


def hang(begun: str = "") -> str:
    """Never end; the file `begun` is there as soon as it has begun."""
    if begun:
        Path(begun).touch()
    while True:
        time.sleep(0.01)


def eat_memory() -> str:
    eaten = []
    while True:
        eaten.append(bytearray(64 * 1024 * 1024))


def eat_memory_natively() -> str:
    """As C++ does it: an allocation that fails ends the process."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    while libc.malloc(ctypes.c_size_t(64 * 1024 * 1024)):
        pass
    os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'\n")
    os.abort()


def leak_descriptors() -> str:
    while True:
        LEAKED.append(os.open("/dev/null", os.O_RDONLY))


def multiply() -> str:
    """Processes that never end, and write their ids down before the worker dies."""
    children = []
    for _ in range(20):
        if not (child := os.fork()):
            signal.pause()
        children.append(str(child))
    return " ".join(children)


def bomb() -> str:
    while True:
        os.fork()


LEAKED: list[int] = []


def attempt(deed: Callable[[str], object]) -> Callable[[str], str]:
    def attempted(argument: str = "") -> str:
        try:
            return f"did it: {deed(argument)}"
        except OSError as error:
            return f"refused: {type(error).__name__}"

    return attempted


def connect(port: str) -> str:
    with socket.create_connection(("127.0.0.1", int(port)), timeout=5):
        return "connected"


def trace(pid: str) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(16, int(pid), None, None) != 0:  # PTRACE_ATTACH
        raise OSError(ctypes.get_errno(), "ptrace")
    return 0


def pause(begun: str = "") -> str:
    """Block for a moment; or as long as the file `begun` is there, which this makes."""
    if begun:
        Path(begun).touch()
        while Path(begun).exists():
            time.sleep(0.01)
    else:
        time.sleep(0.3)
    return "went on"


def complain() -> str:
    raise ValueError("no file \udcff")


def nest() -> str:
    """Folders in folders, deeper than any path can be, the last of them closed."""
    os.chdir(os.environ["TMPDIR"])
    for _ in range(2_500):
        Path("d").mkdir()
        os.chdir("d")
    Path("closed").mkdir(0o000)
    return "nested"


def have_signals_sent(pid: str) -> None:
    """To another process, by the kernel, when something can be read."""
    reader, _ = os.pipe()
    fcntl.fcntl(reader, fcntl.F_SETOWN, int(pid))


DEEDS: dict[str, Callable[..., str]] = {
    "ok": lambda word="ok": word,
    "pause": pause,
    "complain": complain,
    "number": lambda: cast(str, 7),
    "pid": lambda: str(os.getpid()),
    "segfault": lambda: str(ctypes.string_at(0)),
    "abort": os.abort,
    "exit": lambda: os._exit(3),
    "raise": lambda: str({}["no such node"]),
    "hang": hang,
    "memory": eat_memory,
    "native-memory": eat_memory_natively,
    "descriptors": leak_descriptors,
    "multiply": multiply,
    "bomb": bomb,
    "environment": lambda name: os.environ.get(name, "nothing"),
    "forbidden-write": attempt(lambda path: Path(path).write_text("here")),
    "own-write": attempt(lambda _: (Path(os.environ["TMPDIR"]) / "note").write_text("here")),
    "read": attempt(lambda path: Path(path).read_text()),
    "list": attempt(lambda path: [*Path(path).iterdir()]),
    "connect": attempt(connect),
    "fork": attempt(lambda _: os.fork() or os._exit(0)),
    "run": attempt(lambda program: os.posix_spawn(program, [program], {})),
    "mode": attempt(lambda path: Path(path).chmod(0o777)),
    "owner": attempt(lambda path: os.chown(path, os.getuid(), os.getgid())),
    "time": attempt(os.utime),
    "limit": attempt(lambda pid: resource.prlimit(int(pid), resource.RLIMIT_CORE)),
    "own-limit": attempt(lambda _: resource.prlimit(0, resource.RLIMIT_CORE)),
    "affinity": attempt(lambda pid: os.sched_setaffinity(int(pid), os.sched_getaffinity(0))),
    "niceness": attempt(lambda pid: os.setpriority(os.PRIO_PROCESS, int(pid), 19)),
    "signals": attempt(have_signals_sent),
    "nest": nest,
    "kill": attempt(lambda pid: os.kill(int(pid), 0)),
    "trace": attempt(trace),
    "tasks": lambda: f"{len(list(Path('/proc/self/task').iterdir()))} {sys.version_info[0]}",
}
