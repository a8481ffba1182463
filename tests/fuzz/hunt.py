"""Many cases in a process of their own, whose memory is limited and which may die or hang; tells what went wrong.

python -m tests.fuzz.hunt --count 100000 --seed 3        # from the repository's root
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import mmap
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

CASES = "tests.fuzz.cases"
"""The module whose cases are run."""

ROOT = Path(__file__).parents[2]
SPARE_BYTES = 512 * 2**20
"""How much more memory the cases may take than the process has at first: what few bytes claim is not allocated."""
HANGS_S = 60.0
"""After how long without progress a case is taken to hang."""
NOT_BEGUN = b"\xff" * 8
"""The place of a process that still imports, which takes a busy machine as long as it takes."""


@dataclass(slots=True)
class Report:
    """What the cases came to."""

    outcomes: Counter[str] = field(default_factory=Counter)
    seen: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        outcomes = ", ".join(f"{times:,} {outcome}" for outcome, times in self.outcomes.most_common())
        return "\n".join([f"{self.outcomes.total():,} cases: {outcomes}", *self.faults])


@dataclass(frozen=True, slots=True)
class Hunt:
    """Which cases are run: those of a module with a `Case` of a seed and a number."""

    seed: int
    count: int
    module: str = CASES
    most_faults: int = 20
    hangs_s: float = HANGS_S

    def run(self) -> Report:
        """Run them all, beginning anew after one that kills or hangs the process."""
        report, first = Report(), 0
        while first < self.count and len(report.faults) < self.most_faults:
            first = _attempt(self, report, first)
        return report


def _attempt(hunt: Hunt, report: Report, first: int) -> int:
    """Run a process as long as it goes; gives the case to go on with."""
    with tempfile.TemporaryDirectory() as folder:
        place, said = Path(folder, "place"), Path(folder, "said")
        place.write_bytes(NOT_BEGUN)
        options = {
            "seed": hunt.seed,
            "first": first,
            "count": hunt.count,
            "most": hunt.most_faults,
            "module": hunt.module,
        }
        with said.open("wb") as output:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "tests.fuzz.hunt", f"--place={place}"),
                    *(f"--{name}={value}" for name, value in options.items()),
                ],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            hung = _watch(process, place, hunt.hangs_s)
        _gather(report, said)
        if process.returncode == 0:
            return hunt.count
        at = place.read_bytes()
        died = first if at == NOT_BEGUN else int.from_bytes(at, "little")
        end = " ".join(said.read_text(errors="replace").splitlines()[-15:])[-1500:]
        how = f"hung for {hunt.hangs_s:.0f} s" if hung else f"ended the process with {process.returncode}"
        report.faults.append(f"seed {hunt.seed}, case {died}: {how}: {end}")
        return died + 1


def _watch(process: subprocess.Popen[bytes], place: Path, hangs_s: float) -> bool:
    """Wait for the end; whether it had to be brought about."""
    last, since = b"", time.monotonic()
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=1.0)
            return False
        now = place.read_bytes()
        if now == NOT_BEGUN or now != last:
            last, since = now, time.monotonic()
        elif time.monotonic() - since > hangs_s:
            process.kill()
            process.wait()
            return True


def _gather(report: Report, said: Path) -> None:
    for line in said.read_text(errors="replace").splitlines():
        if line.startswith('{"fault"'):
            report.faults.append(json.loads(line)["fault"])
        elif line.startswith('{"outcomes"'):
            told = json.loads(line)
            report.outcomes.update(told["outcomes"])
            report.seen.update(told["seen"])


def _run(hunt: Hunt, first: int, place: Path) -> None:
    """The work of the process: says each fault on a line, and at the end and now and then what came of the cases."""
    from . import surface
    from .cases import Fault

    make = importlib.import_module(hunt.module).Case
    surface.prepare()
    _limit_memory()
    with place.open("r+b") as file, mmap.mmap(file.fileno(), 8) as at:
        outcomes, seen, faults = Counter[str](), set[str](), 0
        for number in range(first, hunt.count):
            at[:] = number.to_bytes(8, "little")
            case = make(hunt.seed, number)
            try:
                case.run()
                outcomes[case.outcome] += 1
            except Fault as fault:
                outcomes["a fault"] += 1
                faults += 1
                print(json.dumps({"fault": f"seed {hunt.seed}, case {number}: {fault}"}), flush=True)
            seen |= case.seen
            if number % 1000 == 999 or number == hunt.count - 1 or faults >= hunt.most_faults:
                print(json.dumps({"outcomes": outcomes, "seen": sorted(seen)}), flush=True)
                outcomes.clear()
            if faults >= hunt.most_faults:
                return


def _limit_memory() -> None:
    """Linux only; elsewhere a limit on addresses is not kept."""
    pages = Path("/proc/self/statm")
    if pages.exists():
        most = int(pages.read_text().split()[0]) * resource.getpagesize() + SPARE_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def main() -> None:
    """Without a place to say how far it is: the whole hunt. With one: the process that is watched."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in {"seed": 1, "first": 0, "count": 20_000, "most": 20}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--module", default=CASES)
    parser.add_argument("--place", type=Path)
    given = parser.parse_args()
    hunt = Hunt(given.seed, given.count, given.module, given.most)
    if given.place:
        _run(hunt, given.first, given.place)
    else:
        begin = time.monotonic()
        print(hunt.run())
        print(f"{time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    main()
