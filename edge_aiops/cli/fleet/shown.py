"""The fleet as people read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edge_aiops.cli.compare.words import effect, number, p_value, sparkline
from edge_aiops.cli.output import local_time, percent, print_facts, print_table

MOST_WINDOWS = 48
MOST_FEATURES = 20
MOST_FINDINGS = 30


def print_status(status: dict[str, Any]) -> None:
    """The fleet in numbers, and below it the nodes to look after."""
    lost = f"{status['lostRows']:,} rows, {status['lostItems']:,} events and labels" if status["lostRows"] else None
    print_facts(
        [
            ("nodes", f"{status['nodes']:,}{_parts(status['byStatus'])}"),
            ("groups", _parts(status["byGroup"]).removeprefix(": ") or None),
            ("silent", f"{status['silent']:,}"),
            ("generation", f"{status['generation']}; nodes that are behind: {status['behind']:,}"),
            ("waiting", f"{status['lag']:,} rows on nodes, {status['unmerged']:,} windows here"),
            ("lost", lost),
            ("late", f"{status['lateRows']:,} rows came after their day was closed" if status["lateRows"] else None),
        ]
    )
    if status["notable"]:
        print()
        rows = [_node_row(node) for node in status["notable"]]
        print_table(
            ("node", "name", "group", "state", "last seen", "waiting", "lost", "generation"),
            rows,
            whole=("node",),
            optional=("generation", "waiting", "group", "name"),
        )


def print_metrics(answer: dict[str, Any]) -> None:
    """The totals of each version, and the last windows."""
    _print_selection(answer)
    _print_windows(answer["totals"], ("version", "from"))
    if answer["series"]:
        print()
        _print_windows(answer["series"][-MOST_WINDOWS:], ("window", "version"))
    _print_withheld(answer["withheld"])


def print_drift(answer: dict[str, Any]) -> None:
    """Each result with its most notable features."""
    _print_selection(answer)
    for result in answer["results"]:
        print()
        _print_result(result)
    if not answer["results"]:
        print("\nnothing to compare with: no window in this span is on a baseline")
    _print_others(answer["otherBaselines"])


def print_quality(answer: dict[str, Any]) -> None:
    """Each version's score and findings."""
    _print_selection(answer)
    for result in answer["results"]:
        print()
        rows = "withheld: too few" if result["withheld"] else f"{result['rows']:,} of up to {result['nodes']:,} nodes"
        print_facts([("version", result["modelVersion"]), ("rows", rows), ("score", percent(result["score"]))])
        findings = result["findings"][:MOST_FINDINGS]
        if findings:
            print_table(
                ("check", "feature", "share", "", "what"),
                [_finding_row(finding) for finding in findings],
                optional=("share", "feature"),
                sentence=True,
            )
    _print_others(answer["otherBaselines"])


def print_outliers(answer: dict[str, Any]) -> None:
    """The nodes that differ, the largest effects of each subject first."""
    _print_selection(answer)
    if not answer["outliers"]:
        print(f"none of {answer['nodes']:,} nodes differs from the others")
    else:
        shown = (
            f", of which these are the first {len(answer['outliers'])}"
            if answer["found"] > len(answer["outliers"])
            else ""
        )
        print(f"{answer['found']:,} differences among {answer['nodes']:,} nodes{shown}\n")
        rows = [
            (of["nodeId"], of["feature"] or of["subject"], effect(of["effectSize"]), number(of["node"], 4),
             number(of["fleet"], 4), p_value(of["adjustedPValue"]), f"{of['rows']:,}")
            for of in answer["outliers"]
        ]  # fmt: skip
        print_table(
            ("node", "in", "effect", "node's", "others'", "p adjusted", "rows"),
            rows,
            whole=("node",),
            optional=("rows", "p adjusted", "others'", "node's"),
        )
    _print_others(answer["otherBaselines"])


def print_alerts(answer: dict[str, Any]) -> None:
    """A line for each alert."""
    if not answer["alerts"]:
        print("no such alerts; --status all shows resolved ones too, --last how far back")
        return
    rows = [
        (of["nodeId"], of["severity"], of["status"], local_time(of["startedAt"]),
         f"{of['modelName']} {of['modelVersion']}".strip(), of["message"])
        for of in answer["alerts"]
    ]  # fmt: skip
    print_table(
        ("node", "severity", "status", "since", "model", "what"),
        rows,
        whole=("node",),
        optional=("model", "since", "status"),
        sentence=True,
    )
    if answer["found"] > len(rows):
        print(f"{answer['found'] - len(rows):,} more; --limit shows them")


