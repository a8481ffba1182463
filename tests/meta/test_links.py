"""Every link in the documentation leads somewhere."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_FENCED = re.compile(r"^ *(```+).*?^ *\1 *$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]+`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(page: Path) -> None:
    assert [target for target in _links(page) if not _leads_somewhere(page, target)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_two_headings_of_a_page_have_the_same_anchor(page: Path) -> None:
    assert [anchor for anchor, count in Counter(_anchors(page)).items() if count > 1] == []


def test_every_page_about_monitoring_is_linked_from_the_first() -> None:
    first = _links(ROOT / "docs" / "monitoring.md")
    pages = sorted((ROOT / "docs" / "monitoring").glob("*.md"))
    assert pages
    assert {f"monitoring/{page.name}" for page in pages} <= {target.partition("#")[0] for target in first}


def _leads_somewhere(page: Path, target: str) -> bool:
    if target.startswith(("http://", "https://")):
        return True
    path, _, anchor = target.partition("#")
    file = (page.parent / path).resolve() if path else page
    return file.is_relative_to(ROOT) and file.exists() and (not anchor or anchor in _anchors(file))


def _links(page: Path) -> list[str]:
    return _LINK.findall(_CODE.sub("code", _prose(page)))


def _anchors(page: Path) -> Iterator[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    for heading in _HEADING.findall(_prose(page)):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _prose(page: Path) -> str:
    return _FENCED.sub("", page.read_text("utf-8"))
