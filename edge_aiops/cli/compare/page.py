"""A report as one page of HTML: styles and pictures are in it, and it fetches and runs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import resources

from edge_aiops.cli.compare import words
from edge_aiops.cli.compare.cards import badge, card
from edge_aiops.cli.compare.markup import column, text
from edge_aiops.cli.compare.pictures import spark
from edge_aiops.cli.output import size
from edge_aiops.stats.files.report import Feature, File, Report

MOST_CARDS = 200
"""Features with pictures; all of them stand in the table."""

_LARGE_EFFECT = 0.5
"""The effect that fills the meter of the table."""


def page(report: Report) -> str:
    """The page, as well-formed XML that is HTML too."""
    style = resources.files("edge_aiops.cli.compare").joinpath("page.css").read_text("utf-8")
    title = f"{words.headline(report)}: {report.current.path}"
    pictured = report.features[: max(MOST_CARDS, len(report.drifted))]
    cards = "".join(card(feature, report, place) for place, feature in enumerate(pictured, start=1))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        f"<title>{text(title)}</title><style>\n{style}</style></head><body>"
        f"{_header(report)}<main>{_table(report, len(pictured))}{_columns(report)}"
        f'<h2>Feature by feature</h2><div class="cards">{cards}</div>{_rest(report, len(pictured))}</main>'
        f"{_footer(report)}</body></html>\n"
    )


def _header(report: Report) -> str:
    settings = report.settings
    at = datetime.fromtimestamp(report.compared_at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    rule = (
        f"{words.rule(report)}. p-values are adjusted for the number of features (Benjamini-Hochberg); "
        f"{settings.bins} bins at the quantiles of {settings.sample_rows:,} rows of the reference."
    )
    return (
        f'<header><p class="soft small">{text(report.program)} stats compare, {at}</p>'
        f"<h1>{words.headline(report)}</h1>"
        f'<dl class="files">{_file("reference", report.reference)}{_file("current", report.current)}'
        f'<div class="of-rule"><dt>drifted means</dt><dd>{text(rule)}</dd></div></dl></header>'
    )


def _file(side: str, file: File) -> str:
    return (
        f'<div class="of-{side}"><dt>{side}</dt><dd>{text(file.path)}</dd>'
        f'<dd class="soft small">{file.rows:,} rows, {size(file.size_bytes)}, {file.format}</dd></div>'
    )


def _table(report: Report, pictured: int) -> str:
    headings = (
        column("feature"),
        column("kind"),
        column("verdict"),
        column("PSI"),
        column("p adjusted", "right"),
        column("mean", "right"),
        column("missing", "right"),
        column("shape"),
    )
    places = enumerate(report.features, start=1)
    rows = (_line(feature, report, place if place <= pictured else None) for place, feature in places)
    return (
        '<section aria-labelledby="all"><h2 id="all">All features</h2><div class="panel scroll"><table>'
        f"<thead><tr>{''.join(headings)}</tr></thead><tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _line(feature: Feature, report: Report, place: int | None) -> str:
    name = text(feature.name)
    linked = f'<a href="#feature-{place}">{name}</a>' if place else name
    effect = feature.effect_size or 0.0
    meter = f'<span class="meter"><span style="width:{min(100 * effect / _LARGE_EFFECT, 100):.0f}%"></span></span>'
    return (
        f'<tr class="{"drifted" if feature.drifted else "same"}"><th scope="row">{linked}</th>'
        f'<td class="soft">{feature.kind}</td><td>{badge(feature, report)}</td>'
        f'<td class="nowrap">{meter}{text(words.effect(feature.effect_size))}</td>'
        f'<td class="right nowrap">{text(words.p_value(feature.adjusted_p_value))}</td>'
        f'<td class="right nowrap">{text(words.means(feature))}</td>'
        f'<td class="right nowrap">{text(words.missing(feature))}</td>'
        f"<td>{spark(feature) if place else ''}</td></tr>"
    )


def _columns(report: Report) -> str:
    """Columns that were not compared."""
    lines = "".join(f"<li>{line}</li>" for line in _left_out(report))
    return f'<h2>Not compared</h2><ul class="plain">{lines}</ul>' if lines else ""


def _left_out(report: Report) -> Iterator[str]:
    for title, names in (
        ("Only in the reference", report.only_in_reference),
        ("Only in the current file", report.only_in_current),
        ("Excluded", report.excluded),
    ):
        if names:
            yield f"{title}: {', '.join(f'<b>{text(name)}</b>' for name in names)}"
    for name, why in report.set_aside.items():
        yield f"<b>{text(name)}</b>: {text(why)}"


def _rest(report: Report, pictured: int) -> str:
    rest = len(report.features) - pictured
    return f'<p class="soft">{rest:,} more features are in the table above only.</p>' if rest else ""


def _footer(report: Report) -> str:
    return (
        "<footer><p>PSI is the population stability index over all bins or labels, with missing values as one of them. "
        "Pictures show values as spread evenly within a bin; the bar between cumulative shares marks the largest gap. "
        "The seed of the sample was "
        f"{report.settings.seed}; the same files give the same numbers.</p></footer>"
    )
