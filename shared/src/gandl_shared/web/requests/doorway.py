"""What is done with every request, for programs that answer some of them before the middleware of the application."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from gandl_shared.web.metrics import RequestCounts
from gandl_shared.web.requests.hosts import HostNames


@dataclass(frozen=True, kw_only=True)
class Doorway:
    """The names under which the application answers, and the numbers of its answers."""

    hosts: HostNames
    counts: RequestCounts


class Application(FastAPI):
    """An application with programs that see every request before it: the last one of `outer` sees it first."""

    outer: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if self.outer is None:
            await self.inner(scope, receive, send)
        else:
            await self.outer(scope, receive, send)

    async def inner(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request as the application alone does."""
        await super().__call__(scope, receive, send)
