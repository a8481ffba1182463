"""How commands print."""

from __future__ import annotations

from typing import Any

import pytest

from edge_aiops.cli.output import percent, print_facts, print_table, printable, shortened, size


def test_columns_of_a_plain_table_stand_below_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("name", "n"), [("a", 1), ("longer", None)])
    assert capsys.readouterr().out == "name    n\na       1\nlonger\n"


def test_facts_that_are_not_known_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    print_facts([("label", "cat"), ("outcome", None), ("id", 7)])
    assert capsys.readouterr().out == "label  cat\nid     7\n"


def test_what_others_wrote_does_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("label",), [("\x1b[2Jgone\r",)])
    assert "\x1b" not in capsys.readouterr().out
    assert printable("a\x1bb\nc") == "a\\x1bb\nc"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"input": [1, 2, 3]}, '{"input": [1, 2, 3]}'),
        ({"scores": [0.5] * 214}, '{"scores": [0.5, 0.5, 0.5, "... 214 values"]}'),
        (0.123456789, "0.123457"),
        ("x" * 300, '"' + "x" * 196 + "..."),
    ],
)
def test_long_values_are_shortened(value: Any, said: str) -> None:
    assert shortened(value) == said


@pytest.mark.parametrize(("value", "said"), [(0.5, "50.0 %"), (None, None), ([1, 0.25], '["100.0 %", "25.0 %"]')])
def test_a_confidence_is_said_in_percent(value: Any, said: str | None) -> None:
    assert percent(value) == said


@pytest.mark.parametrize(("value", "said"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (2**41, "2.0 TiB")])
def test_sizes_have_the_unit_that_fits(value: int, said: str) -> None:
    assert size(value) == said
