"""What is shown of an address never holds its password, and what is no address of a server is refused."""

from __future__ import annotations

import pytest

from edge_aiops.base.errors import InvalidInput
from edge_aiops.base.urls import server_url, without_password


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


def test_the_address_of_a_server_is_taken_as_it_is() -> None:
    assert server_url("https://hub.example/site/", field="hub") == "https://hub.example/site"
    assert server_url("http://[::1]:9926", field="hub") == "http://[::1]:9926"


@pytest.mark.parametrize("url", ["", "hub", "localhost:9926", "ftp://hub", "http://", "http://hub:x", "http://[::1"])
def test_what_is_no_address_of_a_server_is_refused_by_its_field(url: str) -> None:
    with pytest.raises(InvalidInput, match=r"http://hub\.example:9926") as refused:
        server_url(url, field="hub.upstream")
    assert [fault.field for fault in refused.value.fields] == ["hub.upstream"]
