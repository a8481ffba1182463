"""A feature as a card of the page: its verdict, pictures, numbers and tests."""

from __future__ import annotations

from edge_aiops.cli.compare import words
from edge_aiops.cli.compare.markup import column, row, table, text
from edge_aiops.cli.compare.pictures import pictures
from edge_aiops.stats.files.report import Feature, Numbers, Report


def card(feature: Feature, report: Report, place: int) -> str:
    """The card, with `place` in its address."""
    return (
        f'<article class="card" id="feature-{place}" aria-labelledby="name-{place}">'
        f'<header><h3 id="name-{place}">{text(feature.name)}</h3><span class="soft">{feature.kind}</span>'
        f'{badge(feature)}<a class="top small soft" href="#all">to the table</a></header>'
        f'<p class="verdict">{_verdict(feature, report)}</p>'
        f'<div class="body">{pictures(feature)}<div class="scroll">{_facts(feature)}</div></div>'
        f"{_tests(feature)}{_notes(feature)}</article>"
    )


def badge(feature: Feature) -> str:
    """The verdict in a word."""
    if feature.p_value is None:
        return '<span class="badge unknown">no data</span>'
    return '<span class="badge drifted">drifted</span>' if feature.drifted else '<span class="badge same">no drift</span>'


def _verdict(feature: Feature, report: Report) -> str:
    if feature.p_value is None or feature.adjusted_p_value is None or feature.effect_size is None:
        return "There is not enough data on both sides to compare."
    by_chance = feature.adjusted_p_value > report.settings.alpha
    small = feature.effect_size < report.settings.min_effect
    numbers = f"PSI {words.number(feature.effect_size, 3)}, adjusted p {words.p_value(feature.adjusted_p_value)}"
    if feature.drifted:
        said = "The difference is more than chance, and large enough to matter"
    elif by_chance:
        said = "The difference can be chance" if small else "The difference looks large, but with so few values can be chance"
    else:
        said = "There is a difference that is more than chance, but too small to matter"
    return f"{said} <span class='soft'>({text(numbers)})</span>."


def _facts(feature: Feature) -> str:
    columns = (column(""), column("reference", "right of-reference"), column("current", "right of-current"))
    sides = (feature.reference, feature.current)
    rows = [row("values", [f"{side.count:,}" for side in sides])]
    if isinstance(feature.reference, Numbers) and isinstance(feature.current, Numbers):
        numbers = (feature.reference, feature.current)
        rows.append(row("mean", [text(words.value_of(feature, side.mean)) for side in numbers]))
        rows.append(row("deviation", [text(words.number(side.standard_deviation)) for side in numbers]))
        rows.append(row("lowest", [text(words.value_of(feature, side.minimum)) for side in numbers]))
        rows.append(row("highest", [text(words.value_of(feature, side.maximum)) for side in numbers]))
        if any(side.infinite for side in numbers):
            rows.append(row("infinite", [f"{side.infinite:,}" for side in numbers]))
    else:
        rows.append(row("different labels", [f"{side.distinct:,}" for side in sides if not isinstance(side, Numbers)]))
    rows.append(row("missing", [words.percent(words.missing_share(side)) for side in sides]))
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
