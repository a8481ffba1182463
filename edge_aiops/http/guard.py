"""What every request passes first: who may call under which name, and which web pages may change things.

A page of any site can make its visitor's browser send requests to 127.0.0.1, by a name of its own (DNS
rebinding) or cross-site. So the Host must be one of ours, and a request that changes something and comes from a
page must come from one of our origins.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.http import RawRequestMessage
from aiohttp.typedefs import Middleware

from edge_aiops.base.errors import EdgeAiopsError, Forbidden
from edge_aiops.base.settings import HttpSettings
from edge_aiops.http import problems

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Guard:
    """The checks of one server, with the verdict on each Host remembered."""

    def __init__(self, settings: HttpSettings) -> None:
        self._any_host = "*" in settings.allowed_hosts
        self._names = _LOOPBACK | {settings.host.lower()} | {name.lower() for name in settings.allowed_hosts}
        self._by_address = settings.host.lower() not in _LOOPBACK
        self._origins = frozenset(origin.rstrip("/").lower() for origin in settings.allowed_origins)
        self._good: set[str] = set()

    def check(self, request: web.Request | RawRequestMessage) -> None:
        """Raises `Forbidden` that says what to set."""
        host = request.headers.get("Host", "")
        if host not in self._good:
            self._check_host(host)
        if request.method not in _SAFE_METHODS and (origin := request.headers.get("Origin")) is not None:
            self._check_origin(origin.lower(), host.lower())

    def _check_host(self, host: str) -> None:
        name = _name(host)
        # An address cannot be rebound: who calls by address means this machine, whatever name it listens under.
        if not (self._any_host or name in self._names or (self._by_address and _is_address(name))):
            raise Forbidden(f"this server does not answer for the Host {host!r}; add it to http.allowed_hosts")
        if len(self._good) < 256:
            self._good.add(host)

    def _check_origin(self, origin: str, host: str) -> None:
        if origin not in self._origins and origin not in (f"http://{host}", f"https://{host}"):
            raise Forbidden(f"pages of {origin!r} may not change anything here; add it to http.allowed_origins")


def _name(host: str) -> str:
    """The name or address in a Host header; nothing where it holds more than that and a port, or is malformed."""
    try:
        parts = urlsplit(f"//{host}")
        whole = parts.netloc == host and "@" not in host and parts.port != 0
        return (parts.hostname or "") if whole else ""
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def guarding(guard: Guard) -> Middleware:
    """The middleware: guards every request, and turns whatever is raised into problem+json."""

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            guard.check(request)
            return await handler(request)
        except EdgeAiopsError as error:
            return problems.from_error(error, path=request.path)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            return problems.from_http(error, path=request.path)
        except Exception as error:
            # The boundary to the caller, who never sees a stack trace.
            return problems.from_bug(error, path=request.path)

    return guarded
