"""Two data files are compared from the command line: what a user reads, what a program gets, what goes wrong."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from edge_aiops.cli.main import main

MARKUP = "<script>alert('1')</script> & \"π\""
DAY_S = 86_400


class Ended(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


Compare = Callable[..., Ended]


@pytest.fixture
def compare(capsys: pytest.CaptureFixture[str]) -> Compare:
    """Runs `edge-aiops stats compare`."""

    def run(*arguments: object) -> Ended:
        capsys.readouterr()
        code = main(["stats", "compare", *map(str, arguments)])
        return Ended(code, *capsys.readouterr())

    return run


def measured(rows: int, *, drifts: bool) -> pa.Table:
    """Readings of a device; where it drifts, it is warmer, somebody unheard of appears, and readings get lost."""
    random = np.random.default_rng(7 + drifts)
    lost = random.random(rows) < (0.3 if drifts else 0.02)
    countries = random.choice(["DE", "FR", "UA"], rows, p=[0.5, 0.3, 0.2] if drifts else [0.6, 0.4, 0.0])
    return pa.table(
        {
            "id": [f"{number:016x}" for number in random.integers(0, 2**62, rows)],
            "temperature": random.normal(22.5 if drifts else 21.0, 2.0, rows).round(3),
            "humidity": random.normal(55.0, 9.0, rows).round(3),
            "pressure": pa.array(random.normal(1013.0, 8.0, rows).round(2), mask=lost),
            "doors": random.integers(0, 5, rows),
            "country": countries,
            "on": random.random(rows) < 0.5,
            "at": pa.array((random.random(rows) * DAY_S).astype(np.int64) + 1_700_000_000, pa.timestamp("s")),
            MARKUP: random.normal(0.0, 1.0, rows).round(3),
        }
    )


def named(report: Any) -> dict[str, Any]:
    """The features of a report by their names."""
    return {feature["name"]: feature for feature in report["features"]}


def write(table: pa.Table, path: Path) -> Path:
    """The table in the format that the name of `path` says."""
    if path.suffix == ".parquet":
        parquet.write_table(table, path)
    elif path.suffix == ".csv":
        csv.write_csv(table, path)
    else:
        rows = [{name: value for name, value in row.items() if value is not None} for row in table.to_pylist()]
        lines = "".join(json.dumps({**row, "at": row["at"].isoformat()}) + "\n" for row in rows)
        path.write_bytes(gzip.compress(lines.encode()) if path.suffix == ".gz" else lines.encode())
    return path


@pytest.fixture
def files(tmp_path: Path) -> Callable[[str, str], tuple[Path, Path]]:
    """Writes the reference and the current readings, each in its format."""

    def written(reference: str, current: str) -> tuple[Path, Path]:
        return (
            write(measured(3000, drifts=False), tmp_path / f"reference.{reference}"),
            write(measured(1500, drifts=True), tmp_path / f"current.{current}"),
        )

    return written


def test_people_read_what_drifted_and_by_how_much(compare: Compare, files: Any) -> None:
    ended = compare(*files("csv", "csv"))
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("3 of 8 features drifted\n")
    assert re.search(r"^reference +\S+reference\.csv: 3,000 rows", ended.out, re.MULTILINE)
    table = {line.split("  ")[0]: line for line in ended.out.splitlines()}
    assert re.search(r"drifted.* 21(\.\d+)? → 22\.\d", table["temperature"])
    assert re.search(r"drifted.* [12]\.\d % → (2[89]|3\d)\.\d %", table["pressure"])
    assert "drifted" in table["country"]
    assert all("drifted" not in table[name] for name in ("humidity", "doors", "on", "at", MARKUP))
    assert "not compared: id: nearly every text" in ended.out
    assert "\x1b" not in ended.out


@pytest.mark.parametrize(("reference", "current"), [("parquet", "jsonl"), ("jsonl.gz", "csv"), ("csv", "parquet")])
def test_every_format_gives_the_same_result(compare: Compare, files: Any, reference: str, current: str) -> None:
    def features(*formats: str) -> Any:
        return json.loads(compare(*files(*formats), "--json", "--sample", "1000").out)["features"]

    assert features(reference, current) == features("csv", "csv")


def test_a_program_gets_everything_as_json(compare: Compare, files: Any) -> None:
    report = json.loads(compare(*files("parquet", "parquet"), "--json", "--alpha", "0.01", "--bins", "16").out)
    assert set(report["drifted"]) == {"temperature", "pressure", "country"}
    assert report["settings"] == {"alpha": 0.01, "minEffect": 0.1, "bins": 16, "sampleRows": 3000, "seed": 0}
    assert (report["reference"]["rows"], report["current"]["rows"]) == (3000, 1500)
    features = named(report)
    assert [features[name]["drifted"] for name in report["drifted"]] == [True] * 3
    bins = features["temperature"]["distribution"]
    assert len(bins["edges"]) == 17
    assert (sum(bins["reference"]), sum(bins["current"])) == (3000, 1500)
    assert sum(bins["histograms"]["current"]) == pytest.approx(1.0, abs=0.05)
    assert features["pressure"]["current"]["missing"] == pytest.approx(450, abs=60)
    assert features["doors"]["distribution"]["values"] == [0, 1, 2, 3, 4]
    shares = features["country"]["distribution"]
    assert shares["labels"] == ["DE", "FR", "UA"]
    assert shares["reference"][2] == 0 < shares["current"][2]
    assert features["temperature"]["tests"]["ks"]["pValue"] < 1e-6
    assert features["on"]["kind"] == "flag"
    assert features["at"]["kind"] == "time"


def test_a_page_is_whole_by_itself_and_shows_every_feature(compare: Compare, files: Any, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    ended = compare(*files("csv", "jsonl"), "--html", path)
    assert f"written: {path}" in ended.out
    content = path.read_text("utf-8")
    page = ET.fromstring(content.removeprefix("<!DOCTYPE html>\n"))
    assert page.find("body/header/h1").text == "3 of 8 features drifted"  # type: ignore[union-attr]
    named = {heading.text for heading in page.iter("h3")}
    assert named == {"temperature", "humidity", "pressure", "doors", "country", "on", "at", MARKUP}
    assert not list(page.iter("script"))
    assert not re.search(r"https?:|src=|@import|url\(", content)
    targets = {element.get("id") for element in page.iter() if element.get("id")}
    links = [link.get("href", "") for link in page.iter("a")]
    assert links
    assert {link.removeprefix("#") for link in links} <= targets
    pictures = list(page.iter("svg"))
    assert len(pictures) >= 8
    assert all(picture.get("role") == "img" and picture.get("aria-label") for picture in pictures)
    assert all(heading.get("scope") for heading in page.iter("th"))
    assert "prefers-color-scheme: dark" in content


def test_a_picture_has_no_more_bars_than_its_values_can_fill(compare: Compare, tmp_path: Path) -> None:
    def bars(rows: int) -> int:
        values = np.random.default_rng(0).normal(0, 1, rows)
        np.savetxt(tmp_path / "a.csv", values, header="a", comments="")
        compare(tmp_path / "a.csv", tmp_path / "a.csv", "--html", tmp_path / "page.html")
        page = ET.fromstring((tmp_path / "page.html").read_text("utf-8").removeprefix("<!DOCTYPE html>\n"))
        (histogram,) = [path for path in page.iterfind(".//figure//path") if path.get("class") == "r-area"]
        return histogram.get("d", "").count("H")

    assert bars(40) == 8
    assert bars(1_000) == 24
    assert bars(20_000) == 48


def test_no_name_and_no_share_breaks_the_page(compare: Compare, tmp_path: Path) -> None:
    heading = """"\x1b[31m","<b>&'""\",rare,gaps"""
    rows = [f"{number},{number},often,1" for number in range(3000)]
    (tmp_path / "a.csv").write_text("\n".join([heading, "0,0,once,", *rows]))
    ended = compare(tmp_path / "a.csv", tmp_path / "a.csv", "--html", tmp_path / "page.html")
    assert (ended.code, ended.err) == (0, "")
    assert "\x1b" not in ended.out
    page = ET.fromstring((tmp_path / "page.html").read_text("utf-8").removeprefix("<!DOCTYPE html>\n"))
    assert [heading.text for heading in page.iter("h3")].count("<b>&'\"") == 1
    assert "< 0.1 %" in "".join(page.itertext())


