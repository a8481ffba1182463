"""Object stores behind a URL, such as S3: opened with deadlines, and their failures said in our words."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, from_url

from edge_aiops.base.errors import SettingsError, Unavailable
from edge_aiops.base.urls import without_password

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_NOTHING = "nothing"
"""A prefix that no object has, so that to list it is cheap."""
_RETRIES: RetryConfig = {"max_retries": 3, "retry_timeout": timedelta(seconds=30)}


def open_store(url: str) -> ObjectStore:
    """The store at `url`; nothing is asked of it yet. Raises `SettingsError`."""
    # Whoever writes http:// in the endpoint's address means it, as with a store in the same rack.
    plain = any(os.environ.get(name, "").startswith("http://") for name in _ENDPOINTS)
    client: ClientConfig = {"connect_timeout": "5s", "timeout": "30s", "allow_http": plain}
    try:
        if url.startswith(("file:", "memory:")):
            return from_url(url)
        return from_url(url, client_options=client, retry_config=_RETRIES)
    except (BaseError, ValueError) as error:
        raise SettingsError(
            f"hub.artifacts: {without_password(url)!r} is no URL of an object store ({_first_line(error)}); write "
            "s3://bucket/prefix, or leave it out for a folder in the data folder"
        ) from error


async def check(store: ObjectStore) -> None:
    """Ask something of the store, to learn whether it answers. Raises `Unavailable`."""
    with failures():
        await obstore.list_with_delimiter_async(store, _NOTHING)


@contextmanager
def failures() -> Iterator[None]:
    """Raise `Unavailable` for what an object store says when it cannot be reached, or refuses."""
    try:
        yield
    except BaseError as error:
        raise Unavailable(
            f"the artifact store failed: {_first_line(error)}; is it running, are hub.artifacts and AWS_ENDPOINT_URL "
            "right, and may the credentials in the environment list, read, write and delete there?",
            retry_after_s=5,
        ) from error


def _first_line(error: Exception) -> str:
    return without_password(str(error).partition("\n")[0])[:300]
