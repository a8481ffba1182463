"""`edge-aiops chat`: a conversation with a language model."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from edge_aiops.cli.command import Command

if TYPE_CHECKING:
    from collections.abc import Generator

Messages = list[dict[str, str]]


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="its name, or name:version")
    parser.add_argument(
        "prompt", metavar="PROMPT", nargs="?", help="what to say; standard input if `-`; a conversation if left out"
    )
    parser.add_argument("--system", metavar="TEXT", help="what the model is told first")
    parser.add_argument("--max-tokens", metavar="N", type=int, help="longest answer")
    parser.add_argument("--temperature", metavar="T", type=float, help="0 for the likeliest answer, up to 2")


def _run(arguments: Namespace) -> None:
    import sys

    messages: Messages = [{"role": "system", "content": arguments.system}] if arguments.system else []
    prompt = arguments.prompt
    if prompt == "-" or (prompt is None and not sys.stdin.isatty()):
        prompt = sys.stdin.read()
    if prompt is not None:
        messages.append({"role": "user", "content": prompt})
        _print_answer(arguments, messages)
        return
    print("Ctrl-C ends an answer, Ctrl-D the conversation.")
    while (said := _said()) is not None:
        messages.append({"role": "user", "content": said})
        messages.append({"role": "assistant", "content": _print_until_interrupted(arguments, messages)})


def _said() -> str | None:
    """What the user says; None at the end of the conversation."""
    while True:
        try:
            if said := input("> ").strip():
                return said
        except EOFError:
            print()
            return None


def _print_until_interrupted(arguments: Namespace, messages: Messages) -> str:
    texts: list[str] = []
    try:
        _print_answer(arguments, messages, texts)
    except KeyboardInterrupt:
        print()
    return "".join(texts)


def _print_answer(arguments: Namespace, messages: Messages, texts: list[str] | None = None) -> None:
    """Print the answer as it comes, and put its pieces into `texts`."""
    from contextlib import closing

    from edge_aiops.cli.output import printable

    with closing(_pieces(arguments, messages)) as pieces:  # so that whoever interrupts also stops the model
        for text in pieces:
            print(printable(text.expandtabs(4)), end="", flush=True)
            if texts is not None:
                texts.append(text)
    print()


def _pieces(arguments: Namespace, messages: Messages) -> Generator[str, None, None]:
    import json

    from edge_aiops.cli.client import Client

    wanted = {"max_tokens": arguments.max_tokens, "temperature": arguments.temperature}
    given = {name: value for name, value in wanted.items() if value is not None}
    request = {"model": arguments.model, "messages": messages, "stream": True, **given}
    for event in Client.of(arguments).events("/v1/chat/completions", json.dumps(request).encode()):
        yield event["choices"][0]["delta"].get("content", "")


COMMAND = Command(
    name="chat",
    summary="Talk to a language model of a running server",
    description="Every answer is an inference event, as those of predictions are.",
    examples=(
        "edge-aiops chat smollm2",
        "edge-aiops chat smollm2 'Name three rivers.' --temperature 0",
        "git diff | edge-aiops chat smollm2 --system 'Sum up this change in a sentence.'",
    ),
    arguments=_arguments,
    run=_run,
    client=True,
)
