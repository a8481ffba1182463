"""The trial load of a new model, run as a program of its own: a model that crashes its loader takes only this down.

Reads one `TrialRequest` as JSON from standard input and writes one `TrialAnswer` to standard output. What the
framework prints goes to standard error.
"""

from __future__ import annotations

import asyncio
import math
import os
import resource
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from edge_aiops.base.errors import EdgeAiopsError, FieldError, InvalidModel
from edge_aiops.plugin.execution import Trust
from edge_aiops.plugin.loader import Plugins
from edge_aiops.plugin.protocols import ModelSource
from edge_aiops.plugin.registry import Backends
from edge_aiops.plugin.signature import Signature

_SPARE_S = 1


class TrialRequest(Struct, frozen=True, kw_only=True, rename="camel"):
    """What to load."""

    framework: str
    name: str
    version: str
    path: str | None
    options: dict[str, Any]
    trust: Trust = "data"
    timeout_s: float


class Failure(Struct, frozen=True, kw_only=True):
    """An error of our tree, on its way to another process."""

    code: str
    message: str
    fields: tuple[FieldError, ...] = ()


class TrialAnswer(Struct, frozen=True, kw_only=True):
    """How it went: exactly one of the two is there."""

    signature: Signature | None = None
    failure: Failure | None = None


async def tried(request: TrialRequest) -> TrialAnswer:
    """Load the model once and let it go again."""
    path = None if request.path is None else Path(request.path)
    source = ModelSource(
        name=request.name, version=request.version, path=path, options=request.options, trust=request.trust
    )
    try:
        session = await Backends(Plugins()).get(request.framework).load(source)
        signature = session.signature
        await session.close()
    except EdgeAiopsError as error:
        return TrialAnswer(failure=Failure(code=error.code, message=error.message, fields=error.fields))
    except Exception as error:
        # The boundary between us and a framework, which may raise anything when it is fed a broken model.
        traceback.print_exc()
        said = f"backend {request.framework!r} raised {type(error).__name__}: {error}"
        return TrialAnswer(failure=Failure(code=InvalidModel.code, message=said))
    return TrialAnswer(signature=signature)


def main() -> None:
    """Answer the request on standard input."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=TrialRequest)
    # The parent kills this process in time, unless it has died itself.
    signal.alarm(math.ceil(request.timeout_s) + _SPARE_S)
    answers = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    answer = asyncio.run(tried(request))
    with os.fdopen(answers, "wb") as file:
        file.write(msgspec.json.encode(answer))
    sys.stderr.flush()
    # Without the framework's own clean-up, which may wait for its threads.
    os._exit(0)


if __name__ == "__main__":
    main()
