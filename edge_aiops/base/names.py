"""The one rule for names of models and versions, and how long names of features may be."""

from __future__ import annotations

import re

from edge_aiops.base.errors import InvalidInput

NAME_PATTERN = r"^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$"
NAME_RULE = "1 to 64 of a-z, 0-9, '.', '_' and '-', with a letter or a digit at both ends"

LONGEST_FEATURE_NAME = 256
"""Characters. Callers make names of features, and what is summarised of each is kept under its name."""

_NAME = re.compile(NAME_PATTERN)


def valid_name(value: str, *, field: str) -> str:
    """`value` as it is, if it is a name; else `InvalidInput` that blames `field` and states the rule.

    The rule keeps names safe as file names, URL segments, metric labels and log words at once.
    """
    if _NAME.fullmatch(value):
        return value
    shown = repr(value if len(value) <= 80 else value[:77] + "...")
    raise InvalidInput.of(field, f"{shown} is not a name; use {NAME_RULE}")
