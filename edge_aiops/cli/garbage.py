"""How often a server looks for garbage that refers to itself: seldom, and not in what it has imported."""

from __future__ import annotations

import gc

_NEW_OBJECTS = 10_000
"""After so many it looks through them. A start makes some hundred thousand, nearly all to stay, a request dozens."""


def collect_seldom() -> None:
    """From now on look for garbage after ten thousand new objects, not after Python's seven hundred."""
    gc.set_threshold(_NEW_OBJECTS)


def keep_what_is_there() -> None:
    """Never look through the objects of now again. Must come before models are loaded, which shall go one day."""
    gc.freeze()
