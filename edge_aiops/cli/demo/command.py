"""`edge-aiops demo`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from edge_aiops.cli.command import Command
from edge_aiops.cli.serve import add_address_options


def _arguments(parser: ArgumentParser) -> None:
    add_address_options(parser)
    parser.add_argument(
        "--datasets", type=Path, metavar="FOLDER", help="where the data sets are, or go (default: in your cache)"
    )
    parser.add_argument("--no-serve", dest="serve", action="store_false", help="end when the story is told")


def _run(arguments: Namespace) -> None:
    import asyncio
    import logging
    import tempfile

    from edge_aiops.cli.effective import effective_settings
    from edge_aiops.cli.logs import configure_logs

    asked = effective_settings(arguments, http_host=arguments.host, http_port=arguments.port)
    if "log.level" in asked.origins:
        configure_logs(asked.settings.log.level)
    else:
        # A story is not for reading logs, unless somebody asks for them, and it tells of the alerts itself.
        configure_logs("error")
        logging.getLogger("edge_aiops.alerts").disabled = True
    if "data.folder" in asked.origins:
        asyncio.run(_told(arguments, asked.settings.data_folder, fleeting=False))
        return
    with tempfile.TemporaryDirectory(prefix="edge_aiops-demo-") as folder:
        asyncio.run(_told(arguments, Path(folder), fleeting=True))


async def _told(arguments: Namespace, folder: Path, *, fleeting: bool) -> None:
    from edge_aiops.cli.demo.datasets import default_folder
    from edge_aiops.cli.demo.run import run
    from edge_aiops.cli.effective import effective_settings

    arguments.data = str(folder)
    settings = effective_settings(arguments, http_host=arguments.host, http_port=arguments.port).settings
    await run(settings, arguments.datasets or default_folder(), goes_on=arguments.serve, fleeting=fleeting)


COMMAND = Command(
    name="demo",
    summary="See the main job in a minute: a model meets drift, the node notices, then a running server",
    description=(
        "Trains a model on car loans, serves it, and asks it about 16 weeks of loans over HTTP, with an accelerated\n"
        "clock. In the middle the loans change: see when the node notices, and when the labels prove it right.\n"
        "The server goes on afterwards. Needs: pip install 'edge-aiops[demo]'; the data set (23 MB) is downloaded\n"
        "once. What the server keeps is deleted at the end, unless --data names a folder."
    ),
    examples=("edge-aiops demo", "edge-aiops demo --port 8080", "edge-aiops demo --data ./demo --no-serve"),
    arguments=_arguments,
    run=_run,
)
