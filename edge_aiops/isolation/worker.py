"""The program of a worker process: `python -P -m edge_aiops.isolation.worker`, with a `Birth` on standard input.

Limits and confines itself before it imports anything that may start threads, then serves one model.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import msgspec

from edge_aiops.isolation.birth import Birth
from edge_aiops.isolation.kernel import PR_SET_PDEATHSIG, prctl
from edge_aiops.isolation.limits import limit


def main() -> None:
    """Serve until the node says that it is enough, or is gone."""
    birth = msgspec.json.decode(sys.stdin.buffer.read(), type=Birth)
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != birth.parent:
        sys.exit("the node has gone")
    # What a framework prints goes where errors go, which the node keeps the last of.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    done = limit(birth.limits)
    if birth.sandbox:
        from edge_aiops.isolation.sandbox import confine

        artifact = Path(birth.path) if birth.path else None
        done += confine(artifact=artifact, folder=Path(birth.folder))
    from edge_aiops.isolation.serving import serve

    serve(birth, done)
    sys.stderr.flush()
    # Without the framework's own clean-up, which may wait for its threads.
    os._exit(0)


if __name__ == "__main__":
    main()
