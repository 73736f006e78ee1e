"""The memory of the bodies of all requests in progress."""

from __future__ import annotations

from gandl_shared.errors import Full


class BodyMemory:
    """At most `max_bytes` of bodies at a time. A single body is always accepted, so that a small limit cannot block the
    service for good."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._reserved = 0

    def reservation(self, expected_bytes: int) -> Reservation:
        """Return a reservation without any byte yet. Raises Full if a body of `expected_bytes` has no room now.

        What is only announced takes no room, or silent connections could turn everybody away.
        """
        self._check(expected_bytes, 0)
        return Reservation(self)

    def take(self, n_bytes: int, own: int) -> None:
        """Reserve more bytes for a body that has its `own` already. Raises Full."""
        self._check(n_bytes, own)
        self._reserved += n_bytes

    def give_back(self, n_bytes: int) -> None:
        """End the reservation of so many bytes."""
        self._reserved -= n_bytes

    def _check(self, n_bytes: int, own: int) -> None:
        others = self._reserved - own
        if others and self._reserved + n_bytes > self._max_bytes:
            raise Full(f"requests of {others} bytes are being processed; try again")


class Reservation:
    """The bytes of one body, which are given back at the end of the block."""

    __slots__ = ("_memory", "_own")

    def __init__(self, memory: BodyMemory) -> None:
        self._memory, self._own = memory, 0

    def __enter__(self) -> Reservation:
        return self

    def __call__(self, n_bytes: int) -> None:
        """Reserve bytes that have arrived. Raises Full."""
        self._memory.take(n_bytes, self._own)
        self._own += n_bytes

    def __exit__(self, *_: object) -> None:
        self._memory.give_back(self._own)
