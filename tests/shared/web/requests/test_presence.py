"""Work ends when its client disconnects."""

from __future__ import annotations

import asyncio

from gandl_shared.web.requests.presence import while_present
from starlette.types import Message


def test_work_of_a_present_client_gives_its_result() -> None:
    async def receive() -> Message:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    assert asyncio.run(while_present(receive, asyncio.sleep(0, result=7))) == 7


def test_work_of_an_absent_client_is_cancelled() -> None:
    ended: list[str] = []

    async def receive() -> Message:
        await asyncio.sleep(0.01)
        return {"type": "http.disconnect"}

    async def work() -> int:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        return 1

    assert asyncio.run(while_present(receive, work())) is None
    assert ended == ["cancelled"]
