"""What can be told of a text without knowing its language: its length, whether it is empty, its script."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping

from edge_aiops.observe.columns import images

DERIVED = ("", ".length", ".empty", ".script", ".width", ".height", ".bytes")
"""The endings of what is derived from texts, images in base64 among them."""

LABELS = frozenset({"", ".empty", ".script"})
"""The endings of what is a label; the others are numbers."""

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


def derived(text: str) -> Mapping[str, str | float | None]:
    """Of an image in base64: width and height, where its first bytes say them, and the size of the file. Of other
    texts: how many characters it has, whether more than white space is among them, its script, and a short one as a
    label."""
    if (image := images.encoded_image(text)) is not None:
        return {".width": image.width, ".height": image.height, ".bytes": image.size}
    return {
        "": text if len(text) <= MOST_OF_A_LABEL else None,
        ".length": len(text),
        ".empty": "false" if text.strip() else "true",
        ".script": script_of(text),
    }


def script_of(text: str) -> str:
    """The script that most of the first letters are of: `latin`, `cyrillic`, `han`, ...; `other`, or `none`."""
    text = text[:_LOOKED_AT]
    if text.isascii():
        return "latin" if any(map(str.isalpha, text)) else "none"
    counts = Counter(_script(letter) for letter in text if letter.isalpha())
    return max(counts, key=lambda script: (counts[script], script)) if counts else "none"


def _script(letter: str) -> str:
    return _SCRIPTS.get(unicodedata.name(letter, "").partition(" ")[0], "other")
