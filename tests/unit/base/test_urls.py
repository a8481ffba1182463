"""What is shown of an address never holds its password."""

from __future__ import annotations

import pytest

from edge_aiops.base.urls import without_password


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://edge:secret@db/edge", "postgresql://edge:***@db/edge"),
        ("postgresql://edge:se/cr?e#t@db:5432/edge", "postgresql://edge:***@db:5432/edge"),
        ("postgresql://edge:se@cr:et@db/edge", "postgresql://edge:***@db/edge"),
        ("postgresql:///edge?user=me&password=secret&host=/run", "postgresql:///edge?user=me&password=***&host=/run"),
        ("postgresql://edge@db/edge", "postgresql://edge@db/edge"),
        ("s3://bucket/prefix", "s3://bucket/prefix"),
        ("", ""),
    ],
)
def test_a_password_is_never_shown(url: str, shown: str) -> None:
    assert without_password(url) == shown
