"""How benchmarks are printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edge_aiops.cli.output import local_time, print_facts, print_table, size

_COLUMNS = ("", "model", "framework", "p50 ms", "p95 ms", "p99 ms", "avg ms", "runs/s", "errors", "load ms", "memory")
_OPTIONAL = ("framework", "load ms", "avg ms", "p99 ms", "memory")
_PAIR_COLUMNS = ("", "faster", "slower", "times as long", "95 % interval", "p", "rounds")
_AGREEMENT_COLUMNS = ("model", "output", "cosine", "lowest", "largest difference", "same top", "equal", "rows")


def print_benchmark(benchmark: dict[str, Any]) -> None:
    """One benchmark in full."""
    _print_head(benchmark)
    results = benchmark["results"]
    if not results:
        return
    print()
    answering = sorted(results, key=lambda one: (one["p50Ms"] is None, one["p50Ms"] or 0.0))
    print_table(_COLUMNS, [_row(one) for one in answering], optional=_OPTIONAL)
    for one in answering:
        if one["error"]:
            print(f"{_label(one)}: {one['error']}")
    if benchmark["comparisons"]:
        print()
        print_table(_PAIR_COLUMNS, [_pair(one) for one in benchmark["comparisons"]], optional=("rounds",))
    agreements = [_agreement(_label(one), output) for one in answering for output in one["agreement"]]
    if agreements:
        print(f"\nagreement with {benchmark['models'][0]}")
        print_table(_AGREEMENT_COLUMNS, agreements, optional=("rows", "lowest"))


def print_history(benchmarks: Sequence[dict[str, Any]]) -> None:
    """Benchmarks, a line each."""
    if not benchmarks:
        print("no benchmarks; `edge-aiops benchmark --task-type TYPE --group GROUP` makes one")
        return
    rows = [
        (
            one["id"],
            local_time(one["startedAt"]),
            one["status"],
            f"{one['taskType']} / {one['equivalenceGroup']}",
            ", ".join(one["models"]),
            one["winner"] or "none",
            one["notes"],
        )
        for one in benchmarks
    ]
    columns = ("id", "started", "status", "group", "models", "winner", "notes")
    print_table(columns, rows, whole=("id",), optional=("notes", "models"))


def _print_head(benchmark: dict[str, Any]) -> None:
    progress, seed = benchmark["progress"], benchmark["seed"]
    drawn = "" if seed is None else f" drawn from seed {seed}"
    status = benchmark["status"]
    print_facts(
        [
            ("verdict", benchmark["verdict"]),
            ("status", f"{status}, {progress['done']} of {progress['rounds']} rounds" if status != "done" else None),
            ("benchmark", f"{benchmark['id']}, {local_time(benchmark['startedAt'])}"),
            ("group", f"{benchmark['taskType']} / {benchmark['equivalenceGroup']}"),
            ("rounds", f"{benchmark['iterations']} after {benchmark['warmup']} for warm-up"),
            ("inputs", f"{benchmark['inputs']}{drawn}"),
            ("run by", benchmark["runBy"]),
            ("notes", benchmark["notes"]),
        ]
    )


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    mark = "winner" if one["winner"] else "failed" if one["errors"] or one["p50Ms"] is None else None
    return (
        mark,
        _label(one),
        one["framework"],
        *(_ms(one[name]) for name in ("p50Ms", "p95Ms", "p99Ms", "avgMs")),
        None if one["throughput"] is None else f"{one['throughput']:,.1f}",
        f"{one['errorRate']:.1%}" if one["errorRate"] else "0",
        _ms(one["loadMs"]),
        None if one["memoryBytes"] is None else size(one["memoryBytes"]),
    )


def _pair(one: dict[str, Any]) -> tuple[object, ...]:
    low, high = one["ratioLow"], one["ratioHigh"]
    return (
        "significant" if one["significant"] else "not significant",
        one["faster"],
        one["slower"],
        None if one["ratio"] is None else f"{one['ratio']:.4g}",
        None if low is None else f"{low:.4g} to {high:.4g}",
        None if one["adjustedPValue"] is None else f"{one['adjustedPValue']:.2g}",
        one["rounds"],
    )


def _agreement(label: str, output: dict[str, Any]) -> tuple[object, ...]:
    name, of_reference = output["output"], output["referenceOutput"]
    return (
        label,
        name if name == of_reference else f"{name} = {of_reference}",
        _plain(output["cosine"]),
        _plain(output["lowestCosine"]),
        _plain(output["maxAbsDifference"], ".3g"),
        None if output["top1"] is None else f"{output['top1']:.1%}",
        None if output["equal"] is None else f"{output['equal']:.1%}",
        f"{output['rows']:,}" + (f", {output['unlike']} of other shape" if output["unlike"] else ""),
    )


def _plain(value: float | None, form: str = ".6f") -> str | None:
    return None if value is None else format(value, form)


def _ms(value: float | None) -> str | None:
    return None if value is None else f"{value:.4g}" if value < 1000 else f"{value:,.0f}"


def _label(one: dict[str, Any]) -> str:
    return f"{one['modelName']} {one['modelVersion']}"
