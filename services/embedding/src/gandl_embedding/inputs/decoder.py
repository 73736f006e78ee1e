"""The process that decodes image files: `python -m gandl_embedding.inputs.decoder DESCRIPTOR MEGABYTES`.

A library that reads broken or hostile bytes can hang, fill the memory or crash. Here it takes only this process with
it: the system ends the process when an order takes more processor time than its size explains, and refuses memory
beyond the limit. The service starts another one.
"""

from __future__ import annotations

import resource
import signal
import socket
import sys
from pathlib import Path

import numpy as np
from gandl_shared.errors import GandlError, InvalidImage

from gandl_embedding.inputs.messages import LENGTH, Order, Refusal, Reply, head_of
from gandl_embedding.inputs.tiles import tiles_of_uploads
from gandl_embedding.inputs.uploads import Upload

SECONDS = 0.8
"""Processor seconds of an order before its pixels are decoded. Right files need hundredths of a second."""
SECONDS_PER_PIXEL = 2e-7
"""Processor seconds per pixel after that: about five times what the slowest codec takes."""
SECONDS_PER_BYTE = 2e-8
"""Processor seconds per byte that is received."""


def serve(connection: socket.socket) -> None:
    """Carry out orders until the service closes the connection."""
    with connection.makefile("rb") as stream:
        while head := stream.read(LENGTH.size):
            order = Order.model_validate_json(stream.read(LENGTH.unpack(head)[0]))
            uploads = [
                Upload(field=part.field, filename=part.filename, content=stream.read(part.size)) for part in order.parts
            ]
            _answer(connection, order, uploads)


def _answer(connection: socket.socket, order: Order, uploads: list[Upload]) -> None:
    _allow(SECONDS + SECONDS_PER_BYTE * sum(part.size for part in order.parts))
    try:
        tiles = tiles_of_uploads(uploads, order.card, order.limits, order.request_limits, _allow_pixels)
    except GandlError as error:
        connection.sendall(head_of(Reply(refusal=Refusal.of(error))))
    except MemoryError:
        too_much = InvalidImage("the images need more memory than a request may have; send fewer or smaller ones")
        connection.sendall(head_of(Reply(refusal=Refusal.of(too_much))))
    else:
        connection.sendall(head_of(Reply.of(tiles)))
        connection.sendall(np.ascontiguousarray(tiles.tiles).data.cast("B") if tiles.tiles.size else b"")
    finally:
        _allow(0)


def _allow(seconds: float) -> None:
    """Let the system end this process after so many processor seconds; 0 means never."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


def _allow_pixels(pixels: int) -> None:
    _allow(signal.getitimer(signal.ITIMER_PROF)[0] + SECONDS_PER_PIXEL * pixels)


def limit_memory(megabytes: int) -> None:
    """Refuse more memory than the process has now and `megabytes`. Only Linux tells and limits it."""
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + megabytes * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def main() -> None:
    """Serve the connection of the first argument within the memory of the second."""
    # The codecs load now, so that their time counts for no order.
    import imagecodecs.imagecodecs  # noqa: F401, PLC0415

    limit_memory(int(sys.argv[2]))
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        connection.sendall(LENGTH.pack(0))
        serve(connection)


if __name__ == "__main__":
    main()
