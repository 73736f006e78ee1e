"""Decoder processes: they answer as the function does, and one that hangs, crashes or grows is replaced."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
from gandl_embedding.inputs import DecoderLimits, Decoders
from gandl_embedding.inputs.tiles import RequestLimits, tiles_of_uploads
from gandl_embedding.inputs.uploads import IMAGE, Upload
from gandl_shared.errors import Full, InvalidImage, TooLarge, Unavailable

from benchmarks.hostile.seeds import FIELD, tiff
from tests.embedding.fixtures.tiny_model import tiny_card

CARD = tiny_card(channels=2, size=16, downscale=2)
LIMITS = RequestLimits(max_pixels=2**16, max_tiles=64)
FILE = Upload(field=IMAGE, filename="a.tif", content=tiff(FIELD))


def run(work: Callable[[Decoders], Awaitable[None]], **limits: float) -> None:
    """Do `work` with one decoder process, and end it."""

    async def main() -> None:
        values = {"processes": 1, "memory_mib": 512, "seconds": 20.0, "queue_seconds": 8.0, **limits}
        decoders = Decoders(DecoderLimits(**values))  # type: ignore[arg-type]  # all of them are numbers
        try:
            await work(decoders)
        finally:
            await decoders.close()
            with pytest.raises(Unavailable, match="draining"):
                await decoders.tiles([FILE], CARD, None, LIMITS)

    asyncio.run(asyncio.wait_for(main(), 60))


def test_the_first_process_has_time_to_start_and_a_stop_does_not_wait_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "busy"
    script.write_text("#!/bin/sh\nexec sleep 60\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))

    async def main() -> float:
        decoders = Decoders(DecoderLimits(processes=1, memory_mib=512, seconds=20.0, queue_seconds=8.0))
        warm_up = asyncio.create_task(decoders.warm_up())
        await asyncio.sleep(0.1)
        assert not warm_up.done()
        start = time.perf_counter()
        await decoders.close()
        with pytest.raises(Unavailable, match="does not start"):
            await warm_up
        return time.perf_counter() - start

    assert asyncio.run(asyncio.wait_for(main(), 20)) < 5


def processes(decoders: Decoders) -> list[int]:
    """The process ids of all decoders."""
    return [decoder.pid for decoder in decoders.all]


def test_tiles_errors_and_replacement() -> None:
    """In one test, because a process takes half a second to start."""

    async def work(decoders: Decoders) -> None:
        expected = tiles_of_uploads([FILE], CARD, None, LIMITS)
        tiles = await decoders.tiles([FILE], CARD, None, LIMITS)
        np.testing.assert_array_equal(tiles.tiles, expected.tiles)
        assert (tiles.names, tiles.counts, tiles.limits) == (expected.names, expected.counts, expected.limits)
        assert tiles.intensities == expected.intensities
        (first,) = processes(decoders)
        with pytest.raises(InvalidImage, match=r"b\.tif"):
            await decoders.tiles([Upload(field=IMAGE, filename="b.tif", content=b"II*\0")], CARD, None, LIMITS)
        with pytest.raises(TooLarge, match="8192 pixels"):
            await decoders.tiles([FILE], CARD, None, RequestLimits(max_pixels=10, max_tiles=1))
        assert processes(decoders) == [first]
        # A process that is stopped answers no more, and one that is killed is found dead.
        os.kill(first, signal.SIGKILL)
        with pytest.raises(InvalidImage, match=r"a\.tif cannot be decoded: it takes too long"):
            await decoders.tiles([FILE], CARD, None, LIMITS)
        np.testing.assert_array_equal((await decoders.tiles([FILE], CARD, None, LIMITS)).tiles, expected.tiles)
        (second,) = processes(decoders)
        assert second != first

    run(work)


def test_a_process_that_hangs_is_ended_and_its_place_given_back() -> None:
    async def work(decoders: Decoders) -> None:
        await decoders.warm_up()
        (hanging,) = processes(decoders)
        os.kill(hanging, signal.SIGSTOP)
        start = time.perf_counter()
        with pytest.raises(InvalidImage, match="takes too long"):
            await decoders.tiles([FILE], CARD, None, LIMITS)
        assert time.perf_counter() - start < 5
        with pytest.raises(ProcessLookupError):
            os.kill(hanging, 0)

    run(work, seconds=0.3)


def test_a_queue_of_too_many_seconds_is_full_and_clients_that_leave_are_dropped() -> None:
    async def work(decoders: Decoders) -> None:
        await decoders.tiles([FILE], CARD, None, LIMITS)
        (only,) = processes(decoders)
        os.kill(only, signal.SIGSTOP)
        first = asyncio.create_task(decoders.tiles([FILE], CARD, None, LIMITS))
        other = asyncio.create_task(decoders.tiles([FILE], CARD, None, LIMITS))
        await asyncio.sleep(0.05)
        assert decoders.waiting == 1
        with pytest.raises(Full, match="a decoder is free in about"):
            decoders.check_room()
        other.cancel()
        await asyncio.gather(other, return_exceptions=True)
        assert decoders.waiting == 0
        decoders.check_room()
        os.kill(only, signal.SIGCONT)
        assert (await first).counts == (4,)

    run(work, queue_seconds=1e-6)
