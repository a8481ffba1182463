"""What checks of drift found, as people read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edge_aiops.cli.compare.words import effect, number, p_value, sparkline
from edge_aiops.cli.output import is_plain, local_time, print_facts, print_table

MOST_ROWS = 20

_COLUMNS = ("feature", "drift", "score", "limit", "method", "PSI", "p adjusted", "rows")
_PICTURES = ("baseline", "now")
_WHOLE = ("drift", "score", "limit", "PSI", "baseline", "now")
_OPTIONAL = ("rows", "p adjusted", "method", "PSI", "limit")
_HISTORY_COLUMNS = ("time", "version", "type", "drift", "confirmed", "score", "method", "rows", "features")
_HISTORY_OPTIONAL = ("rows", "method", "version")


def print_result(result: dict[str, Any]) -> None:
    """One check: what it found, of which data, and its features."""
    baseline = result["baseline"]
    said = f", {baseline['description']}" if baseline["description"] else ""
    print_facts(
        [
            (result["driftType"], _headline(result)),
            ("model", f"{result['modelName']} {result['modelVersion']}"),
            ("data", f"{local_time(result['from'])} to {local_time(result['to'])}, {result['currentCount']:,} rows"),
            ("baseline", f"{baseline['number']}, from {baseline['source']}{said}"),
            *_quality(result),
            *(("note", warning) for warning in result["warnings"]),
        ]
    )
    _print_features(result)


def _print_features(result: dict[str, Any]) -> None:
    features = sorted(result["features"], key=lambda of: (not of["drifted"], -(of["effectSize"] or 0.0)))
    shown = features[: max(MOST_ROWS, len(result["driftedFeatures"]))]
    if not shown:
        return
    print()
    pictured = not is_plain()
    rows = [(*_feature_row(of), *(_sparklines(of) if pictured else ())) for of in shown]
    columns = (*_COLUMNS, *_PICTURES) if pictured else _COLUMNS
    print_table(columns, rows, whole=_WHOLE, optional=_OPTIONAL)
    if rest := len(features) - len(shown):
        print(f"... and {rest} more that did not drift; --json tells of them")


def _headline(result: dict[str, Any]) -> str:
    drifted, features = result["driftedFeatures"], result["features"]
    if not result["drifted"]:
        found = "no drift"
    elif len(features) > 1:
        found = f"DRIFT, {len(drifted)} of {len(features)} features: {', '.join(drifted[:5])}"
        found += ", ..." if len(drifted) > 5 else ""
    else:
        found = f"DRIFT of {drifted[0]}"
    return f"{found} (confirmed)" if result["confirmed"] else found


def _quality(result: dict[str, Any]) -> list[tuple[str, object]]:
    if not result["labelled"]:
        return []
    labels = f"{result['labelled']:,} labels"
    if result["accuracy"] is not None:
        low, high = result["accuracyInterval"]
        before = _percent(result["baselineAccuracy"])
        return [
            ("accuracy", f"{_percent(result['accuracy'])} ({_percent(low)} to {_percent(high)}), {labels}"),
            ("baseline accuracy", before),
        ]
    return [("mean error", f"{result['error']:.4g}, {labels}"), ("baseline error", f"{result['baselineError']:.4g}")]


def _percent(share: float | None) -> str:
    return "unknown" if share is None else f"{100 * share:.1f} %"


def _feature_row(of: dict[str, Any]) -> tuple[object, ...]:
    return (
        of["feature"],
        _verdict(of),
        number(of["score"], 3),
        _limit(of),
        of["method"],
        effect(of["effectSize"]),
        p_value(of["adjustedPValue"]),
        f"{of['currentCount']:,}",
    )


def _limit(of: dict[str, Any]) -> str:
    return f"{'p <=' if of['decides'] == 'p_value' else '>='} {number(of['threshold'])}"


def _verdict(found: dict[str, Any]) -> str:
    return "drifted" if found["drifted"] else "unknown" if found["score"] is None else "stable"


def _sparklines(of: dict[str, Any]) -> tuple[str, str]:
    pictures = [of["reference"], of["current"]]
    if None in pictures:
        return "", ""
    ends = [name for name in ("below", "above", "other") if any(picture.get(name) for picture in pictures)]
    bars = []
    for picture in pictures:
        first = [picture.get("below", 0)] if "below" in ends else []
        last = [picture.get(name, 0) for name in ends if name != "below"]
        bars.append(sparkline([float(count) for count in (*first, *picture["counts"], *last)]))
    return bars[0], bars[1]


def print_history(history: Sequence[dict[str, Any]]) -> None:
    """A line for each check."""
    rows = [_history_row(result) for result in history]
    print_table(_HISTORY_COLUMNS, rows, whole=("time",), optional=_HISTORY_OPTIONAL, sentence=True)


def _history_row(result: dict[str, Any]) -> tuple[object, ...]:
    features = result["driftedFeatures"]
    return (
        local_time(result["checkedAt"]),
        result["modelVersion"],
        result["driftType"],
        _verdict(result),
        "yes" if result["confirmed"] else "",
        number(result["score"], 3),
        result["method"],
        f"{result['currentCount']:,}",
        ", ".join(features[:5]) + (f", ... {len(features)} features" if len(features) > 5 else ""),
    )
