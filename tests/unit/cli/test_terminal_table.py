"""Tables and facts on terminals, wide and narrow."""

from __future__ import annotations

from typing import Any

import pytest

from edge_aiops.cli.output import print_facts, print_table

ID = "01a2159a-4b88-7acd-b05b-25b3c1ef4515"
SENTENCE = "Requests take long: p95Latency of iris 1.2.0 is 812 ms, above 500 ms, over 5 minutes"
ALERTS = ("id", "severity", "since", "model", "what")


def print_alerts() -> None:
    rows = [(ID, "critical", "2026-01-31 12:00:00", "iris 1.2.0", SENTENCE), (ID, "info", "2026", "iris 1.2.0", None)]
    print_table(ALERTS, rows, whole=("id",), optional=("model", "since"), sentence=True)


def test_where_there_is_room_everything_stands_on_one_line(terminal: Any) -> None:
    shown = terminal(200)
    print_alerts()
    assert shown.lines[0].split() == list(ALERTS)
    assert shown.lines[1].endswith(f"iris 1.2.0  {SENTENCE}")


def test_a_sentence_stands_below_its_row_where_there_is_no_room_beside_it(terminal: Any) -> None:
    shown = terminal(100)
    print_alerts()
    heading, first, sentence, second = shown.lines
    assert heading.split() == ["id", "severity", "since", "model"]
    assert first == f"{ID}  critical  2026-01-31 12:00:00  iris 1.2.0"
    assert sentence == f"  {SENTENCE}"
    assert second.split() == [ID, "info", "2026", "iris", "1.2.0"]
    assert first.index("iris") == second.index("iris") == heading.index("model")


def test_a_narrow_terminal_does_without_the_optional_columns(terminal: Any) -> None:
    shown = terminal(70)
    print_alerts()
    assert shown.lines[0].split() == ["id", "severity", "since"]


@pytest.mark.parametrize("columns", [36, 40, 60, 80, 110, 140, 200])
def test_an_id_is_never_cut_and_nothing_is_wider_than_the_terminal(terminal: Any, columns: int) -> None:
    shown = terminal(columns)
    print_alerts()
    assert sum(ID in line for line in shown.lines) == 2
    assert max(map(len, shown.lines)) <= columns
    assert "…" not in shown.getvalue()


def test_words_without_room_go_on_on_the_next_line(terminal: Any) -> None:
    shown = terminal(20)
    print_table(("name", "kind"), [("a-name-that-is-long", "category")])
    assert "".join(line.split()[0] for line in shown.lines[1:]) == "a-name-that-is-long"


@pytest.mark.parametrize(("cell", "coloured"), [("drifted", True), ("OK", True), ("no", False), ("stable", False)])
def test_only_what_matters_has_a_colour(terminal: Any, cell: str, coloured: bool) -> None:
    shown = terminal(80)
    print_table(("found",), [(cell,)])
    assert ("\x1b" in shown.getvalue().splitlines()[1]) == coloured


def test_without_colours_a_terminal_has_the_same_table(terminal: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = terminal(100)
    monkeypatch.setenv("NO_COLOR", "1")
    print_alerts()
    assert "\x1b" not in shown.getvalue()
    assert shown.lines[2] == f"  {SENTENCE}"


def test_a_table_without_rows_is_a_heading(terminal: Any) -> None:
    shown = terminal(20)
    print_table(ALERTS[:2], [], sentence=True)
    assert shown.lines == ["id  severity"]


def test_long_facts_go_on_below_where_they_began(terminal: Any) -> None:
    shown = terminal(60)
    print_facts([("what", SENTENCE), ("id", ID), ("none", None)])
    assert shown.lines == [
        "what  Requests take long: p95Latency of iris 1.2.0 is 812",
        "      ms, above 500 ms, over 5 minutes",
        f"id    {ID}",
    ]
