"""How the numbers of a report are written, and what its tests say in a sentence."""

from __future__ import annotations

from datetime import UTC, datetime

from edge_aiops.stats.files.report import Feature, Labels, Numbers, Report

TESTS = {
    "psi": ("PSI", "How far the shares moved, over groups of bins; 0.1 is worth a look, 0.25 is large."),
    "ks": ("Kolmogorov-Smirnov", "The largest gap between the two cumulative distributions, from 0 to 1."),
    "chi_square": ("Chi-square", "Whether the counts per group of bins, or per label, could differ so much by chance."),
    "beyond": ("Beyond the reference", "Whether values outside of all that the reference had are more than chance."),
    "missingness": ("Missing values", "Whether the shares of missing values could differ so much by chance."),
    "wasserstein": ("Wasserstein-1", "How far the values moved on average, in the unit of the column."),
    "jensen_shannon": ("Jensen-Shannon", "A distance of the shares per bin, from 0 for equal to 1 for nothing shared."),
    "hellinger": ("Hellinger", "A distance of the shares per bin, from 0 to 1, that heeds rare bins."),
    "total_variation": ("Total variation", "The share of rows that would have to change to make both sides equal."),
    "kullback_leibler": ("Kullback-Leibler", "How much the current values surprise who expects the reference."),
}
"""Of each test: its name, and a sentence on what it says."""

BARS = "▁▂▃▄▅▆▇█"
SPARKS = 16


def headline(report: Report) -> str:
    """What was found, in one sentence."""
    count, all_of_them = len(report.drifted), len(report.features)
    features = "feature" if all_of_them == 1 else "features"
    return f"{count if count else 'None'} of {all_of_them} {features} drifted"


def rule(report: Report) -> str:
    """When a feature counts as drifted."""
    settings = report.settings
    return f"adjusted p ≤ {settings.alpha:g} and PSI ≥ {settings.min_effect:g}"


def number(value: float | None, digits: int = 4) -> str:
    """A number as people read it; a dash where there is none."""
    if value is None:
        return "–"
    if value.is_integer() and abs(value) < 1e6:
        return f"{value:.0f}"
    return f"{value:.{digits}g}"


def effect(value: float | None) -> str:
    """An effect size; one below a thousandth hardly matters."""
    if value is None:
        return "–"
    return "< 0.001" if 0 < value < 0.001 else f"{value:.3f}"


def p_value(value: float | None) -> str:
    """A probability; below a millionth its size hardly matters."""
    if value is None:
        return "–"
    return "< 1e-6" if value < 1e-6 else f"{value:.2g}" if value < 0.001 else f"{value:.3f}"


def percent(share: float) -> str:
    """A share of rows, never rounded to none or all."""
    if 0 < share < 0.001:
        return "< 0.1 %"
    if 0.999 < share < 1:
        return "> 99.9 %"
    return f"{100 * share:.1f} %"


def missing_share(side: Numbers | Labels) -> float:
    """The share of rows without a value."""
    present = side.count + (side.infinite if isinstance(side, Numbers) else 0)
    return side.missing / max(present + side.missing, 1)


def value_of(feature: Feature, value: float | None) -> str:
    """A number of this column: a date where it is one."""
    if value is None or feature.kind != "time" or not (1e8 < value < 1e11 or -6e10 < value < -1e8):
        return number(value)  # A time of day, a duration, or beyond the calendar.
    return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M")


def means(feature: Feature) -> str:
    """The means of both sides; nothing where there are no numbers. Times are told by their days."""
    before, after = feature.reference, feature.current
    if not (isinstance(before, Numbers) and isinstance(after, Numbers)):
        return ""
    shown = [value_of(feature, side.mean) for side in (before, after)]
    return " → ".join(each[:10] if feature.kind == "time" else each for each in shown)


def missing(feature: Feature) -> str:
    """The shares of missing values on both sides; nothing where none is missing."""
    before, after = (missing_share(side) for side in (feature.reference, feature.current))
    return f"{percent(before)} → {percent(after)}" if before or after else ""


def verdict(feature: Feature, report: Report) -> str:
    """What to call the difference."""
    if feature.p_value is None or feature.adjusted_p_value is None:
        return "no data"
    if feature.drifted:
        return "drifted"
    return "small" if feature.adjusted_p_value <= report.settings.alpha else "no drift"


def sparkline(shares: list[float]) -> str:
    """Shares as bars of text."""
    highest = max(shares, default=0.0)
    if not highest > 0:
        return " " * len(shares)
    return "".join(" " if share <= 0 else BARS[min(int(share / highest * len(BARS)), 7)] for share in shares)
