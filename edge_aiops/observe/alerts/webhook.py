"""The notifier `webhook`: signed POSTs after Standard Webhooks 1.0 (https://www.standardwebhooks.com)."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import msgspec
from yarl import URL

from edge_aiops import __version__
from edge_aiops.base.clock import Clock, SystemClock
from edge_aiops.base.durations import Duration
from edge_aiops.base.errors import InvalidInput
from edge_aiops.base.nearest import nearest
from edge_aiops.plugin.monitoring import Notification, NotificationFailed

SECRET_PREFIX = "whsec_"
DEFAULT_TIMEOUT_S = 20.0
MAX_TIMEOUT_S = 30.0
MAX_ANSWER_BYTES = 4_096
"""What is read of an answer; the rest is not waited for."""
_SECRET_BYTES = (24, 64)
_OPTIONS = ("url", "secret", "timeout")
_QUOTED = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class WebhookNotifier:
    """Sends `{"type", "timestamp", "data"}` to `url`, signed with `secret` (several, for a change of secrets).

    2xx is delivered; 410 is for good; whatever else, a redirect too, is a passing failure.
    """

    def __init__(self, options: Mapping[str, Any], *, clock: Clock | None = None) -> None:
        for name in options:
            if name not in _OPTIONS:
                close = nearest(name, _OPTIONS)
                remedy = f"did you mean {close!r}?" if close else f"there are: {', '.join(_OPTIONS)}"
                raise InvalidInput.of("options." + name[:80], f"there is no such option; {remedy}")
        self._url = _url(options.get("url"))
        self._keys = _keys(options.get("secret"))
        self._timeout_s = _timeout_s(options.get("timeout"))
        self._clock = clock or SystemClock()
        self._session: aiohttp.ClientSession | None = None

    async def notify(self, notification: Notification) -> None:
        """POST once. Raises `NotificationFailed`."""
        body = payload(notification)
        headers = signed_headers(notification.id, self._clock.now_ms() // 1000, body, self._keys)
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._opened().post(self._url, data=body, headers=headers, allow_redirects=False) as response,
            ):
                if not 200 <= response.status < 300:
                    raise await _refusal(response)
        except TimeoutError:
            raise NotificationFailed(f"no answer within {Duration(self._timeout_s)}") from None
        except aiohttp.ClientError as error:
            raise NotificationFailed(f"{type(error).__name__}: {error}") from error

    async def close(self) -> None:
        """Close its connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers={"User-Agent": f"edge-aiops/{__version__}"},
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._session


def payload(notification: Notification) -> bytes:
    """The body of the POST."""
    at = _EPOCH + timedelta(milliseconds=notification.timestamp)
    return msgspec.json.encode(
        {
            "type": notification.type,
            "timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "data": {
                "nodeId": notification.node_id,
                "severity": notification.severity,
                "summary": notification.summary,
                "alert": notification.alert,
            },
        }
    )


def signed_headers(webhook_id: str, timestamp_s: int, body: bytes, keys: tuple[bytes, ...]) -> dict[str, str]:
    """The headers of one attempt: id, its time, and a signature by each key over `id.time.body`."""
    signed = f"{webhook_id}.{timestamp_s}.".encode() + body
    digests = [hmac.new(key, signed, hashlib.sha256).digest() for key in keys]
    return {
        "Content-Type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests),
    }


async def _refusal(response: aiohttp.ClientResponse) -> NotificationFailed:
    said = " ".join((await response.content.read(MAX_ANSWER_BYTES)).decode("utf-8", "replace").split())[:_QUOTED]
    message = f"the receiver answered {response.status} {response.reason}{f': {said}' if said else ''}"
    if response.status == 410:
        return NotificationFailed(message, permanent=True)
    wanted = response.headers.get("Retry-After") if response.status in (429, 503) else None
    return NotificationFailed(message, retry_after_s=None if wanted is None else retry_after_s(wanted))


def retry_after_s(text: str) -> float | None:
    """The seconds that a Retry-After header asks for, as a number or a date; None where it says neither."""
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max((aware - datetime.now(UTC)).total_seconds(), 0.0)


def _url(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidInput.of("options.url", "it is required, such as https://alerts.example/hook")
    try:
        url = URL(value)
    except ValueError:
        # Not quoted: there may be a password in it.
        raise InvalidInput.of("options.url", "this is no address; write it like https://alerts.example/hook") from None
    if url.scheme not in ("http", "https") or not url.host or not url.port or not value.isprintable():
        raise InvalidInput.of("options.url", "it must begin with https:// or http:// and name a host")
    return value


def _keys(value: object) -> tuple[bytes, ...]:
    secrets = [value] if isinstance(value, str) else value
    if not isinstance(secrets, list | tuple) or not secrets:
        raise InvalidInput.of(
            "options.secret", f"it is required: {SECRET_PREFIX} and 24 to 64 random bytes in base64, or env:NAME"
        )
    return tuple(_key(secret) for secret in secrets)


def _key(secret: object) -> bytes:
    least, most = _SECRET_BYTES
    # The message never quotes the secret.
    try:
        if not isinstance(secret, str) or not secret.startswith(SECRET_PREFIX):
            raise ValueError
        encoded = secret.removeprefix(SECRET_PREFIX).rstrip("=")
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (ValueError, binascii.Error):
        raise InvalidInput.of("options.secret", f"a secret is written {SECRET_PREFIX} and then base64") from None
    if not least <= len(key) <= most:
        raise InvalidInput.of(
            "options.secret", f"it holds {len(key)} bytes; Standard Webhooks asks for {least} to {most}"
        )
    return key


def _timeout_s(value: object) -> float:
    if value is None:
        return DEFAULT_TIMEOUT_S
    if not isinstance(value, str):
        raise InvalidInput.of("options.timeout", 'it is a duration, such as "20s"')
    timeout = Duration.parse(value, field="options.timeout")
    if not 1 <= timeout <= MAX_TIMEOUT_S:
        raise InvalidInput.of("options.timeout", f"{value} is not from 1s to {Duration(MAX_TIMEOUT_S)}")
    return float(timeout)
