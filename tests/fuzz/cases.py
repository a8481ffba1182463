"""One case of the hunt: a call with hostile arguments, or hostile bytes; each is known by its seed and number."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from edge_aiops.stats import UnreadableSummary
from edge_aiops.stats.evidence import DriftWatch
from edge_aiops.stats.summaries import Profile

from . import arrays, forgery, surface, verdict
from .arrays import Generator, pick

READERS = {
    f"{name}.{key}": (kind, key) for name, kind in surface.classes().items() for key in vars(kind) if key[:5] == "from_"
}
"""What reads bytes."""


class Fault(Exception):
    """Something that the documentation does not promise; says what, and of which call."""


class Case:
    """What is done and what came of it."""

    def __init__(self, seed: int, number: int) -> None:
        self.random = np.random.default_rng([seed, number])
        self.seen: set[str] = set()
        """The classes of what was looked at."""
        self.outcome = ""
        """What came of it, in a word or two."""

    def run(self) -> None:
        """Do it; raises a Fault."""
        with np.errstate(all="ignore"):
            if self.random.random() < 0.4:
                self._read(pick(self.random, list(READERS)))
            else:
                self._call(pick(self.random, list(surface.CALLABLES)), self.random.choice([0.0, 0.15, 0.6]))

    def _call(self, name: str, hostility: float, me: Any = None) -> None:
        """Call something, with a share of `hostility` of the arguments of the wrong kind."""
        given = arguments(self.random, name, hostility)
        if me is not None:
            given["self"] = me
        of = given.get("self")
        before = of.to_bytes() if hasattr(of, "to_bytes") else None
        found, error = timed(name, given, lambda: call(name, given))
        if error is None:
            self.outcome = "a result"
            self._look_at(name, found, given)
            return
        self.outcome = f"{type(error).__name__}"
        if wrong := verdict.refusal(error, given):
            raise Fault(f"{described(name, given)} {wrong}") from error
        if before is not None and of.to_bytes() != before:
            raise Fault(f"{described(name, given)} was refused, but changed the object")

    def _read(self, name: str) -> None:
        """Read bytes, and if they are taken for a summary use it."""
        kind, reader = READERS[name]
        valid = surface.example(self.random, kind)
        writer = reader.replace("from", "to")
        other, other_reader = READERS[pick(self.random, list(READERS))]
        donor = getattr(surface.example(self.random, other), other_reader.replace("from", "to"))()
        content = getattr(valid, writer)()
        if reader == "from_bytes":
            data = forgery.forged(self.random, content, donor)
        else:
            data = forgery.edited(self.random, content, donor, 0)
        more = (valid.baseline,) if isinstance(valid, Profile | DriftWatch) else ()
        given = {"data": data}
        found, error = timed(name, given, lambda: getattr(kind, reader)(data, *more))
        if error is not None:
            self.outcome = "unreadable"
            wrong = verdict.refusal(error, {})
            if wrong or (not more and not isinstance(error, UnreadableSummary)):
                raise Fault(f"{described(name, given)} {wrong or f'raised {error!r}'}") from error
            return
        self.outcome = "readable"
        try:
            self._use(name, found, given, reader)
        except Fault:
            raise
        except BaseException as error:
            raise Fault(f"{described(name, given)} gave what does not work: {type(error).__name__}: {error}") from error

    def _use(self, name: str, found: Any, given: dict[str, Any], reader: str) -> None:
        if reader == "from_bytes" and found.to_bytes() != given["data"]:
            raise Fault(f"{described(name, given)} is another encoding of {found!r}")
        if surface.copied(found) != found:
            raise Fault(f"{described(name, given)} does not come back from its own bytes")
        self._look_at(name, found, given)
        kind = type(found).__name__
        methods = surface.methods(type(found))
        try:
            for method in [
                "merge" if "merge" in methods else "to_bytes",
                pick(self.random, methods),
                pick(self.random, methods),
            ]:
                self._call(f"{kind}.{method}", 0.0, me=found)
        except Fault as fault:
            raise Fault(f"{described(name, given)}, then {fault}") from fault
        self.outcome = "readable"

    def _look_at(self, name: str, found: Any, given: dict[str, Any]) -> None:
        try:
            wrong = verdict.result(name, found)
        except BaseException as error:
            raise Fault(f"{described(name, given)} gave what does not work: {type(error).__name__}: {error}") from error
        if wrong:
            raise Fault(f"{described(name, given)}: {wrong}")
        for part in found if isinstance(found, list) else [found]:
            self._note(part)

    def _note(self, found: Any) -> None:
        kind = type(found)
        if kind.__name__ in self.seen or not kind.__module__.startswith("edge_aiops"):
            return
        self.seen.add(kind.__name__)
        for key in surface.getters(kind):
            part = getattr(found, key)
            for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else [part]:
                self._note(each)


def arguments(random: Generator, name: str, hostility: float) -> dict[str, Any]:
    """By name, what a callable is called with; what may be left out often is."""
    size = surface.Size.drawn(random)
    given: dict[str, Any] = {}
    for parameter in parameters(name):
        if parameter.default is not parameter.empty and random.random() < 0.5:
            continue
        if parameter.name != "self" and random.random() < hostility:
            given[parameter.name] = hostile(random, parameter, size)
        else:
            make = surface.maker(name, parameter.name)
            assert make is not None, f"the table has nothing for {parameter.name} of {name}"
            given[parameter.name] = make(random, size)
    return given


def hostile(random: Generator, parameter: inspect.Parameter, size: surface.Size) -> Any:
    """An argument of the wrong kind, mostly."""
    if parameter.kind is parameter.VAR_POSITIONAL:
        return tuple(arrays.anything(random, size.n) for _ in range(3))
    return arrays.scalar(random) if random.random() < 0.4 else arrays.anything(random, size.n)


@functools.cache
def parameters(name: str) -> list[inspect.Parameter]:
    """The parameters of a callable, of a method with `self`."""
    return list(inspect.signature(surface.CALLABLES[name]).parameters.values())


def call(name: str, given: dict[str, Any]) -> Any:
    """Call it with what is given by name."""
    positional: list[Any] = []
    by_name: dict[str, Any] = {}
    for parameter in parameters(name):
        if parameter.name not in given:
            continue
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional.extend(given[parameter.name])
        elif parameter.kind is parameter.POSITIONAL_ONLY or parameter.name == "self":
            positional.append(given[parameter.name])
        else:
            by_name[parameter.name] = given[parameter.name]
    return surface.CALLABLES[name](*positional, **by_name)


def timed(name: str, given: dict[str, Any], act: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    """What it gave or raised; a Fault if it took long, and again when called once more: a machine may be busy."""
    begin = time.perf_counter()
    came = _attempted(act)
    if time.perf_counter() - begin > verdict.LONGEST_S:
        begin = time.process_time()
        _attempted(act)
        if (took := time.process_time() - begin) > verdict.LONGEST_S:
            raise Fault(f"{described(name, given)} took {took:.1f} s")
    return came


def _attempted(act: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    try:
        return act(), None
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a panic of Rust is no Exception
        return None, error


def described(name: str, given: dict[str, Any]) -> str:
    """The call for people, with long arrays cut."""
    return f"{name}({', '.join(f'{key}={_brief(value)}' for key, value in given.items())})"


def _brief(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{list(value.shape)} {np.array2string(value.ravel()[:6], threshold=6)}"
    if isinstance(value, bytes):
        return f"bytes.fromhex('{value[:400].hex()}')"
    return repr(value)[:300]