def test_times_of_every_age_are_told(compare: Compare, tmp_path: Path) -> None:
    column = pa.array([-(10**11), -(10**10), 0, 10**9, 10**11], pa.timestamp("s"))
    parquet.write_table(pa.table({"at": column}), tmp_path / "a.parquet")
    ended = compare(tmp_path / "a.parquet", tmp_path / "a.parquet", "--html", tmp_path / "page.html")
    assert (ended.code, ended.err) == (0, "")
    page = (tmp_path / "page.html").read_text("utf-8")
    assert '<td class="right">-1e+11</td>' in page


def test_a_pipeline_fails_on_drift_only_if_it_asks(compare: Compare, files: Any) -> None:
    reference, current = files("csv", "csv")
    assert compare(reference, current).code == 0
    assert compare(reference, current, "--fail-on-drift").code == 3
    assert compare(reference, reference, "--fail-on-drift").code == 0
    assert compare(reference, current, "--fail-on-drift", "--columns", "humidity,doors").code == 0
    assert compare(reference, current, "--fail-on-drift", "--effect", "50").code == 0


def test_columns_are_chosen_and_taken_as_asked(compare: Compare, files: Any) -> None:
    reference, current = files("csv", "parquet")

    def kinds(*options: str) -> dict[str, str]:
        report = json.loads(compare(reference, current, "--json", *options).out)
        return {feature["name"]: feature["kind"] for feature in report["features"]}

    assert kinds("--columns", "doors,humidity") == {"doors": "number", "humidity": "number"}
    assert "at" not in kinds("--exclude", "at")
    assert kinds("--columns", "doors", "--categorical", "doors") == {"doors": "label"}
    assert kinds("--columns", "on", "--numeric", "on") == {"on": "number"}
    assert kinds("--columns", "id", "--categorical", "id") == {"id": "label"}


