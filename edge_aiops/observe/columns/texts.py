"""What can be told of a text without knowing its language: its length, whether it is empty, its script."""

from __future__ import annotations

import unicodedata
from collections import Counter

MOST_OF_A_LABEL = 64
"""Characters of a text that is also counted as a label."""

_LOOKED_AT = 256
"""Characters that decide the script."""

_SCRIPTS = {
    "LATIN": "latin", "CYRILLIC": "cyrillic", "GREEK": "greek", "ARABIC": "arabic", "HEBREW": "hebrew",
    "CJK": "han", "HIRAGANA": "hiragana", "KATAKANA": "katakana", "HANGUL": "hangul", "DEVANAGARI": "devanagari",
    "BENGALI": "bengali", "TAMIL": "tamil", "TELUGU": "telugu", "THAI": "thai", "GEORGIAN": "georgian",
    "ARMENIAN": "armenian", "ETHIOPIC": "ethiopic",
}  # fmt: skip
"""The first word of a letter's name in Unicode, and the script that it says."""


def is_blank(text: str) -> bool:
    """Whether nothing but white space is in it."""
    return not text or text.isspace()


def script_of(text: str) -> str:
    """The script that most of the first letters are of: `latin`, `cyrillic`, `han`, ...; `other`, or `none`."""
    text = text[:_LOOKED_AT]
    if text.isascii():
        return "latin" if any(map(str.isalpha, text)) else "none"
    counts = Counter(_script(letter) for letter in text if letter.isalpha())
    return max(counts, key=lambda script: (counts[script], script)) if counts else "none"


def _script(letter: str) -> str:
    return _SCRIPTS.get(unicodedata.name(letter, "").partition(" ")[0], "other")
