"""What callers hand in: arrays of every content, type, shape and layout, masks, labels, and what is no array at all."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import numpy as np

Generator = np.random.Generator
Make = Callable[[Generator, int], np.ndarray]

_SPECIAL = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0, 5e-324, -5e-324, 2.2e-308, 1e308, -1e308, 1.8e308, 1e150, 1.0])


def _some_special(random: Generator, n: int) -> np.ndarray:
    values = random.normal(size=n)
    return np.where(random.random(n) < 0.3, random.choice(_SPECIAL, size=n), values)


CONTENTS: tuple[Make, ...] = (
    lambda random, n: random.normal(size=n),
    lambda random, n: random.normal(loc=1e9, scale=1e-3, size=n),
    lambda random, n: random.standard_cauchy(size=n),
    lambda random, n: random.integers(0, 4, size=n).astype(float),
    lambda random, n: random.integers(0, 2, size=n).astype(float),
    lambda random, n: random.random(n),
    lambda random, n: np.full(n, random.choice([0.0, 1.0, -0.0, 1e308, 5e-324, 0.1])),
    lambda random, n: np.full(n, random.choice([np.nan, np.inf, -np.inf])),
    lambda random, n: np.where(random.random(n) < 0.2, np.nan, random.normal(size=n)),
    lambda random, n: np.where(random.random(n) < 0.2, np.nan, random.integers(0, 2, size=n)),
    lambda random, n: random.choice(_SPECIAL, size=n),
    _some_special,
    lambda random, n: random.choice([1e308, -1e308, 1.7e308], size=n),
    lambda random, n: random.integers(-3, 4, size=n) * 5e-324,
    lambda random, n: 10.0 ** random.uniform(-320, 308, size=n),
)
NUMBERS = ("float64", "float32", "int64", "bool")
OTHER_TYPES = (
    *("float16", "longdouble", "int8", "int16", "int32", "uint8", "uint16", "uint32", "uint64", "complex64"),
    *("complex128", "U3", "S3", "O", "M8[s]", "m8[ms]", ">f8", ">i8", "V8", "i4,f8"),
)


def pick(random: Generator, options: Any) -> Any:
    """One of the options, as it is."""
    return options[int(random.integers(len(options)))]


def cast(array: np.ndarray, dtype: str) -> np.ndarray:
    """The same in another type, however little sense that makes."""
    with np.errstate(all="ignore"):
        try:
            return array.astype(dtype)
        except (TypeError, ValueError, OverflowError):
            return np.zeros(array.shape, dtype)


def laid_out(random: Generator, array: np.ndarray) -> np.ndarray:
    """The same values in memory in another way: strided, reversed, broadcast, unaligned, read-only."""
    way = int(random.integers(12))
    if way == 0:
        return np.repeat(array, 2, axis=0)[::2]
    if way == 1:
        return array[::-1]
    if way == 2 and array.ndim == 1 and array.size:
        return np.broadcast_to(array[:1], array.shape)
    if way == 3 and array.dtype != object:
        record = np.zeros(array.shape, dtype=[("odd", "u1"), ("field", array.dtype)])
        record["field"] = array
        return record["field"]
    if way == 4:
        return np.asfortranarray(array)
    if way == 5:
        array = array.copy()
        array.flags.writeable = False
    return array


def numbers(random: Generator, n: int, dtypes: tuple[str, ...] = NUMBERS) -> np.ndarray:
    """An array of one dimension that a function of numbers must take, with whatever values."""
    dtype = dtypes[0] if random.random() < 0.6 else pick(random, dtypes)
    return laid_out(random, cast(pick(random, CONTENTS)(random, n), dtype))


def matrix(random: Generator, rows: int, columns: int) -> np.ndarray:
    """An array of two dimensions that a function of rows must take."""
    flat = cast(pick(random, CONTENTS)(random, rows * columns), pick(random, NUMBERS))
    return laid_out(random, flat.reshape(rows, columns))


def counts(random: Generator, n: int) -> np.ndarray:
    """Counts on cells: few, none, or near the end of 64 bits."""
    kind = int(random.integers(5))
    if kind == 0:
        return laid_out(random, np.zeros(n, dtype=pick(random, ["int64", "uint64"])))
    if kind == 1:
        top = np.array([0, 1, 2**62, 2**63 - 1, 2**63, 2**64 - 1], dtype=np.uint64)
        return laid_out(random, random.choice(top, size=n))
    if kind == 2:
        return laid_out(random, random.integers(0, 2**53, size=n))
    return laid_out(random, random.integers(0, pick(random, [2, 10, 1000]), size=n))


def mask(random: Generator, n: int) -> np.ndarray | None:
    """Which values are missing: none, some, all."""
    share = pick(random, [None, 0.0, 0.2, 1.0])
    return None if share is None else laid_out(random, random.random(n) < share)


_TEXTS = ("", "a", "b", "c", "é", "e\u0301", "\U0001f600", "\0", "x" * 300, "other", "true", "1")


def labels(random: Generator, n: int) -> Any:
    """Labels in each of the forms that are taken."""
    texts = [pick(random, _TEXTS) for _ in range(n)]
    kind = int(random.integers(6))
    if kind == 0:
        return [None if random.random() < 0.2 else text for text in texts]
    if kind == 1:
        return np.array(texts, dtype="U4")
    if kind == 2:
        return np.array([float("nan") if random.random() < 0.2 else text for text in texts], dtype=object)
    if kind == 3:
        return random.integers(-3, 4, size=n)
    if kind == 4:
        return random.random(n) < 0.5
    return texts


SCALARS: tuple[Any, ...] = (
    *(
        0,
        1,
        -1,
        2,
        3,
        7,
        100,
        1000,
        10**5,
        10**9,
        2**31,
        2**32,
        2**53 + 1,
        2**63 - 1,
        2**63,
        2**64 - 1,
        2**64,
        -(2**63),
    ),
    *(10**30, -(10**30), 10**400),
    *(
        0.0,
        -0.0,
        0.5,
        1.0,
        1.5,
        -0.5,
        float("nan"),
        float("inf"),
        float("-inf"),
        5e-324,
        1e308,
        -1e308,
        1e-17,
        1 - 1e-16,
    ),
    *("", "x", "macro", "\ud800", None, True, False, 1j, b"", b"x", datetime.date(2024, 2, 29)),
    *(
        np.float64("nan"),
        np.float32(0.5),
        np.int64(-3),
        np.bool_(True),
        np.array(0.5),
        np.array([0.5]),
        np.array([0.5, 1]),
    ),
)
THINGS: tuple[Callable[[], Any], ...] = (
    list,
    dict,
    tuple,
    object,
    lambda: [1.0, 2.0],
    lambda: [[1], [2, 3]],
    lambda: int,
)


def scalar(random: Generator) -> Any:
    """A single value, rarely one that is asked for."""
    return pick(random, SCALARS)


def anything(random: Generator, n: int) -> Any:
    """An array of any type, shape and layout, or no array."""
    kind = int(random.integers(10))
    if kind == 0:
        return scalar(random)
    if kind == 1:
        return pick(random, THINGS)()
    if kind == 2:
        return np.ma.masked_array(random.normal(size=n), mask=random.random(n) < 0.3)
    if kind == 3:
        ragged = np.empty(n, dtype=object)
        ragged[:] = [list(range(at % 3)) for at in range(n)]
        return ragged
    if kind == 4:
        return pick(random, [["\ud800"] * n, [1] * n, [None] * n, [b"a"] * n, [float("nan")] * n, "text", range(n)])
    dtype = pick(random, OTHER_TYPES if random.random() < 0.7 else NUMBERS)
    size = pick(random, [0, 1, n, n, n + 1, 2 * n])
    array = cast(pick(random, CONTENTS)(random, size), dtype)
    shape = pick(random, [(-1,), (-1,), (-1,), (-1, 1), (1, -1), (1, -1, 1)])
    array = array.reshape(shape) if size else array
    return array[0] if size and random.random() < 0.05 else laid_out(random, array)
