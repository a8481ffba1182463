"""Runs the benchmarks and prints one table: python -m benchmarks [--only NAME]."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from benchmarks.table import Row, show

NAMES = {
    "startup": "cold start, memory, import time",
    "store": "the event store by itself",
    "statistics": "the Rust extension beside its peers, which it installs under .bench/ the first time",
    "fleet_push": "what a hub takes in of its nodes, on both databases; takes one minute",
    "monitoring": "what it costs to observe a model, beside the same peers; takes five minutes",
    "memory": "what a model takes before its load, loaded, and after it was unloaded",
    "tensors": "tensors of the Open Inference Protocol, in JSON and in binary; takes one minute",
    "overload": "ten times the load, slow clients, what sharing runs gains; takes two minutes",
    "isolation": "what a thread, a worker process and the sandbox cost",
    "fleet_bytes": "what a node sends to its hub in a day; takes one minute",
    "fleet_query": "questions about 10,000 nodes over 7 days, on SQLite and PostgreSQL; takes five minutes",
    "fleet_herd": "when 10,000 nodes push again after an outage; takes three minutes",
    "fleet_cost": "what a node costs its hub; takes two minutes",
    "fleet_offline": "a node that was offline for 400 days; takes ten minutes",
    "serving": "durable predictions over HTTP; takes four minutes",
    "serving_peers": "the same beside other servers of models, which it installs; takes eight minutes",
}


def main() -> int:
    """Measure what was asked for; 0 whether or not targets are met, because machines differ."""
    listed = "\n".join(f"  {name}: {what}" for name, what in NAMES.items())
    parser = argparse.ArgumentParser(
        "benchmarks", description=f"Benchmarks:\n{listed}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=NAMES, help="measure only this one")
    only = parser.parse_args().only
    rows: list[Row] = []
    for name in [only] if only else NAMES:
        print(f"measuring {name}: {NAMES[name]}", file=sys.stderr)
        rows += import_module(f"benchmarks.{name}").rows()
    show(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
