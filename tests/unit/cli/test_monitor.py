"""The terminal view: what it says, and that it fits."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from edge_aiops.cli.monitor import plain, words
from edge_aiops.cli.monitor.screen import Screen

FROM_MS = 1_795_657_000_000


def version(
    name: str = "california-housing", *, requests: int = 400, drift: Any = (), quality: Any = None, **more: Any
) -> dict[str, Any]:
    """A version as `GET /monitoring/overview` shows it, with requests in each other slice."""
    slices = [
        {"start": FROM_MS + number * 10_000, "requests": requests // 15, "errors": 0, "p95LatencyMs": 1.0 + number}
        for number in range(0, 30, 2)
    ]
    none = requests == 0
    realtime: dict[str, Any] = {
        "modelName": name,
        "modelVersion": "1.2.0",
        "windowMs": 295_000,
        "from": FROM_MS,
        "to": FROM_MS + 295_000,
        "slices": [] if none else slices,
        "requests": requests,
        "errors": 0,
        "throughput": requests / 295,
        "errorsByCode": {},
        **dict.fromkeys(("errorRate", "meanConfidence", "minConfidence"), None if none else 0.25),
        **dict.fromkeys(("meanLatencyMs", "p50LatencyMs", "p95LatencyMs", "p99LatencyMs"), None if none else 12.345),
        **dict.fromkeys(("maxLatencyMs", "meanQueueMs", "p95QueueMs", "meanBatchRows"), None if none else 1_234.5),
        **dict.fromkeys(("maxBatchRows", "lastEventAt"), None if none else 64),
        **more,
    }
    return {"stage": "production", "realtime": realtime, "drift": list(drift), "quality": quality}


def drifted(drift_type: str, score: float | None, *, drifted: bool = False, confirmed: bool = False) -> dict[str, Any]:
    return {
        "driftType": drift_type,
        "score": score,
        "drifted": drifted or confirmed,
        "confirmed": confirmed,
        "driftedFeatures": [f"feature {number}" for number in range(7)] if drifted or confirmed else [],
    }


ALERT = {
    "severity": "critical",
    "firedAt": FROM_MS,
    "startedAt": FROM_MS,
    "acknowledged": True,
    "acknowledgedBy": "ops",
    "message": "Requests take long: p95Latency of california-housing 1.2.0 is 812 ms, above 500 ms, over 5 minutes",
}


def shown(*versions: dict[str, Any], width: int = 140, alerts: Any = (), **more: Any) -> list[str]:
    """What stands on a terminal of this width, line by line."""
    console = Console(width=width, file=io.StringIO(), record=True, force_terminal=True, highlight=False)
    overview = {"versions": list(versions), "alerts": list(alerts)}
    console.print(Screen(url="http://127.0.0.1:9926", overview=overview, at_ms=FROM_MS, **more))
    return [line.rstrip() for line in console.export_text().splitlines()]


BUSY = version(
    drift=[drifted("input", 0.512, confirmed=True), drifted("prediction", 0.3, drifted=True), drifted("concept", None)],
    quality={"score": 0.97, "violations": 2},
    errorsByCode={"model_failed": 12},
)


@pytest.mark.parametrize("width", [40, 80, 110, 140, 250])
@pytest.mark.parametrize("detailed", [False, True])
def test_it_fits_the_width_of_the_terminal(width: int, detailed: bool) -> None:
    lines = shown(BUSY, version(requests=0), width=width, alerts=[ALERT], detailed=detailed, trouble="x" * 100)

    assert max(map(len, lines)) <= width


@pytest.mark.parametrize("width", [80, 140])
def test_what_matters_of_each_version_is_there_at_any_width(width: int) -> None:
    text = " ".join(" ".join(shown(BUSY, width=width, alerts=[ALERT])).split())

    for said in (
        "california-housing",
        "1.2.0",
        "1.36",
        "25.0%",
        "12.3",
        "input 0.51",
        "2 violations",
        "1 alert firing",
    ):
        assert said in text
    assert "critical" in text and "(seen by ops)" in text


def test_a_wide_terminal_shows_more_than_a_narrow_one() -> None:
    wide, narrow = " ".join(shown(BUSY, width=140)), " ".join(shown(BUSY, width=80))

    for heading in ("stage", "p50 ms", "p99 ms"):
        assert heading in wide and heading not in narrow


def test_one_model_is_shown_in_detail() -> None:
    text = "\n".join(shown(BUSY, detailed=True))

    for said in ("model_failed 12", "up to 29.0 ms", "feature 3 and 3 more", "suspected", "drifted", "97.0%"):
        assert said in text


def test_a_version_without_requests_has_no_numbers_that_nobody_measured() -> None:
    text = "\n".join(shown(version(requests=0), detailed=True))

    assert "0.0 ms" not in text and "None" not in text and "nan" not in text


def test_trouble_is_said_beside_what_was_known_last() -> None:
    text = "\n".join(shown(BUSY, trouble="cannot reach http://127.0.0.1:9926: Connection refused"))

    assert "Connection refused; trying again" in text and "california-housing" in text


def test_without_models_it_says_what_to_do() -> None:
    assert "edge-aiops model register" in "\n".join(shown())
    assert "edge-aiops model register" in "\n".join(plain.lines({"versions": [], "alerts": []}))


def test_what_others_wrote_does_not_steer_the_terminal() -> None:
    hostile = {**ALERT, "message": "\x1b[2J gone", "acknowledgedBy": "[bold]\x07"}
    texts = [
        "\n".join(shown(BUSY, alerts=[hostile])),
        "\n".join(plain.lines({"versions": [BUSY], "alerts": [hostile]})),
    ]

    assert all("\x1b" not in text and "\x07" not in text and "\\x1b[2J gone" in text for text in texts)
    assert "[bold]\\x07" in texts[0]


def test_plain_text_has_a_row_a_version_and_a_line_an_alert() -> None:
    heading, busy, idle, alert = plain.lines({"versions": [BUSY, version("iris", requests=0)], "alerts": [ALERT]})

    assert heading.split()[:4] == ["model", "version", "stage", "requests"]
    assert busy.split()[:6] == ["california-housing", "1.2.0", "production", "400", "1.36", "25.0%"]
    assert idle.split()[3:] == ["0", "0.00", "-", "-", "-", "-", "-", "-"]
    assert alert.startswith("critical since ") and alert.endswith(ALERT["message"])


def test_plain_text_of_one_model_has_everything_that_the_screen_has() -> None:
    overview = {"versions": [BUSY, version("iris", requests=0)], "alerts": [ALERT]}

    told = plain.details(overview)

    busy, idle = "\n".join(told).split("\n\n")[:2]
    screen = "\n".join(shown(BUSY, detailed=True))
    for name, value in (line.split("  ", 1) for line in busy.splitlines()[1:]):
        words_on_screen = name.removesuffix(" drift").removesuffix(" by 10 s")
        assert words_on_screen in screen or name == "last request"
        assert value.split(", ")[0].strip() in screen or name == "last request"
    for said in ("california-housing 1.2.0  production", "failed with", "p95 waiting ms", "concept drift"):
        assert said in busy
    assert "drifted, score 0.51: feature 0, feature 1, feature 2, feature 3 and 3 more\n" in busy
    assert busy.endswith("2 violations, 97.0% valid")
    assert idle.startswith("iris 1.2.0") and "failed with" not in idle and "None" not in idle
    assert told[-1].startswith("critical since ") and told[-1].endswith(ALERT["message"])
    assert plain.details({"versions": [BUSY], "alerts": []})[-1].startswith("data ")


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([0.0, 1.0, 2.0, 4.0, 8.0], "▁▂▃▅█"),
        ([None, 5.0, None, 5.0, 0.0], " █ █▁"),
        ([0.0] * 5, "▁▁▁▁▁"),
        ([1.0, 2.0], "   ▅█"),
        ([9.0, 9.0, 1.0, 1.0, 1.0, 1.0, 2.0], "▅▅▅▅█"),
        ([], "     "),
    ],
)
def test_bars_are_as_tall_as_their_share_of_the_greatest(values: list[float | None], line: str) -> None:
    assert words.sparkline(values, width=5) == line


def test_slices_without_requests_are_zero_throughput_and_no_latency() -> None:
    realtime = version(requests=300)["realtime"]

    assert words.throughput_of(realtime) == [2.0, 0.0] * 15
    assert words.p95_of(realtime)[:3] == [1.0, None, 3.0]


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ([], ("-", "unknown")),
        ([drifted("input", None)], ("-", "unknown")),
        ([drifted("input", 0.01), drifted("concept", None)], ("none", "ok")),
        ([drifted("input", 0.25, drifted=True)], ("input 0.25?", "warning")),
        ([drifted("input", 0.25, confirmed=True), drifted("concept", 0.1, drifted=True)], ("input 0.25", "critical")),
        (
            [drifted(name, 0.5, confirmed=True) for name in ("input", "prediction", "concept")],
            ("input 0.50, prediction 0.50 +1", "critical"),
        ),
    ],
)
def test_drift_is_said_once_it_is_suspected_and_loudly_once_it_is_confirmed(
    states: list[dict[str, Any]], said: tuple[str, str]
) -> None:
    assert words.drift(states, most=2) == said


def test_many_alerts_leave_room_for_the_models() -> None:
    alerts = [{**ALERT, "message": f"alert {number}"} for number in range(39)]
    alerts += [{**ALERT, "message": "a new one", "severity": "info"}]

    lines = shown(BUSY, alerts=alerts)

    assert [line.split()[-1] for line in lines if line.startswith("critical")] == ["ops)"] * 5
    assert any("alert 38 " in line for line in lines) and not any("alert 33 " in line for line in lines)
    assert any(line.startswith("and 35 more") for line in lines)
    assert any("california-housing" in line for line in lines)


def test_a_terminal_of_ascii_gets_ascii() -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    overview = {"versions": [BUSY], "alerts": []}

    for detailed in (False, True):
        Console(width=140, file=out, force_terminal=True).print(
            Screen(url="http://127.0.0.1:9926", overview=overview, at_ms=FROM_MS, detailed=detailed)
        )

    out.flush()
    assert b"#" in out.buffer.getvalue()  # type: ignore[attr-defined]  # a BytesIO
