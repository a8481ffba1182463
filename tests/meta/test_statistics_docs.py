"""The examples on the pages about statistics run as they are written, and every public name is on one of them."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest

import edge_aiops.stats

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "docs/statistics.md", *sorted((ROOT / "docs/statistics").glob("*.md"))]
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MODULES = [
    "edge_aiops.stats",
    *(f"edge_aiops.stats.{module.name}" for module in iter_modules(edge_aiops.stats.__path__)),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_examples_of_a_page_run_in_order(page: Path) -> None:
    blocks = _BLOCK.findall(page.read_text("utf-8"))
    assert blocks, f"{page} shows nothing"
    shared: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, str(page), "exec"), shared)


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_is_documented(module: str) -> None:
    told = "\n".join(page.read_text("utf-8") for page in PAGES)
    names = import_module(module).__all__
    assert [name for name in names if not re.search(rf"\b{name}\b", told)] == []
    assert [name for name in names if not getattr(import_module(module), name).__doc__] == []


@pytest.mark.parametrize("page", PAGES[1:], ids=lambda page: page.stem)
def test_every_page_is_linked_from_the_first(page: Path) -> None:
    assert f"(statistics/{page.name})" in PAGES[0].read_text("utf-8")
