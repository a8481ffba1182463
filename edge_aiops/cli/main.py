"""The command `edge-aiops`: chooses a command, runs it, and says what went wrong in one block."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

from edge_aiops import __version__
from edge_aiops.base.errors import EdgeAiopsError, FieldError
from edge_aiops.cli.command import parser
from edge_aiops.cli.commands import meant
from edge_aiops.cli.output import printable

_EXTRAS = dict.fromkeys(("sqlalchemy", "alembic", "asyncpg", "obstore"), "hub") | {"pyarrow": "compare"}
"""Modules that come with an extra of ours."""

_INTERRUPTED = 130
_NOT_UNDERSTOOD = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError, OSError)
"""What the answer of a server that says something else than ours leads to."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` (by default those of the process) say; gives the exit code.

    0: done. 1: it failed, and standard error says why. 2: the command line is wrong. 130: stopped by Ctrl-C.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    chosen = parser(__version__, meant(arguments)).parse_args(arguments)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal of ASCII shows what it can
    try:
        if chosen.run is None:
            chosen.help()
            return 0
        code = chosen.run(chosen) or 0
        sys.stdout.flush()
        return int(code)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader has enough, as with `| head`; at exit Python would complain of what is still unwritten.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except EdgeAiopsError as error:
        return _failed(error.message, error.fields)
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        if (extra := _EXTRAS.get(module)) is None:
            raise
        return _failed(f"this needs {module}, which is not installed; try: pip install 'edge-aiops[{extra}]'")
    except _NOT_UNDERSTOOD as error:
        if not chosen.client or chosen.log_level == "debug":
            raise
        said = f"{type(error).__name__}: {error}".replace("\n", " ")[:200]
        return _failed(
            f"edge-aiops {__version__} does not understand what the server answered ({said}); is it another version? "
            "`--log-level debug` shows where"
        )


def _failed(message: str, fields: tuple[FieldError, ...] = ()) -> int:
    blamed = [f"{field}: {said}" for field, said in fields]
    if len(blamed) > 1 and message == "; ".join(blamed):
        message = f"{len(blamed)} fields are wrong"
    lines = [message, *(f"  {line}" for line in blamed if line not in message)]
    print("error: " + "\n".join(printable(line) for line in lines), file=sys.stderr)
    return 1
