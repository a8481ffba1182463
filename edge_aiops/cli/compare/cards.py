"""A feature as a card of the page: its verdict, pictures, numbers and tests."""

from __future__ import annotations

from edge_aiops.cli.compare import words
from edge_aiops.cli.compare.markup import column, row, table, text
from edge_aiops.cli.compare.pictures import pictures
from edge_aiops.stats.files.report import Feature, Numbers, Report

_BADGES = {"drifted": "drifted", "no data": "unknown"}

_PLACES = {
    "lowest": "minimum",
    "percentile 5": "percentile_5",
    "median": "median",
    "percentile 95": "percentile_95",
    "highest": "maximum",
}
"""Fields of `Numbers` that are values of the column, as they are called."""

_VERDICTS = {
    (True, True): "The difference is more than chance, and large enough to matter",
    (True, False): "There is a difference that is more than chance, but too small to matter",
    (False, True): "The difference looks large, but with so few values it can be chance",
    (False, False): "There is no difference beyond what chance makes",
}
"""What to say, by whether a difference is more than chance, and whether it is large."""


def card(feature: Feature, report: Report, place: int) -> str:
    """The card, with `place` in its address."""
    return (
        f'<article class="card" id="feature-{place}" aria-labelledby="name-{place}">'
        f'<header><h3 id="name-{place}">{text(feature.name)}</h3><span class="soft">{feature.kind}</span>'
        f'{badge(feature, report)}<a class="top small soft" href="#all">to the table</a></header>'
        f'<p class="verdict">{_verdict(feature, report)}</p>'
        f'<div class="body">{pictures(feature)}<div class="scroll">{_facts(feature)}</div></div>'
        f"{_tests(feature)}{_notes(feature)}</article>"
    )


def badge(feature: Feature, report: Report) -> str:
    """The verdict in a word."""
    said = words.verdict(feature, report)
    return f'<span class="badge {_BADGES.get(said, "same")}">{said}</span>'


def _verdict(feature: Feature, report: Report) -> str:
    if feature.p_value is None or feature.adjusted_p_value is None or feature.effect_size is None:
        return "There is not enough data on both sides to compare."
    numbers = f"PSI {words.effect(feature.effect_size)}, adjusted p {words.p_value(feature.adjusted_p_value)}"
    is_more_than_chance = feature.adjusted_p_value <= report.settings.alpha
    is_large = feature.effect_size >= report.settings.min_effect
    said = _VERDICTS[is_more_than_chance, is_large]
    return f"{said} <span class='soft'>({text(numbers)})</span>.{_missing(feature, report)}"


def _missing(feature: Feature, report: Report) -> str:
    """A sentence on missing values, where their share changed by more than chance."""
    test = feature.tests.get("missingness")
    if test is None or test.p_value is None or test.p_value > report.settings.alpha:
        return ""
    before, after = (words.percent(words.missing_share(side)) for side in (feature.reference, feature.current))
    return f" The share of missing values went from {text(before)} to {text(after)}."


def _facts(feature: Feature) -> str:
    columns = (column(""), column("reference", "right of-reference"), column("current", "right of-current"))
    sides = (feature.reference, feature.current)
    rows = [row("values", [f"{side.count:,}" for side in sides])]
    if isinstance(feature.reference, Numbers) and isinstance(feature.current, Numbers):
        numbers = (feature.reference, feature.current)
        rows.append(row("mean", [text(words.value_of(feature, side.mean)) for side in numbers]))
        rows.append(row("deviation", [text(words.number(side.standard_deviation)) for side in numbers]))
        for name, field in _PLACES.items():
            rows.append(row(name, [text(words.value_of(feature, getattr(side, field))) for side in numbers]))
        if any(side.infinite for side in numbers):
            rows.append(row("infinite", [f"{side.infinite:,}" for side in numbers]))
    else:
        rows.append(row("different labels", [f"{side.distinct:,}" for side in sides if not isinstance(side, Numbers)]))
    rows.append(row("missing", [text(words.percent(words.missing_share(side))) for side in sides]))
    return table("facts", columns, rows, caption=f"Numbers of {feature.name}")


def _tests(feature: Feature) -> str:
    columns = (column("test"), column("value", "right"), column("p", "right"), column("what it says"))
    rows = []
    for name, test in feature.tests.items():
        title, said = words.TESTS.get(name, (test.method, ""))
        warnings = "".join(f'<br/><span class="soft">{text(warning)}</span>' for warning in test.warnings)
        rows.append(
            f'<tr><th scope="row" class="nowrap">{text(title)}</th>'
            f'<td class="right nowrap">{words.number(test.statistic)}</td>'
            f'<td class="right nowrap">{text(words.p_value(test.p_value))}</td>'
            f"<td>{text(said)}{warnings}</td></tr>"
        )
    return (
        "<details><summary>Every test and distance</summary>"
        f'<div class="scroll">{table("tests", columns, rows, caption=f"Tests of {feature.name}")}</div></details>'
    )


def _notes(feature: Feature) -> str:
    said = "".join(f"<li>{text(note)}</li>" for note in (*feature.notes, *feature.warnings))
    return f'<ul class="notes">{said}</ul>' if said else ""
