"""Power cuts on paper: what a program did to its files, taken from strace, and what a disk may hold after a cut.

The disk that is modelled keeps what was synced before the cut. Of the rest each write may be there, missing, or torn
between sectors of 512 bytes, and each truncation there or not, in any mixture. Names in a folder change in the order
in which they were changed, up to any point after the folder's last sync; syncing a file says nothing of its name.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import NamedTuple

SECTOR = 512

_NOT_REPLAYED = ("creat", "writev", "pwritev", "pwritev2", "truncate", "fallocate", "link", "linkat", "copy_file_range")
_CALLS = (
    *("openat", "write", "pwrite64", "ftruncate", "fsync", "fdatasync"),
    *("unlink", "unlinkat", "rename", "renameat", "renameat2"),
    *_NOT_REPLAYED,
)

_LINE = re.compile(r"(\d+) +(?:<\.\.\. \w+ resumed>(?P<rest>.*)|(?P<call>\w+)\((?P<arguments>.*))", re.DOTALL)
_UNFINISHED = " <unfinished ...>"
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
_DESCRIPTOR = re.compile(r"(\d+)<([^>]*)>")
_RESULT = re.compile(r"\) += (-?\d+)")


class Write(NamedTuple):
    """Bytes written to a file; at its end where `offset` is None."""

    path: str
    offset: int | None
    content: bytes


class Truncate(NamedTuple):
    """A file cut, or extended with zeros, to a size."""

    path: str
    size: int


class Create(NamedTuple):
    """A file opened that is made where it is not there."""

    path: str


class Sync(NamedTuple):
    """A file or folder synced."""

    path: str


class Remove(NamedTuple):
    """A name removed."""

    path: str


class Rename(NamedTuple):
    """A name changed."""

    path: str
    target: str


class Say(NamedTuple):
    """Text written to standard output: from here on a promise."""

    text: str


Operation = Write | Truncate | Create | Sync | Remove | Rename | Say


def trace_command(log: Path) -> list[str]:
    """The words to put before a program to record what it does."""
    shown = ("-f", "-y", "-xx", "-s", "10000000", "-e", "signal=none")
    return ["strace", *shown, "-e", f"trace={','.join(_CALLS)}", "-o", str(log)]


def operations(log: Path, folder: Path) -> list[Operation]:
    """What a recorded program did inside `folder`, and what it said, in order.

    Writes and words count from where they began, syncs from where they ended.
    """
    found: list[Operation] = []
    begun: dict[str, str] = {}
    with log.open(encoding="ascii") as lines:
        for line in lines:
            match = _LINE.match(line.rstrip("\n"))
            if match is None:
                continue
            process = match[1]
            if match["call"] is None:
                if process in begun:
                    call = begun.pop(process) + match["rest"]
                    found += [one for one in _operations(call, folder) if isinstance(one, Sync)]
                continue
            call = f"{match['call']}({match['arguments']}"
            if call.endswith(_UNFINISHED):
                begun[process] = call.removesuffix(_UNFINISHED)
                found += [one for one in _operations(begun[process] + ") = 0", folder) if not isinstance(one, Sync)]
            else:
                found += _operations(call, folder)
    return found


def _operations(call: str, folder: Path) -> Iterator[Operation]:
    name, _, arguments = call.partition("(")
    result = _RESULT.match(arguments, arguments.rfind(")"))
    if result is None or int(result[1]) < 0:
        return
    strings = [bytes.fromhex(text.replace("\\x", "")) for text, _ in _STRING.findall(arguments)]
    inside = f"{folder}/"
    if name in _NOT_REPLAYED and "".join(f"\\x{byte:02x}" for byte in inside.encode()) in arguments:
        raise NotImplementedError(f"{name} is not replayed")
    if name in ("openat", "unlink", "unlinkat", "rename", "renameat", "renameat2"):
        paths = [text.decode() for text in strings if text.decode(errors="replace").startswith(inside)]
        if not paths:
            return
        if name == "openat":
            if "O_CREAT" in arguments:
                yield Create(paths[0])
            if "O_TRUNC" in arguments:
                yield Truncate(paths[0], 0)
        else:
            yield Rename(paths[0], paths[1]) if name.startswith("rename") else Remove(paths[0])
        return
    descriptor = _DESCRIPTOR.match(arguments)
    if descriptor is None:
        return
    path = bytes.fromhex(descriptor[2].replace("\\x", "")).decode() if "\\x" in descriptor[2] else descriptor[2]
    if name == "write" and descriptor[1] == "1":
        yield Say(strings[0].decode())
    elif path.startswith(inside) or path == str(folder):
        if name in ("fsync", "fdatasync"):
            yield Sync(path)
        elif name == "ftruncate":
            # Sizes are printed in hexadecimal as well.
            yield Truncate(path, int(arguments.split(", ")[-1].split(")")[0], 0))
        elif name == "write":
            yield Write(path, None, strings[0])
        elif name == "pwrite64":
            yield Write(path, int(arguments.split(", ")[-1].split(")")[0], 0), strings[0])


@dataclass
class _File:
    synced: bytearray = field(default_factory=bytearray)
    pending: list[Write | Truncate] = field(default_factory=list)


class Disk:
    """A folder on a disk, to which operations are done one by one."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._names: dict[str, _File] = {}
        self._synced_names: dict[str, _File] = {}
        self._history: list[dict[str, _File]] = []
        """The names after each change since the folder's last sync."""

    def do(self, operation: Operation) -> None:
        """Let an operation happen."""
        match operation:
            case Create(path):
                if path not in self._names:
                    self._rename({**self._names, path: _File()})
            case Remove(path):
                self._rename({name: file for name, file in self._names.items() if name != path})
            case Rename(path, target):
                others = {name: file for name, file in self._names.items() if name != path}
                self._rename({**others, target: self._names[path]})
            case Write(path) | Truncate(path) if path in self._names:
                self._names[path].pending.append(operation)
            case Sync(path) if path in self._names:
                file = self._names[path]
                for pending in file.pending:
                    _apply(file.synced, pending)
                file.pending.clear()
            case Sync(path) if path == self._folder:
                self._synced_names = self._names
                self._history.clear()

    def after_a_cut(self, chance: random.Random) -> dict[str, bytes]:
        """One of the states in which the disk may be found when the power comes back."""
        kept_share, torn_share = chance.choice([0.0, 0.1, 0.5, 0.9, 1.0]), chance.choice([0.0, 0.1, 0.5])
        names = chance.choice([self._synced_names, *self._history])
        return {
            name: bytes(_found(file, chance, kept_share, torn_share))
            for name, file in names.items()
            if not name.endswith("-shm")
        }

    def _rename(self, names: dict[str, _File]) -> None:
        self._names = names
        self._history.append(names)


