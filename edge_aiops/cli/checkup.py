"""What a check found, and in which order the checks of `edge-aiops doctor` are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from edge_aiops.base.settings import Settings

Verdict = Literal["OK", "WARN", "FAIL"]


class Finding(NamedTuple):
    """One finding. `remedy` says what to do where it is not OK."""

    verdict: Verdict
    check: str
    said: str
    remedy: str | None = None


Check = Callable[[Settings], Iterator[Finding]]


def findings(settings: Settings) -> Iterator[Finding]:
    """What every check finds; one that breaks is a finding too, and the others go on."""
    from edge_aiops.cli import check_data, check_hub, check_program

    for check in (*check_program.CHECKS, *check_data.CHECKS, *check_hub.CHECKS):
        try:
            yield from check(settings)
        except Exception as error:
            # The boundary that lets a doctor finish: what breaks a check is itself worth knowing.
            yield Finding("FAIL", check.__name__, f"{type(error).__name__}: {error}", "report this with the output")
