"""A service answers under its own names only, and changes nothing that a page of another site asks for.

A page that somebody opens can make the browser send requests to any address, and can give its own name the address of
a service in the local network (DNS rebinding). The headers Host, Origin and Sec-Fetch-Site, which a page cannot choose,
tell such requests apart.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Collection, Mapping
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from gandl_shared.errors import Forbidden, GandlError, Malformed
from gandl_shared.schemas.headers import API_KEY
from gandl_shared.web.errors import error_response
from gandl_shared.web.request_ids import request_id

ALLOWED_HOSTS = "GANDL_ALLOWED_HOSTS"
"""The environment variable with the host names of a service, separated by commas; `*.example.org` allows subdomains,
and `*` every name."""

_PRIVATE = ("local", "internal", "localhost", "lan", "home.arpa", "test")
"""Ends of names that nobody can register, as clusters and local networks use them."""
_READING = ("GET", "HEAD", "OPTIONS")
_DECIDING = (b"host", b"origin", b"sec-fetch-site", b"content-type", b"content-length", API_KEY.lower().encode())


class HostNames:
    """The names under which a service answers.

    Without `hosts` these are addresses, names without a dot and names that nobody can register.
    """

    def __init__(self, hosts: Collection[str]) -> None:
        self._hosts = frozenset(host.strip().lower() for host in hosts if host.strip())
        # The header that was accepted last, which is that of most requests.
        self._accepted = b""

    def refusal(self, method: str, headers: Mapping[bytes, bytes]) -> str | None:
        """Return why a request with these headers is refused, or None."""
        header = headers.get(b"host", b"")
        host = header.decode("latin-1")
        if header != self._accepted or not header:
            if not self._accepts(_name(host)):
                return f"this service does not answer under the name {host[:100]!r}"
            self._accepted = header
        if method in _READING or not (b"origin" in headers or b"sec-fetch-site" in headers):
            return None
        origin = headers.get(b"origin", b"").decode("latin-1")
        if b"origin" not in headers and headers.get(b"sec-fetch-site") != b"cross-site":
            return None
        other = _site(origin)
        if other and (other.lower() == host.lower() or _name(other) in self._hosts):
            return None
        return f"a page of {(origin or 'another site')[:100]} may change nothing here"

    def _accepts(self, name: str) -> bool:
        if not self._hosts:
            return _is_private(name)
        parents = (f"*.{name.partition('.')[2]}", "*")
        # Health checks come by the address, whatever the name of the service is.
        return name in self._hosts or any(parent in self._hosts for parent in parents) or _is_address(name)


class OwnHosts:
    """Middleware that refuses other host names, and changes that another site asks for."""

    def __init__(self, app: ASGIApp, *, hosts: Collection[str]) -> None:
        self._app, self._names = app, HostNames(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403."""
        error = self._error(scope) if scope["type"] == "http" else None
        if error is None:
            await self._app(scope, receive, send)
            return
        await error_response(error, request_id(Request(scope)))(scope, receive, send)

    def _error(self, scope: Scope) -> GandlError | None:
        headers = dict(scope["headers"])
        # Of two such headers, a proxy may look at one and this service at the other.
        if len(headers) != len(scope["headers"]):
            names = [name for name, _ in scope["headers"]]
            for name in _DECIDING:
                if names.count(name) > 1:
                    return Malformed(f"the request has the header {name.decode()} twice; send it once")
        reason = self._names.refusal(scope["method"], headers)
        if reason is None:
            return None
        return Forbidden(f"{reason}; set {ALLOWED_HOSTS} to the names of this service")


def hosts_of_environment() -> tuple[str, ...]:
    """Return the names in GANDL_ALLOWED_HOSTS, none if it is not set."""
    return tuple(name for name in os.environ.get(ALLOWED_HOSTS, "").split(",") if name.strip())


def _name(host: str) -> str:
    """Return the name in a Host header without its port, in small letters; an address of IPv6 loses its brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower().rstrip(".")


def _site(origin: str) -> str:
    """Return the host and port of a header Origin, nothing if it has none."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        # Brackets that do not close, or that hold no address of IPv6.
        return ""


# Requests name the same few hosts, and parsing an address costs more than the rest of the check.
@lru_cache(maxsize=256)
def _is_private(name: str) -> bool:
    ends = tuple(f".{end}" for end in _PRIVATE)
    return _is_address(name) or ("." not in name and name != "") or name.endswith(ends)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
