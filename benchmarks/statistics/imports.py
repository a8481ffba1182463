"""What importing costs, NumPy being there already, beside the peers; and how large the wheel is."""

from __future__ import annotations

import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple

from benchmarks.peers.environments import PeerMissing, interpreter
from benchmarks.table import Row

ROUNDS = 5
MODULES = {
    "scipy": "scipy.stats",
    "alibi_detect": "alibi_detect.cd",
    "nannyml": "nannyml",
    "evidently": "evidently",
    "whylogs": "whylogs",
    "datasketches": "datasketches",
    "river": "river.stats",
}
_ROOT = Path(__file__).parent.parent.parent
_MIB = 1024 * 1024
_LIMIT_MS, _LIMIT_BYTES, _LIMIT_WHEEL_BYTES = 30, 12 * _MIB, 1_000_000
_PROGRAM = """
import importlib, json, os, sys, time
import numpy
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
before, started = resident(), time.perf_counter()
importlib.import_module(sys.argv[1])
taken = time.perf_counter() - started
print(json.dumps({"ms": taken * 1000, "memory_bytes": resident() - before}))
"""


class Imported(NamedTuple):
    """What one import took."""

    ms: float
    memory_bytes: float


def rows() -> list[Row]:
    """Time and memory of the import, and the wheel."""
    pythons, missing = {"edge_aiops.stats": Path(sys.executable)}, []
    for peer, module in MODULES.items():
        try:
            pythons[module] = interpreter(peer)
        except PeerMissing:
            missing.append(f"{module} missing")
    taken: dict[str, list[Imported]] = {module: [] for module in pythons}
    for _ in range(ROUNDS):
        for module, python in pythons.items():
            taken[module].append(_import(python, module))
    ours, *peers = (_median(taken[module]) for module in pythons)
    names = list(pythons)[1:]
    times = [f"{name} {peer.ms:,.0f} ms" for name, peer in zip(names, peers, strict=True)]
    sizes = [f"{name} {peer.memory_bytes / _MIB:,.0f} MB" for name, peer in zip(names, peers, strict=True)]
    wheel_bytes = _wheel_bytes()
    return [
        Row("import edge_aiops.stats, NumPy there already", f"{ours.ms:.1f} ms", "\n".join(times + missing),
            _ratio([peer.ms for peer in peers], ours.ms), f"<= {_LIMIT_MS} ms", ours.ms <= _LIMIT_MS),
        Row("  memory", f"{ours.memory_bytes / _MIB:.1f} MB", "\n".join(sizes + missing),
            _ratio([peer.memory_bytes for peer in peers], ours.memory_bytes), f"<= {_LIMIT_BYTES // _MIB} MB",
            ours.memory_bytes <= _LIMIT_BYTES),
        Row("wheel: edge_aiops and the stripped extension, deflated", f"{wheel_bytes / 1e6:.2f} MB",
            target=f"<= {_LIMIT_WHEEL_BYTES / 1e6:g} MB", met=wheel_bytes <= _LIMIT_WHEEL_BYTES),
    ]  # fmt: skip


def _import(python: Path, module: str) -> Imported:
    command = [str(python), "-c", _PROGRAM, module]
    done = subprocess.run(command, cwd=_ROOT, env=os.environ, capture_output=True, text=True, check=True)
    return Imported(**json.loads(done.stdout.splitlines()[-1]))


def _median(taken: list[Imported]) -> Imported:
    return Imported(
        statistics.median(once.ms for once in taken), statistics.median(once.memory_bytes for once in taken)
    )


def _ratio(peers: list[float], ours: float) -> str:
    return f"{min(peers) / ours:.1f}" if peers and ours else ""
