"""One figure at a time: its contenders in interleaved rounds, each in its own Python and on the same cores."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.peers.case import Case
from benchmarks.peers.contender import Contender, ContenderFailed, Timed, contender
from benchmarks.peers.environments import PeerMissing, interpreter

PEERS = ["scipy", "alibi_detect", "frouros", "nannyml", "evidently", "whylogs", "datasketches", "river"]
ROUNDS = 7


@dataclass(slots=True)
class Entry:
    """A case of a figure, where it is found, and what came of it."""

    module: str
    place: int
    case: Case
    timed: list[Timed] = field(default_factory=list)
    failure: str | None = None

    @contextlib.contextmanager
    def noting_failure(self) -> Iterator[None]:
        """Keep what goes wrong as the entry's failure; the others go on."""
        try:
            yield
        except PeerMissing as missing:
            self.failure = f"missing: {missing}"
        except ContenderFailed as failed:
            self.failure = f"failed: {failed}"


class Contest:
    """The contenders' processes, started when they are first needed and ended together.

    Args:
        ending: what ends them.
        ours: the module with our cases.
    """

    def __init__(self, ending: contextlib.ExitStack, ours: str) -> None:
        self._ending = ending
        self._ours = ours
        self._pythons: dict[str, Path | PeerMissing] = {}
        self._running: dict[tuple[str, int], Contender] = {}

    def hold(self, figure: Figure) -> list[Entry]:
        """Time every case of the figure, ours first: A B A B, then those that run once, one by one."""
        print(f"  {figure.what.strip()}", file=sys.stderr)
        entries = self._entries(figure.key)
        self._rounds([entry for entry in entries if not entry.case.once], figure.cores, ROUNDS)
        for entry in entries:
            if entry.case.once:
                self._rounds([entry], figure.cores, 1)
        return entries

    def _rounds(self, entries: Sequence[Entry], cores: int, rounds: int) -> None:
        for entry in entries:
            with entry.noting_failure():
                self._contender(entry.module, cores).prepare(entry.place)
        prepared = [(entry, self._contender(entry.module, cores)) for entry in entries if not entry.failure]
        for _ in range(rounds):
            for entry, running in prepared:
                if not entry.failure:
                    with entry.noting_failure():
                        entry.timed.append(running.run(entry.place))
        for entry, running in prepared:
            if not entry.failure:
                running.forget(entry.place)

    def _contender(self, module: str, cores: int) -> Contender:
        if (module, cores) not in self._running:
            started = contender(self._python(module), module, cores=cores)
            self._running[module, cores] = self._ending.enter_context(started)
        return self._running[module, cores]

    def _python(self, module: str) -> Path:
        if module == self._ours:
            return Path(sys.executable)
        if module not in self._pythons:
            self._pythons[module] = _interpreter_or_why_not(module.rpartition(".")[2])
        python = self._pythons[module]
        if isinstance(python, PeerMissing):
            raise python
        return python

    def _entries(self, key: str) -> list[Entry]:
        return [
            Entry(module, place, case)
            for module in (self._ours, *(f"benchmarks.peers.{peer}" for peer in PEERS))
            for place, case in enumerate(import_module(module).CASES)
            if case.figure == key
        ]


def _interpreter_or_why_not(peer: str) -> Path | PeerMissing:
    try:
        return interpreter(peer)
    except PeerMissing as missing:
        return missing
