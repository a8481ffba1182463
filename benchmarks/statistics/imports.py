"""What importing costs, NumPy being there already, beside the peers."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.peers.environments import SILENCE, PeerMissing, interpreter
from benchmarks.table import Row

ROUNDS = 3
LIMIT_MS, LIMIT_MB = 30, 12
PEERS = {
    "scipy": "scipy.stats",
    "nannyml": "nannyml",
    "evidently": "evidently",
    "whylogs": "whylogs",
}
_OURS = "edge_aiops.stats"
_ROOT = Path(__file__).parent.parent.parent
_PROGRAM = """
import importlib, json, os, sys, time
import numpy
def resident_mb():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
before, started = resident_mb(), time.perf_counter()
importlib.import_module(sys.argv[1])
taken = time.perf_counter() - started
print(json.dumps({"ms": taken * 1000, "memory_mb": resident_mb() - before}))
"""


class Imported(NamedTuple):
    """What one import took."""

    ms: float
    memory_mb: float


def rows() -> list[Row]:
    """Time and memory of the import, in interleaved rounds."""
    pythons, missing = {_OURS: Path(sys.executable)}, []
    for peer, module in PEERS.items():
        try:
            pythons[module] = interpreter(peer)
        except PeerMissing:
            missing.append(f"{module} missing")
    taken: dict[str, list[Imported]] = {module: [] for module in pythons}
    for _ in range(ROUNDS):
        for module, python in pythons.items():
            taken[module].append(_import(python, module))
    return [
        _row(f"import {_OURS}, NumPy there already", "ms", LIMIT_MS, taken, missing, lambda once: once.ms),
        _row("  memory", "MB", LIMIT_MB, taken, missing, lambda once: once.memory_mb),
    ]


def _import(python: Path, module: str) -> Imported:
    command = [str(python), "-W", "ignore", "-c", _PROGRAM, module]
    environment = os.environ | SILENCE
    done = subprocess.run(command, cwd=_ROOT, env=environment, capture_output=True, text=True, check=True)
    return Imported(**json.loads(done.stdout.splitlines()[-1]))


def _row(
    what: str,
    unit: str,
    limit: float,
    taken: dict[str, list[Imported]],
    missing: list[str],
    reading: Callable[[Imported], float],
) -> Row:
    medians = {module: statistics.median(map(reading, rounds)) for module, rounds in taken.items()}
    ours = medians.pop(_OURS)
    against = [f"{module} {median:,.0f} {unit}" for module, median in medians.items()]
    ratio = f"{min(medians.values()) / ours:.1f}" if medians else ""
    target = f"<= {limit} {unit}"
    return Row(what, f"{ours:.1f} {unit}", "\n".join(against + missing), ratio, target, ours <= limit)
