"""Numbers and times that are written as text."""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

BLANK = ("", "NA", "N/A", "n/a", "#N/A", "NULL", "null", "None")
"""Texts that mean a missing value where numbers or times are expected."""

BLANKS = pa.array(BLANK)

_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[+-]?(?i:inf|infinity|nan)$"
_TIME = r"^\d{4}-\d\d-\d\d([ T]\d\d(:?\d\d(:?\d\d([.]\d{1,9})?)?)?)?(Z|[+-]\d\d(:?\d\d)?)?$"


class Parsed(NamedTuple):
    """What texts say."""

    values: pa.Array
    """float64; missing where a text is blank or wrong."""
    wrong: pa.Array | None
    """Which texts are neither; None where all are right."""


def given(texts: pa.Array) -> pa.Array:
    """Texts with the blank ones missing."""
    return pc.if_else(pc.is_in(texts, BLANKS), None, texts)


def numbers(texts: pa.Array) -> Parsed:
    """Texts as numbers: `-12.5`, `1e-3`, `inf` and `nan` in any case, with white space around them or not."""
    try:
        return Parsed(pc.cast(texts, pa.float64()), None)
    except pa.ArrowInvalid:  # Blank, surrounded by white space, or wrong.
        trimmed = given(pc.utf8_trim_whitespace(texts))
    right = pc.match_substring_regex(trimmed, _NUMBER)
    return Parsed(pc.cast(pc.if_else(right, trimmed, None), pa.float64()), _wrong(right))


def times(texts: pa.Array) -> Parsed:
    """Texts as seconds since 1970: dates and times of ISO 8601; without a zone they are UTC."""
    trimmed = given(pc.utf8_trim_whitespace(texts))
    right = pc.match_substring_regex(trimmed, _TIME)
    zoned = pc.match_substring_regex(trimmed, r":.*[Z+-]|T.*[Z+-]| \d.*[Z+-]")
    try:
        plain = _seconds(pc.if_else(pc.and_(right, pc.invert(zoned)), trimmed, None), None)
        with_zone = _seconds(pc.if_else(pc.and_(right, zoned), trimmed, None), "UTC")
    except pa.ArrowInvalid:  # A month 13 or the like.
        return _times_apart(trimmed)
    return Parsed(pc.coalesce(plain, with_zone), _wrong(right))


def _times_apart(texts: pa.Array) -> Parsed:
    values = [None if text is None else _second(text) for text in texts.to_pylist()]
    parsed = pa.array(values, pa.float64())
    return Parsed(parsed, _wrong(pc.if_else(texts.is_valid(), parsed.is_valid(), None)))


def _second(text: str) -> float | None:
    for zone in (None, "UTC"):
        try:
            return float(_seconds(pa.array([text]), zone)[0].as_py())
        except pa.ArrowInvalid:
            continue
    return None


def _seconds(texts: pa.Array, zone: str | None) -> pa.Array:
    return seconds(pc.cast(texts, pa.timestamp("us", zone)))


def seconds(times: pa.Array) -> pa.Array:
    """Dates and timestamps as seconds since 1970, times of day since midnight, durations as they are."""
    kind = times.type
    if pa.types.is_date(kind):
        finer: pa.DataType = pa.timestamp("us")
    elif pa.types.is_timestamp(kind):
        finer = pa.timestamp("us", kind.tz)
    else:
        finer = pa.duration("us") if pa.types.is_duration(kind) else pa.time64("us")
    microseconds = pc.cast(pc.cast(times, finer, safe=False), pa.int64())
    return pc.divide(pc.cast(microseconds, pa.float64(), safe=False), 1e6)


def _wrong(right: pa.Array) -> pa.Array | None:
    wrong = pc.fill_null(pc.invert(right), False)
    return wrong if pc.any(wrong).as_py() else None
