"""Runs the demo: a server in this process, the story told to it over HTTP, and what to try next."""

from __future__ import annotations

import asyncio
import json
import shlex
import shutil
import signal
import sys
from pathlib import Path

import aiohttp

from edge_aiops.base.errors import BackendUnavailable
from edge_aiops.base.settings import Settings
from edge_aiops.cli.command import DEFAULT_URL
from edge_aiops.cli.demo import story
from edge_aiops.cli.demo.api import Api
from edge_aiops.cli.demo.filetypes import NAME, file_type_model
from edge_aiops.cli.demo.samples import samples
from edge_aiops.cli.demo.show import Show
from edge_aiops.http.serve import serving
from edge_aiops.plugin.loader import Plugins
from edge_aiops.plugin.registry import Backends


async def run(settings: Settings, *, goes_on: bool, fleeting: bool) -> None:
    """Tell the story. `goes_on`: serve afterwards until Ctrl-C or SIGTERM. `fleeting`: the data are deleted then."""
    model, show = file_type_model(), Show()
    if missing := Backends(Plugins()).missing("onnx"):
        raise BackendUnavailable(f"{missing}; or everything at once: pip install 'edge-aiops[demo]'")
    async with serving(settings) as url:
        show.say(f"edge_aiops serves on {url}: a hub and a node in this process, data in {settings.data_folder}")
        async with aiohttp.ClientSession(url) as http:
            told = await story.tell(Api(http), model, await asyncio.to_thread(samples), show)
        if goes_on:
            _write_examples(settings.data_folder, told[0])
            _say_what_next(show, url, settings.data_folder, fleeting=fleeting)
            await _stopped()


def _write_examples(folder: Path, told: story.Told) -> None:
    for name, content in (("features.json", told.request["features"]), ("request.json", told.request)):
        (folder / name).write_text(json.dumps(content), "utf-8")


def _say_what_next(show: Show, url: str, folder: Path, *, fleeting: bool) -> None:
    program = _program()
    there = "" if url == DEFAULT_URL else f" --url {url}"
    features, request = (shlex.quote(str(folder / name)) for name in ("features.json", "request.json"))
    show.chapter(5, f"The server goes on at {url}", "Ctrl-C stops it")
    show.say(f"  {url}/docs shows every endpoint. Try in another terminal:")
    for command in (
        f"{program} events --limit 5{there}",
        f"{program} predict {NAME} --features-file {features}{there}",
        f"curl -s {url}/predict -H 'Content-Type: application/json' -d @{request}",
    ):
        show.say(f"    {command}", style="green")
    if fleeting:
        show.say("  Its data are deleted when it stops; `--data FOLDER` keeps them.", style="dim")


def _program() -> str:
    """How the reader's shell finds the program that runs now."""
    here, found = Path(sys.argv[0]), shutil.which("edge-aiops")
    if here.name != "edge-aiops":
        return "edge-aiops" if found else f"{shlex.quote(sys.executable)} -m edge_aiops"
    return "edge-aiops" if found and Path(found).samefile(here) else shlex.quote(str(here.absolute()))


async def _stopped() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
