"""A shared timer makes each call when it is due, and none that was cancelled."""

from __future__ import annotations

import asyncio

import pytest
from gandl_shared.web.requests.timers import SharedTimer, shared_timer


async def _calls(*, cancel: str) -> list[str]:
    timer, calls, end = SharedTimer(0.02), [], asyncio.Event()
    for name in "abc":
        timer.add(name, lambda name=name: calls.append(name))
    timer.cancel(cancel)
    timer.cancel("never added")
    await asyncio.sleep(0.01)
    timer.add(end, end.set)
    await end.wait()
    return calls


@pytest.mark.parametrize(("cancel", "left"), [("a", "bc"), ("b", "ac"), ("c", "ab")])
def test_calls_come_in_order_without_the_one_that_was_cancelled(cancel: str, left: str) -> None:
    assert asyncio.run(_calls(cancel=cancel)) == list(left)


def test_a_call_comes_not_before_its_time_and_an_idle_timer_takes_calls_again() -> None:
    async def main() -> list[float]:
        loop, waits = asyncio.get_running_loop(), []
        timer = SharedTimer(0.02)
        for _ in range(2):
            start, due = loop.time(), asyncio.Event()
            timer.add(due, due.set)
            await due.wait()
            waits.append(loop.time() - start)
        return waits

    assert min(asyncio.run(main())) >= 0.02


def test_a_loop_has_one_timer_for_each_time_and_another_loop_has_its_own() -> None:
    async def timers() -> tuple[SharedTimer, SharedTimer, SharedTimer]:
        return shared_timer(1), shared_timer(1), shared_timer(2)

    one, again, other = asyncio.run(timers())
    assert one is again
    assert one is not other
    assert asyncio.run(timers())[0] is not one
