"""The process that decodes: the system ends it when an order takes too much processor time or memory."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import BinaryIO

import pytest
from gandl_embedding.inputs import decoder
from gandl_embedding.inputs.messages import LENGTH, Order, Part, Reply, head_of

from benchmarks.hostile.seeds import FIELD, tiff
from tests.embedding.fixtures.tiny_model import tiny_card

CONTENT = tiff(FIELD)


def order(size: int) -> Order:
    return Order(
        card=tiny_card(),
        limits=None,
        max_pixels=2**20,
        max_tiles=64,
        allow_clipping=False,
        parts=(Part(field="image", filename="a.tif", size=size),),
    )


def reply(stream: BinaryIO) -> Reply:
    return Reply.model_validate_json(stream.read(LENGTH.unpack(stream.read(LENGTH.size))[0]))


def test_an_order_is_answered_until_the_connection_closes() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, ours.makefile("rb") as stream:
        for content in (CONTENT, b"text"):
            ours.sendall(head_of(order(len(content))) + content)
        ours.shutdown(socket.SHUT_WR)
        decoder.serve(theirs)
        tiles = reply(stream)
        assert (tiles.refusal, tiles.counts) == (None, (4,))
        assert len(stream.read(4 * 2 * 16 * 16)) == 4 * 2 * 16 * 16
        refusal = reply(stream).refusal
        assert refusal is not None
        assert refusal.error == "InvalidImage"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of a process")
def test_time_and_memory_end_the_process() -> None:
    """What a library would do: loop without an end, and ask for gigabytes."""
    code = "from gandl_embedding.inputs import decoder as d; d.limit_memory(64); d._allow(0.05)\n"
    loop = subprocess.run([sys.executable, "-c", code + "while True: pass"], capture_output=True, check=False)
    assert loop.returncode == -27  # SIGPROF
    grow = subprocess.run([sys.executable, "-c", code + "bytes(2**28)"], capture_output=True, check=False)
    assert b"MemoryError" in grow.stderr