def _found(file: _File, chance: random.Random, kept_share: float, torn_share: float) -> bytearray:
    content = bytearray(file.synced)
    for pending in file.pending:
        if isinstance(pending, Write) and chance.random() < torn_share:
            for sector in _sectors(pending, len(content)):
                if chance.random() < 0.5:
                    _apply(content, sector)
        elif chance.random() < kept_share:
            _apply(content, pending)
    return content


def _sectors(write: Write, size: int) -> Iterable[Write]:
    """The parts of a write that fall into one sector each."""
    start = size if write.offset is None else write.offset
    first = SECTOR - start % SECTOR
    bounds = [0, *range(first, len(write.content), SECTOR), len(write.content)]
    for begin, end in pairwise(bounds):
        yield Write(write.path, start + begin, write.content[begin:end])


def _apply(content: bytearray, change: Write | Truncate) -> None:
    if isinstance(change, Truncate):
        del content[change.size :]
        content.extend(bytes(change.size - len(content)))
        return
    offset = len(content) if change.offset is None else change.offset
    content.extend(bytes(max(offset - len(content), 0)))
    content[offset : offset + len(change.content)] = change.content


def rebuild(found: dict[str, bytes], source: Path, target: Path, chance: random.Random) -> None:
    """Write the files that were found under `source` to the folder `target`; their shared memory holds anything."""
    target.mkdir(parents=True)
    for name, content in found.items():
        place = target / PurePosixPath(name).relative_to(source)
        place.write_bytes(content)
        if name.endswith("-wal") and chance.random() < 0.3:
            place.with_name(place.name.removesuffix("-wal") + "-shm").write_bytes(chance.randbytes(32_768))