def test_a_sample_cuts_the_bins_but_every_row_is_counted(compare: Compare, files: Any) -> None:
    reference, current = files("parquet", "csv")

    def report(*options: str) -> Any:
        return json.loads(compare(reference, current, "--json", "--sample", "500", *options).out)

    first, again, other = report(), report(), report("--seed", "1")
    assert first["features"] == again["features"]
    bins = [named(each)["humidity"]["distribution"] for each in (first, other)]
    assert bins[0]["edges"] != bins[1]["edges"]
    assert first["settings"]["sampleRows"] == 500
    assert sum(bins[0]["reference"]) == 3000


def test_what_is_no_number_is_missing_where_numbers_are_asked_for(compare: Compare, tmp_path: Path) -> None:
    rows = "\n".join("error" if number == 40 else str(number % 20) for number in range(200))
    (tmp_path / "dirty.csv").write_text(f"a\n{rows}\n")
    (tmp_path / "clean.csv").write_text("a\n" + "\n".join(str(number % 20) for number in range(200)))
    refused = compare(tmp_path / "clean.csv", tmp_path / "dirty.csv")
    assert refused.code == 1
    assert "dirty.csv, line 42: 'error' in column 'a' is no number" in refused.err
    assert "--numeric 'a'" in refused.err
    taken = json.loads(compare(tmp_path / "clean.csv", tmp_path / "dirty.csv", "--numeric", "a", "--json").out)
    assert taken["features"][0]["current"]["missing"] == 1
    assert "1 value in" in taken["features"][0]["notes"][-1]
    assert "'error' on line 42" in taken["features"][0]["notes"][-1]


def test_a_column_without_values_in_the_reference_is_compared_by_what_is_missing(
    compare: Compare, tmp_path: Path
) -> None:
    (tmp_path / "none.csv").write_text("a,b\n" + ",x\n" * 500)
    (tmp_path / "some.csv").write_text("a,b\n" + "".join(f"{number},x\n" for number in range(500)))
    report = json.loads(compare(tmp_path / "none.csv", tmp_path / "some.csv", "--json").out)
    assert report["drifted"] == ["a"]
    assert report["features"][0]["distribution"]["labels"] == ["(a value)"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("nothing.csv", None, "cannot read {path}: No such file"),
        ("empty.csv", "", "{path} is empty"),
        ("heading.csv", "a,b\n", "{path} has no rows"),
        ("other.csv", "c,d\n1,2\n", "no column is in both files"),
        ("twice.csv", "a,b,a\n1,2,3\n", "columns 1 and 3 are both called 'a'; rename"),
        ("ragged.csv", "a,b\n1,x\n\n2\n3,y\n", "{path}, line 4: 1 field where the heading has 2: '2'"),
        ("open.csv", 'a,b\n1,x\n2,"y\n3,x\n', "{path}, line 3: a quotation mark is not closed"),
        ("text.csv", "a,b\nwarm,x\n", "{path}, line 2: 'warm' in column 'a' is no number"),
        ("latin.csv", b"a,b\n1,\xe4\n", "convert it to UTF-8"),
        ("data.txt", "a,b\n1,x\n", "say it with --format"),
        ("broken.parquet", "PAR1 but no more", "{path} cannot be read as Parquet"),
        ("broken.jsonl", '{"a": 1, "b": "x"}\n{"a": 2', "{path}, line 2: '{\"a\": 2' is no JSON"),
        ("number.jsonl", '{"a": 1, "b": "x"}\n\n17\n', "{path}, line 3: '17' is no JSON object"),
        ("list.json", '[{"a": 1, "b": "x"}]', "jq -c '.[]'"),
        ("mixed.jsonl", '{"a": 1, "b": "x"}\n{"a": "warm"}\n', "{path}, line 2: 'warm' in column 'a' is no number"),
        ("typed.jsonl", '{"a": 1, "b": 2}\n', "{path}, line 1: '2' in column 'b' is no text"),
        ("cut.csv.gz", gzip.compress(b"a,b\n1,x\n" * 999, mtime=0)[:40], "{path} cannot be read as CSV"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_place_value_and_remedy(
    compare: Compare, tmp_path: Path, name: str, content: str | bytes | None, said: str
) -> None:
    good, path = tmp_path / "good.csv", tmp_path / name
    good.write_text("a,b\n" + "".join(f"{number},{'xy'[number % 2]}\n" for number in range(50)))
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    ended = compare(good, path)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("error: ")
    assert said.replace("{path}", str(path)) in ended.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--columns", "temprature"], "did you mean 'temperature'?"),
        (["--numeric", "on", "--categorical", "on"], "cannot be both"),
        (["--exclude", ",".join(measured(1, drifts=False).column_names)], "no column is left"),
        (["--html", "no/such/folder/report.html"], "cannot write no/such/folder/report.html"),
    ],
)
def test_wishes_that_cannot_be_fulfilled_are_refused(
    compare: Compare, files: Any, options: list[str], said: str
) -> None:
    ended = compare(*files("csv", "csv"), *options)
    assert ended.code == 1
    assert said in ended.err