def _labels(labels: dict[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in labels.items())


def _parts(counts: dict[str, int]) -> str:
    return ": " + ", ".join(f"{count:,} {name}" for name, count in counts.items()) if counts else ""


def _node_row(node: dict[str, Any]) -> tuple[object, ...]:
    state = node["status"] if node["status"] != "active" else "silent" if node["silent"] else "active"
    last_seen = local_time(node["lastSeen"]) if node["lastSeen"] is not None else "never"
    lost = node["lostRows"] + node["lateRows"]
    return (
        node["nodeId"], node["name"], node["group"], state, last_seen, node["lag"] or None, lost or None,
        node["generation"],
    )  # fmt: skip


def _print_selection(answer: dict[str, Any]) -> None:
    of = answer["selection"]
    chosen = [f"group {of['group']}"] if of["group"] else []
    chosen += [_labels(of["labels"])] if of["labels"] else []
    chosen += [f"{len(of['nodes'])} nodes by id"] if of["nodes"] else []
    version = f" {of['modelVersion']}" if of["modelVersion"] else ""
    rounded = (of["from"], of["to"]) != (of["askedFrom"], of["askedTo"])
    print_facts(
        [
            ("model", f"{of['modelName']}{version}"),
            ("nodes", ", ".join(chosen) or "all"),
            ("span", f"{local_time(of['from'])} to {local_time(of['to'])}{' (whole windows)' if rounded else ''}"),
        ]
    )


def _print_windows(windows: Sequence[dict[str, Any]], heads: tuple[str, str]) -> None:
    columns = (*heads, "requests", "errors", "p50 ms", "p95 ms", "confidence", "labels", "accuracy", "error")
    rows = []
    for of in windows:
        first = {"version": of["modelVersion"], "from": local_time(of["start"]), "window": local_time(of["start"])}
        rows.append(
            (first[heads[0]], first[heads[1]], f"{of['requests']:,}", percent(of["errorRate"]),
             number(of["p50LatencyMs"], 3), number(of["p95LatencyMs"], 3), number(of["meanConfidence"], 3),
             None if of["labelled"] is None else f"{of['labelled']:,}", percent(of["accuracy"]),
             number(of["meanAbsoluteError"], 4))
        )  # fmt: skip
    print_table(columns, rows, optional=("error", "confidence", "labels", "p50 ms", "accuracy"))


def _print_result(result: dict[str, Any]) -> None:
    if result["withheld"]:
        print_facts([(result["driftType"], f"{result['modelName']} {result['modelVersion']}: withheld, too few rows")])
        return
    drifted, certain = result["driftedFeatures"], result["certainFeatures"]
    if drifted:
        verdict = f"DRIFT of {', '.join(drifted[:5])}"
    elif certain:
        verdict = f"no drift; certain, but small: {', '.join(certain[:5])}"
    else:
        verdict = "no drift"
    accuracy = result["accuracy"]
    print_facts(
        [
            (result["driftType"], verdict),
            ("version", result["modelVersion"]),
            ("data", f"{result['rows']:,} rows of up to {result['nodes']:,} nodes"),
            ("evidence", f"of {result['evidenceDays']} days" if result["evidence"] == "alwaysValid" else "one look"),
            ("baseline", result["baseline"][:12]),
            ("accuracy", accuracy and f"{percent(accuracy)}, of the baseline {percent(result['baselineAccuracy'])}"),
            *(("note", warning) for warning in result["warnings"]),
        ]
    )
    rows = [
        (of["feature"], "drifted" if of["drifted"] else "certain" if of["certain"] else "stable",
         effect(of["effectSize"]), p_value(of["adjustedPValue"]), number(of["logE"], 3),
         _bars(of["reference"]), _bars(of["current"]))
        for of in result["features"][:MOST_FEATURES]
    ]  # fmt: skip
    print_table(
        ("feature", "drift", "PSI", "p adjusted", "log e", "baseline", "now"),
        rows,
        whole=("drift", "PSI", "baseline", "now"),
        optional=("log e", "p adjusted", "baseline", "now"),
    )


def _bars(picture: dict[str, Any] | None) -> str:
    return "" if picture is None else sparkline([float(count or 0) for count in picture["counts"]])


def _finding_row(finding: dict[str, Any]) -> tuple[object, ...]:
    wrong = "wrong" if finding["violated"] else ""
    return finding["check"], finding["feature"], percent(finding["share"]), wrong, finding["message"]


def _print_others(others: Sequence[dict[str, Any]]) -> None:
    if others:
        print("\nleft out, because they are on another baseline:")
        print_table(
            ("what", "version", "baseline", "nodes", "rows"),
            [
                (of["kind"], of["modelVersion"], of["baseline"][:12] or "none", f"{of['nodes']:,}", of["rows"])
                for of in others
            ],
        )


def _print_withheld(windows: int) -> None:
    if windows:
        print(f"\n{windows:,} windows or versions of too few requests are withheld")
