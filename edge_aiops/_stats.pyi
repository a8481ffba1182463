# Types of the extension module; its docstrings are in rust_stats/python/src. stubtest holds the two together.
from typing import ClassVar, Literal, Self, final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "IncompatibleSummaries",
    "Moments",
    "ResultWarning",
    "SortedReference",
    "TestResult",
    "UnreadableSummary",
    "anderson_darling_test",
    "cramer_von_mises_test",
    "energy_distance",
    "kolmogorov_upper",
    "ks_test",
    "mann_whitney_test",
    "moments",
    "wasserstein_distance",
]

class UnreadableSummary(ValueError): ...
class IncompatibleSummaries(ValueError): ...

@final
class ResultWarning:
    __hash__: ClassVar[None]  # type: ignore[assignment]  # equal by value, and not meant as a key
    def __eq__(self, other: object, /) -> bool: ...
    @property
    def code(self) -> str: ...
    @property
    def message(self) -> str: ...

@final
class TestResult:
    __hash__: ClassVar[None]  # type: ignore[assignment]  # equal by value, and not meant as a key
    def __eq__(self, other: object, /) -> bool: ...
    @property
    def method(self) -> str: ...
    @property
    def statistic(self) -> float | None: ...
    @property
    def p_value(self) -> float | None: ...
    @property
    def effect_size(self) -> float | None: ...
    @property
    def effect(self) -> str: ...
    @property
    def n_reference(self) -> int: ...
    @property
    def n_current(self) -> int: ...
    @property
    def warnings(self) -> list[ResultWarning]: ...

@final
class Moments:
    __hash__: ClassVar[None]  # type: ignore[assignment]  # equal by value, and not meant as a key
    def __new__(cls) -> Self: ...
    @staticmethod
    def from_bytes(data: bytes) -> Moments: ...
    def to_bytes(self) -> bytes: ...
    def merge(self, other: Moments) -> Moments: ...
    def __add__(self, other: Moments, /) -> Moments: ...
    def __radd__(self, other: Moments, /) -> Moments: ...
    def __eq__(self, other: object, /) -> bool: ...
    @property
    def count(self) -> int: ...
    @property
    def missing(self) -> int: ...
    @property
    def nan(self) -> int: ...
    @property
    def infinite(self) -> int: ...
    @property
    def total(self) -> int: ...
    @property
    def mean(self) -> float | None: ...
    @property
    def variance(self) -> float | None: ...
    @property
    def standard_deviation(self) -> float | None: ...
    @property
    def minimum(self) -> float | None: ...
    @property
    def maximum(self) -> float | None: ...

def moments(
    values: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
    *,
    missing: NDArray[np.bool_] | None = None,
) -> Moments: ...

_Column = NDArray[np.float64 | np.float32 | np.int64 | np.bool_]

@final
class SortedReference:
    def __new__(cls, values: _Column, *, missing: NDArray[np.bool_] | None = None) -> Self: ...
    @property
    def count(self) -> int: ...
    @property
    def left_out(self) -> int: ...

def ks_test(
    reference: _Column | SortedReference,
    current: _Column,
    *,
    method: Literal["auto", "exact", "asymptotic"] = "auto",
    missing_reference: NDArray[np.bool_] | None = None,
    missing_current: NDArray[np.bool_] | None = None,
) -> TestResult: ...
def wasserstein_distance(
    reference: _Column | SortedReference,
    current: _Column,
    *,
    missing_reference: NDArray[np.bool_] | None = None,
    missing_current: NDArray[np.bool_] | None = None,
) -> TestResult: ...
def energy_distance(
    reference: _Column | SortedReference,
    current: _Column,
    *,
    missing_reference: NDArray[np.bool_] | None = None,
    missing_current: NDArray[np.bool_] | None = None,
) -> TestResult: ...
def cramer_von_mises_test(
    reference: _Column | SortedReference,
    current: _Column,
    *,
    missing_reference: NDArray[np.bool_] | None = None,
    missing_current: NDArray[np.bool_] | None = None,
) -> TestResult: ...
def mann_whitney_test(
    reference: _Column | SortedReference,
    current: _Column,
    *,
    missing_reference: NDArray[np.bool_] | None = None,
    missing_current: NDArray[np.bool_] | None = None,
) -> TestResult: ...
def anderson_darling_test(*samples: _Column) -> TestResult: ...
def kolmogorov_upper(x: float, /) -> float: ...
