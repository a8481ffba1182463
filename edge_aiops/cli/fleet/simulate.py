"""`edge-aiops fleet simulate`: many synthetic nodes, to see what a hub can take."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from edge_aiops.cli.command import Command

if TYPE_CHECKING:
    from edge_aiops.fleet.simulate.simulation import Progress
    from edge_aiops.fleet.simulate.tally import Result


_SAME = ("nodes", "features", "requests", "shift", "shift_share", "seed")


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--hub", metavar="URL", required=True, help="the hub's address")
    parser.add_argument("--join", metavar="TOKEN", required=True, help="a join token that N nodes may use")
    parser.add_argument("--nodes", metavar="N", type=int, required=True, help="how many nodes")
    parser.add_argument("--interval", metavar="DURATION", default="30s", help="each pushes a window so often (30s)")
    parser.add_argument("--duration", metavar="DURATION", default="60s", help="how long (60s), after they have joined")
    parser.add_argument("--features", metavar="N", type=int, default=20, help="numbers in a request (20)")
    parser.add_argument("--requests", metavar="N", type=int, default=300, help="requests in a window (300)")
    parser.add_argument(
        "--shift", metavar="X", type=float, default=0.0, help="the first feature is so many deviations higher (0)"
    )
    parser.add_argument("--shift-share", metavar="X", type=float, default=0.1, help="on this share of the nodes (0.1)")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of all that is drawn at random (0)")


def _simulate(arguments: Namespace) -> int:
    import asyncio
    import sys

    import msgspec

    from edge_aiops.base.durations import Duration
    from edge_aiops.base.structured import parsed
    from edge_aiops.cli.output import print_json
    from edge_aiops.fleet.simulate.simulation import Simulation, simulate

    def told(progress: Progress) -> None:
        print(_progress(progress, arguments.nodes), file=sys.stderr, flush=True)

    wanted = {
        "hub": arguments.hub,
        "token": arguments.join,
        "interval_s": float(Duration.parse(arguments.interval, field="--interval")),
        "duration_s": float(Duration.parse(arguments.duration, field="--duration")),
        **{
            name: getattr(arguments, name) for name in ("nodes", "features", "requests", "shift", "shift_share", "seed")
        },
    }
    result = asyncio.run(simulate(parsed(Simulation, wanted), told=told))
    print_json(msgspec.to_builtins(result)) if arguments.json else _print(result)
    return 0 if result.pushes else 1


def _progress(progress: Progress, nodes: int) -> str:
    if progress.seconds == 0:
        return f"{progress.joined} of {nodes} nodes have joined"
    rate = progress.pushes / progress.seconds
    return f"{progress.seconds:.0f} s: {progress.pushes} pushes, {rate:.1f} a second, {progress.errors} errors"


def _print(result: Result) -> None:
    from edge_aiops.cli.output import print_facts, size

    def times(of: Any) -> str:
        return f"p50 {of.p50} ms, p95 {of.p95} ms, p99 {of.p99} ms"

    print_facts(
        [
            ("nodes", f"{result.nodes}, {result.joins_per_second:g} joined a second"),
            ("pushes", f"{result.pushes} in {result.seconds:g} s, {result.pushes_per_second:g} a second"),
            ("push", times(result.push_ms)),
            ("desired state", f"asked for {result.polls} times, {times(result.poll_ms)}"),
            ("errors", "; ".join(f"{count} x {error}" for error, count in result.errors.items()) or "none"),
            ("late turns", f"{result.late}; this machine or the hub did not keep up" if result.late else "none"),
            ("size of a push", None if result.push_bytes is None else size(result.push_bytes)),
            ("a node's day", None if result.node_day_bytes is None else size(result.node_day_bytes)),
            ("hub's load", None if result.hub_load is None else _load(result.hub_load, result)),
        ]
    )


def _load(share: float, result: Result) -> str:
    real = f"where each node pushes a window every five minutes, {result.fleet_pushes_per_second:g} a second"
    return f"at the most {100 * share:.2g} % of what it took in here, {real}"


SIMULATE = Command(
    name="simulate",
    summary="Have many synthetic nodes join a hub and push to it, and tell how it copes",
    description="They join with keys of their own, keep sessions, ask for the desired state and push windows of a "
    "model by the real protocol, so a hub has them among its nodes: use one that is made for this.",
    examples=(
        "edge-aiops fleet simulate --hub http://127.0.0.1:9926 --join TOKEN --nodes 1000",
        "edge-aiops fleet simulate --hub http://127.0.0.1:9926 --join TOKEN --nodes 200 --shift 0.05 --shift-share 1",
    ),
    arguments=_arguments,
    run=_simulate,
    json=True,
)
