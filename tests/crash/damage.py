"""What flash, cables and people do to database files."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

PAGE = 4_096

Damage = Callable[[Path, random.Random], None]
"""Something that happens to the database file, or to what stands beside it."""


def _log(file: Path) -> Path:
    return file.with_name(file.name + "-wal")


def _write(file: Path, offset: int, content: bytes) -> None:
    with file.open("r+b") as opened:
        opened.seek(offset)
        opened.write(content)


def _page(file: Path, chance: random.Random) -> int:
    """The offset of one of the file's pages."""
    return chance.randrange(max(file.stat().st_size // PAGE, 1)) * PAGE


def flipped_bits(file: Path, chance: random.Random) -> None:
    content = bytearray(file.read_bytes())
    for _ in range(chance.choice([1, 1, 3, 20, 300]) if content else 0):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    file.write_bytes(content)


def flipped_header(file: Path, chance: random.Random) -> None:
    content = bytearray(file.read_bytes())
    for _ in range(chance.randrange(1, 4) if len(content) >= 100 else 0):
        content[chance.randrange(100)] ^= 1 << chance.randrange(8)
    file.write_bytes(content)


def garbage_inside(file: Path, chance: random.Random) -> None:
    size = file.stat().st_size
    _write(file, chance.randrange(size or 1), chance.randbytes(chance.randrange(1, 2 * PAGE)))


def garbage_first_page(file: Path, chance: random.Random) -> None:
    _write(file, 0, chance.randbytes(chance.choice([16, 100, 512, PAGE])))


def zeroed_pages(file: Path, chance: random.Random) -> None:
    for _ in range(chance.choice([1, 1, 5])):
        _write(file, _page(file, chance), bytes(PAGE))


def zeroed_sector(file: Path, chance: random.Random) -> None:
    _write(file, _page(file, chance) + 512 * chance.randrange(8), bytes(512))


def swapped_pages(file: Path, chance: random.Random) -> None:
    one, other = _page(file, chance), _page(file, chance)
    content = file.read_bytes()
    _write(file, one, content[other : other + PAGE])
    _write(file, other, content[one : one + PAGE])


def repeated_page(file: Path, chance: random.Random) -> None:
    one, other = _page(file, chance), _page(file, chance)
    _write(file, one, file.read_bytes()[other : other + PAGE])


def cut_short(file: Path, chance: random.Random) -> None:
    with file.open("r+b") as opened:
        opened.truncate(chance.randrange(file.stat().st_size + 1))


def cut_to_nothing(file: Path, chance: random.Random) -> None:
    file.write_bytes(b"")


def garbage_appended(file: Path, chance: random.Random) -> None:
    with file.open("ab") as opened:
        opened.write(chance.randbytes(chance.choice([1, 100, PAGE, 10 * PAGE])))


def replaced_by_garbage(file: Path, chance: random.Random) -> None:
    file.write_bytes(chance.randbytes(chance.randrange(1, 20 * PAGE)))


def removed(file: Path, chance: random.Random) -> None:
    file.unlink()


def lost_log(file: Path, chance: random.Random) -> None:
    _log(file).unlink(missing_ok=True)


def garbage_log(file: Path, chance: random.Random) -> None:
    _log(file).write_bytes(chance.randbytes(chance.randrange(1, 20 * PAGE)))


def flipped_log(file: Path, chance: random.Random) -> None:
    if _log(file).exists():
        flipped_bits(_log(file), chance)


def cut_log(file: Path, chance: random.Random) -> None:
    if _log(file).exists():
        cut_short(_log(file), chance)


def another_log(file: Path, chance: random.Random) -> None:
    """The log of the neighbour: sound, and of another database."""
    neighbour = file.with_name("events.db-wal" if file.name == "state.db" else "state.db-wal")
    if neighbour.exists():
        _log(file).write_bytes(neighbour.read_bytes())


def garbage_index(file: Path, chance: random.Random) -> None:
    file.with_name(file.name + "-shm").write_bytes(chance.randbytes(32_768))


def garbage_journal(file: Path, chance: random.Random) -> None:
    head = bytes.fromhex("d9d505f920a163d7") if chance.random() < 0.5 else b""
    file.with_name(file.name + "-journal").write_bytes(head + chance.randbytes(3 * PAGE))


DAMAGES: tuple[Damage, ...] = (
    flipped_bits,
    flipped_header,
    garbage_inside,
    garbage_first_page,
    zeroed_pages,
    zeroed_sector,
    swapped_pages,
    repeated_page,
    cut_short,
    cut_to_nothing,
    garbage_appended,
    replaced_by_garbage,
    removed,
    lost_log,
    garbage_log,
    flipped_log,
    cut_log,
    another_log,
    garbage_index,
    garbage_journal,
)


def at_random(file: Path, chance: random.Random) -> str:
    """Do one or some of `DAMAGES`; gives their names."""
    names = []
    for damage in chance.sample(DAMAGES, chance.choice([1, 1, 1, 2, 3])):
        if file.exists():
            damage(file, chance)
            names.append(damage.__name__)
    return " + ".join(names)
