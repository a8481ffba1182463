"""`edge-aiops doctor`: what may keep a server from working here, and what mends it."""

from __future__ import annotations

from argparse import Namespace

from edge_aiops.cli.command import Command


def _run(arguments: Namespace) -> int:
    from edge_aiops.cli.checkup import findings
    from edge_aiops.cli.effective import effective_settings
    from edge_aiops.cli.output import print_json, print_table

    found = list(findings(effective_settings(arguments).settings))
    failed = sum(finding.verdict == "FAIL" for finding in found)
    if arguments.json:
        print_json([finding._asdict() for finding in found])
        return 1 if failed else 0
    print_table(("", "check", "found"), [(finding.verdict, finding.check, finding.said) for finding in found])
    for finding in found:
        if finding.remedy:
            print(f"\n{finding.verdict} {finding.check}: {finding.said}\n  what to do: {finding.remedy}")
    warned = sum(finding.verdict == "WARN" for finding in found)
    print(f"\n{len(found)} checks: {failed} failed, {warned} to look at")
    return 1 if failed else 0


COMMAND = Command(
    name="doctor",
    summary="Check this machine, the installation and the data folder",
    description="Nothing is changed. Each finding is OK, WARN or FAIL, with what to do; the exit code is 1 on FAIL.",
    examples=("edge-aiops doctor", "edge-aiops doctor --data ./data --json"),
    run=_run,
    json=True,
)
