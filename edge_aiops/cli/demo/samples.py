"""Real files of this very installation, whose kind is known by their ending."""

from __future__ import annotations

import hashlib
import sysconfig
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

KINDS = {
    ".py": "python",
    ".so": "elf",
    ".json": "json",
    ".png": "png",
    ".md": "markdown",
    ".csv": "csv",
    ".pyc": "pythonbytecode",
    ".pem": "pem",
    ".f90": "fortran",
    ".exe": "pebin",
    ".c": "c",
    ".gif": "gif",
    ".onnx": "onnx",
    ".npy": "npy",
    ".wav": "wav",
}
"""Endings, and what the model calls files that have them."""

OF_EACH_KIND = 3
LEAST_BYTES = 256
_DISTRIBUTIONS = ("numpy", "aiohttp", "sqlalchemy", "alembic", "onnxruntime", "magika", "rich", "pygments", "pip")
_STANDARD_LIBRARY = ("asyncio", "json", "email", "idlelib/Icons", "test/audiodata", "test/certdata")


class Sample(NamedTuple):
    """A file, its name for people, and what it is."""

    path: Path
    name: str
    truth: str


def samples() -> list[Sample]:
    """Some files of each kind, the same on every call, one kind after the other in turn."""
    found: dict[str, list[Sample]] = {ending: [] for ending in KINDS}
    for path, name in _candidates():
        if (ending := path.suffix.lower()) in KINDS:
            found[ending].append(Sample(path, name, KINDS[ending]))
    chosen = [_chosen(of_kind) for of_kind in found.values()]
    return [of_kind[turn] for turn in range(OF_EACH_KIND) for of_kind in chosen if turn < len(of_kind)]


def _chosen(candidates: list[Sample]) -> list[Sample]:
    # By a hash of the name: any choice is as good as another, as long as nobody made it to please.
    ranked = sorted(candidates, key=lambda sample: hashlib.sha256(sample.name.encode()).digest())
    large = (sample for sample in ranked if sample.path.is_file() and sample.path.stat().st_size >= LEAST_BYTES)
    return [sample for sample, _ in zip(large, range(OF_EACH_KIND), strict=False)]


def _candidates() -> Iterator[tuple[Path, str]]:
    for name in _DISTRIBUTIONS:
        try:
            files = distribution(name).files or []
        except PackageNotFoundError:
            continue
        yield from ((Path(str(file.locate())), str(file)) for file in files)
    library = Path(sysconfig.get_path("stdlib"))
    for name in _STANDARD_LIBRARY:
        yield from ((path, str(path.relative_to(library))) for path in (library / name).rglob("*"))