@pytest.mark.parametrize("options", [["--alpha", "1"], ["--alpha", "x"], ["--bins", "1"], ["--effect", "-1"]])
def test_numbers_that_make_no_sense_are_errors_of_usage(compare: Compare, options: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        compare("a.csv", "b.csv", *options)
    assert ended.value.code == 2


def test_files_of_windows_and_of_other_delimiters_are_read(compare: Compare, tmp_path: Path) -> None:
    rows = [(str(number), "xy"[number % 2]) for number in range(60)]
    lines = ["a,b", *map(",".join, rows)]
    (tmp_path / "unix.csv").write_text("\n".join(lines))
    (tmp_path / "windows.csv").write_bytes(("\ufeff" + "\r\n".join(lines) + "\r\n").encode())
    (tmp_path / "semicolons.csv").write_text("\n".join(lines).replace(",", ";"))
    (tmp_path / "tabs.tsv").write_text("\n".join(lines).replace(",", "\t"))
    (tmp_path / "unnamed.data").write_text("\n".join(lines))
    for name in ("windows.csv", "semicolons.csv", "tabs.tsv"):
        assert compare(tmp_path / "unix.csv", tmp_path / name).out.startswith("None of 2 features drifted"), name
    assert compare(tmp_path / "unnamed.data", tmp_path / "unix.csv", "--format", "csv").code == 0


PEAK = """
import sys
from edge_aiops.cli.main import main
code = main(["stats", "compare", *sys.argv[1:], "--json"])
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(peak.split()[1], file=sys.stderr)
sys.exit(code)
"""


def test_memory_does_not_grow_with_the_files(tmp_path: Path) -> None:
    def peak_mb(copies: int) -> float:
        """With files of so many times the same 100,000 rows."""
        path = tmp_path / f"{copies}.parquet"
        with parquet.ParquetWriter(path, part.schema) as writer:
            for _ in range(copies):
                writer.write_table(part)
        command = [sys.executable, "-c", PEAK, str(path), str(path), "--sample", "20000", "--exclude", "id"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert json.loads(done.stdout)["current"]["rows"] == copies * part.num_rows
        return int(done.stderr) / 1024

    part = measured(100_000, drifts=False)
    assert peak_mb(15) < peak_mb(5) + 60  # Ten parts more are 70 MB of numbers and texts.


def test_a_long_comparison_shows_its_progress_where_somebody_watches(
    files: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from edge_aiops.cli.compare import progress

    monkeypatch.setattr(progress, "QUIET_S", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main(["stats", "compare", *map(str, files("csv", "jsonl"))]) == 0
    assert "comparing" in capsys.readouterr().err


def test_a_terminal_shows_small_pictures_of_the_distributions(
    files: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["stats", "compare", *map(str, files("csv", "csv"))]) == 0
    assert re.search("▁.*█", capsys.readouterr().out)


def test_without_pyarrow_it_says_what_to_install(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n")
    code = (
        "import sys; sys.modules['pyarrow'] = None\nfrom edge_aiops.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "stats", "compare", path, path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "pip install 'edge-aiops[compare]'" in done.stderr
