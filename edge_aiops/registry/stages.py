"""The stages of a version's life: candidate, staging, production, archived, in this order and never back."""

from __future__ import annotations

from typing import Literal, get_args

from edge_aiops.base.errors import InvalidInput

Stage = Literal["candidate", "staging", "production", "archived"]

STAGES: tuple[Stage, ...] = get_args(Stage)

_OTHER_NAMES: dict[str, Stage] = {"development": "candidate"}


def stage_named(text: str) -> Stage:
    """The stage that `text` names; `development` is another name of candidate. Raises `InvalidInput`."""
    for stage in STAGES:
        if stage == text:
            return stage
    if text in _OTHER_NAMES:
        return _OTHER_NAMES[text]
    raise InvalidInput.of("stage", f"{text[:80]!r} is no stage; use {', '.join(STAGES)}")


def is_later(stage: Stage, than: Stage) -> bool:
    """Whether `stage` comes after `than` in a version's life."""
    return STAGES.index(stage) > STAGES.index(than)
