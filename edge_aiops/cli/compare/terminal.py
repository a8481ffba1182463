"""A report as text: what drifted, a table of the columns, and what to know of them."""

from __future__ import annotations

from collections.abc import Iterator

from edge_aiops.cli.compare import words
from edge_aiops.cli.output import is_plain, print_facts, print_table, printable, size
from edge_aiops.stats.files.report import Bins, Feature, File, Report

MOST_ROWS = 60
_COLUMNS = ("feature", "kind", "drift", "PSI", "p adjusted", "mean", "missing")
_OPTIONAL = ("kind", "missing", "mean", "p adjusted")


def print_report(report: Report) -> None:
    """Print it, with small pictures of the distributions where somebody watches."""
    print(words.headline(report))
    print(f"  drifted: {words.rule(report)}")
    print()
    print_facts([("reference", _file(report.reference)), ("current", _file(report.current))])
    print()
    pictured = not is_plain()
    shown = report.features[: max(MOST_ROWS, len(report.drifted))]
    columns = (*_COLUMNS, "reference", "current") if pictured else _COLUMNS
    rows = [(*_row(feature, report), *(_sparklines(feature) if pictured else ())) for feature in shown]
    print_table(columns, rows, whole=("drift", "PSI", "reference", "current"), optional=_OPTIONAL)
    if rest := len(report.features) - len(shown):
        print(f"... and {rest} more that did not drift; --json and --html tell of them")
    if notes := list(_notes(report, shown)):
        print()
        print("\n".join(printable(note) for note in notes))


def _file(file: File) -> str:
    return f"{file.path}: {file.rows:,} rows, {size(file.size_bytes)}"


def _row(feature: Feature, report: Report) -> tuple[str, ...]:
    return (
        feature.name,
        feature.kind,
        words.verdict(feature, report),
        words.effect(feature.effect_size),
        words.p_value(feature.adjusted_p_value),
        words.means(feature),
        words.missing(feature),
    )


def _sparklines(feature: Feature) -> tuple[str, str]:
    drawn = feature.distribution
    if not isinstance(drawn, Bins):
        return _spark(drawn.reference), _spark(drawn.current)
    if drawn.values:
        return _spark(drawn.reference[1:-1]), _spark(drawn.current[1:-1])
    if drawn.histograms is None:
        return "", ""
    return _spark(drawn.histograms.reference), _spark(drawn.histograms.current)


def _spark(shares: list[int] | list[float]) -> str:
    """At most `SPARKS` bars: neighbours are taken together."""
    together = -(-len(shares) // words.SPARKS) or 1
    return words.sparkline([float(sum(shares[at : at + together])) for at in range(0, len(shares), together)])


def _notes(report: Report, shown: list[Feature]) -> Iterator[str]:
    for title, columns in (
        ("only in the reference", report.only_in_reference),
        ("only in the current file", report.only_in_current),
        ("excluded", report.excluded),
    ):
        if columns:
            yield f"{title}: {', '.join(columns)}"
    for name, why in report.set_aside.items():
        yield f"not compared: {name}: {why}"
    for feature in shown:
        for said in (*feature.notes, *(feature.warnings if feature.drifted else ())):
            yield f"{feature.name}: {said}"
