"""Runs the cases of one contender in its own Python: python -m benchmarks.peers.runner MODULE CORES

MODULE has a list CASES; CORES are numbers with commas between. One JSON object a line comes in on standard input and
one goes out for each:

    {"prepare": 3}    makes the inputs of case 3, warms it up, and finds out how often to repeat it    {}
    {"run": 3}        times it once                                               {"ms": 1.2, "answer": 0.5 or null}
    {"forget": 3}     lets its inputs go                                                               {}

What goes wrong comes back as {"error": "..."}.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from importlib import import_module
from typing import Any, NamedTuple

from benchmarks.peers.case import Case, Work

_LEAST_MS = 20.0


class Prepared(NamedTuple):
    """A case whose inputs are there."""

    work: Work
    loops: int
    scale: float


class Runner:
    """The cases and those of them that are prepared."""

    def __init__(self, cases: list[Case]) -> None:
        self._cases = cases
        self._prepared: dict[int, Prepared] = {}

    def answer(self, asked: dict[str, int]) -> dict[str, Any]:
        """Do what was asked for."""
        ((verb, place),) = asked.items()
        if verb == "prepare":
            self._prepared[place] = _prepare(self._cases[place])
        elif verb == "forget":
            self._prepared.pop(place, None)
        else:
            return _run(self._prepared[place])
        return {}


def _prepare(case: Case) -> Prepared:
    work = case.prepare()
    if case.once:
        return Prepared(work, 1, case.scale)
    work()
    started = time.perf_counter()
    work()
    taken_ms = (time.perf_counter() - started) * 1000
    loops = max(1, round(_LEAST_MS / max(taken_ms, 1e-5)))
    return Prepared(work, loops, case.scale)


def _run(prepared: Prepared) -> dict[str, Any]:
    work, loops = prepared.work, range(prepared.loops)
    gc.collect()
    gc.disable()
    started = time.perf_counter()
    for _ in loops:
        answer = work()
    taken_ms = (time.perf_counter() - started) * 1000
    gc.enable()
    known = isinstance(answer, float)
    return {"ms": taken_ms / len(loops) * prepared.scale, "answer": float(answer) if known else None}


def main() -> None:
    """Answer line by line until the input ends."""
    module, cores = sys.argv[1:]
    os.sched_setaffinity(0, {int(core) for core in cores.split(",")})
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not come between the answers
    runner = Runner(import_module(module).CASES)
    for line in sys.stdin:
        try:
            answer = runner.answer(json.loads(line))
        except Exception as error:  # a peer's own fault is a figure that it does not have
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
