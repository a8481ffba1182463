"""The memory that a node and its worker share is given out in blocks that do not overlap, and is bounded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from random import Random

import pytest

from edge_aiops.isolation import arena
from edge_aiops.isolation.arena import HALF_BYTES, Arena


@pytest.fixture
def inputs() -> Iterator[Arena]:
    made = Arena(arena.create(), inputs=True)
    yield made
    made.close()


def test_both_sides_see_the_same_bytes_and_give_out_different_halves() -> None:
    descriptor = arena.create()
    node, worker = Arena(os.dup(descriptor), inputs=True), Arena(descriptor, inputs=False)
    mine, theirs = node.take(10), worker.take(10)
    assert (mine, theirs) == (0, HALF_BYTES)
    node.memory[0:5] = b"hello"
    assert bytes(worker.memory[0:5]) == b"hello"
    node.close()
    worker.close()


def test_blocks_do_not_overlap_and_come_back(inputs: Arena) -> None:
    random = Random(0)
    taken: dict[int, int] = {}
    for _ in range(2_000):
        if taken and random.random() < 0.4:
            start = random.choice(list(taken))
            del taken[start]
            inputs.release(start)
        size = random.randrange(1, HALF_BYTES // 8)
        start = inputs.take(size)
        if start is None:
            continue
        assert 0 <= start <= HALF_BYTES - size
        assert all(start + size <= other or other + length <= start for other, length in taken.items())
        taken[start] = size
    for start in taken:
        inputs.release(start)
    assert inputs.take(HALF_BYTES) == 0


def test_there_is_no_more_than_there_is(inputs: Arena) -> None:
    assert inputs.take(HALF_BYTES + 1) is None
    assert inputs.take(HALF_BYTES) == 0
    assert inputs.take(1) is None


def test_large_blocks_do_not_keep_their_memory() -> None:
    descriptor = arena.create()
    inputs = Arena(os.dup(descriptor), inputs=True)
    inputs.take(HALF_BYTES)
    inputs.memory[:HALF_BYTES] = b"x" * HALF_BYTES
    assert os.fstat(descriptor).st_blocks * 512 == HALF_BYTES
    inputs.release(0)
    assert os.fstat(descriptor).st_blocks * 512 <= HALF_BYTES // 4
    inputs.close()
    os.close(descriptor)


def test_nobody_can_change_its_size() -> None:
    descriptor = arena.create()
    for size in (0, 10 * HALF_BYTES):
        with pytest.raises(PermissionError):
            os.ftruncate(descriptor, size)
    os.close(descriptor)
