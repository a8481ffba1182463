"""A case: what one contender does for one figure. Its inputs are prepared untimed; the work that it gives is timed.

Read by every contender's Python, so it needs nothing but the standard library.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Work = Callable[[], object]
"""Does what is timed. A float that it returns is the answer: held against the others', or, for sizes, the figure."""


@dataclass(frozen=True, slots=True)
class Case:
    """One contender's way to one figure.

    Args:
        figure: the key of the figure, in benchmarks/statistics/figures.py or benchmarks/monitoring/figures.py.
        label: what the row calls the contender.
        prepare: makes the inputs and gives the work. It imports what it needs itself, because the case is also read
            by a Python that does not have the peer.
        scale: what the measured time is multiplied by: 10 where a tenth of the figure's work is done, 1e-6 where a
            million are done and the figure is for one.
        once: whether it is so slow that it runs a single time, without a warm-up.
    """

    figure: str
    label: str
    prepare: Callable[[], Work]
    scale: float = 1
    once: bool = False
