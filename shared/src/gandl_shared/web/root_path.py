"""The path under which a proxy shows an application, so that the addresses it writes are those that readers have."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send


class RootPath:
    """Tells every request the path of the proxy. A path that the proxy has cut off is put back, because the router
    expects paths to begin with it."""

    def __init__(self, app: ASGIApp, *, root_path: str) -> None:
        self._app, self._root_path = app, root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on below the path."""
        if scope["type"] in ("http", "websocket"):
            path, root = scope["path"], self._root_path
            whole = path if path == root or path.startswith(f"{root}/") else root + path
            scope = {**scope, "root_path": root, "path": whole}
        await self._app(scope, receive, send)
