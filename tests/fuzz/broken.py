"""Cases that go wrong in each way that the hunt must tell of, one after the other."""

from __future__ import annotations

import os
import time

from .cases import Fault, timed


class Case:
    """What goes wrong depends on the number."""

    def __init__(self, seed: int, number: int) -> None:
        self.number = number
        self.seen: set[str] = set()
        self.outcome = "nothing wrong"

    def run(self) -> None:
        """Go wrong, up to case 4."""
        if self.number == 0:
            raise Fault("not as promised")
        if self.number == 1:
            os.abort()
        if self.number == 2:
            time.sleep(60)
        if self.number == 3:
            _, error = timed("bytearray", {}, lambda: bytearray(2**34))
            raise Fault(repr(error))
        if self.number == 4:
            raise RuntimeError("a case may not raise this")
