"""An HTTP protocol for uvicorn that sends the head and the body of a small answer in one write.

uvicorn writes them one after the other, and each write is a call of the kernel that wakes the other side. `uvicorn
--http gandl_embedding.serving.gathered:GatheredHttp` uses it.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

MAX_BYTES = 2**16
"""So many bytes are written at once, so that a long answer does not wait in memory for the end of a turn."""


class GatheredHttp(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # uvicorn chooses the class at its import
    """The HTTP protocol that uvicorn chooses, over a transport that gathers what is written."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin a connection."""
        super().connection_made(GatheredWrites(transport))


class GatheredWrites:
    """A transport that writes what it got during one turn of the event loop together, at the end of the turn."""

    __slots__ = ("_loop", "_parts", "_size", "_transport")

    def __init__(self, transport: Any) -> None:  # Any: the transports of the event loops have no type in common
        self._transport, self._loop = transport, asyncio.get_running_loop()
        self._parts: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> None:
        """Write bytes at the end of this turn, or at once if there are many."""
        self._parts.append(data)
        self._size += len(data)
        if self._size >= MAX_BYTES:
            self._flush()
        elif len(self._parts) == 1:
            self._loop.call_soon(self._flush)

    def close(self) -> None:
        """Close the connection after what has been written."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._parts:
            parts, self._parts, self._size = self._parts, [], 0
            self._transport.writelines(parts)

    def __getattr__(self, name: str) -> Any:  # Any: whatever the transport has
        return getattr(self._transport, name)
