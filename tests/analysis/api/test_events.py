"""The event stream of a screen: what is sent, and when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest
from gandl_analysis.api import events
from gandl_analysis.api.events import Pace, progress_events
from gandl_shared.errors import NotFound
from gandl_shared.schemas.screen import Progress, ScreenState, ScreenStatus

QUICK = Pace(interval=0.001, max_seconds=60)


def status(state: ScreenState, done: int = 0) -> ScreenStatus:
    return ScreenStatus(
        id="s",
        name="n",
        state=state,
        model="m",
        plates=1,
        wells=1,
        progress=Progress(sites=4, done=done, parked=0),
        created_at="2026-01-01T00:00:00Z",
    )


def replay(outcomes: Sequence[ScreenStatus | NotFound]) -> Callable[[], ScreenStatus]:
    """Return a reader that gives the outcomes one after the other, and then the last one again and again."""
    remaining = list(outcomes)

    def read() -> ScreenStatus:
        outcome = remaining.pop(0) if len(remaining) > 1 else remaining[0]
        if isinstance(outcome, NotFound):
            raise outcome
        return outcome

    return read


def collect(read: Callable[[], ScreenStatus], pace: Pace = QUICK) -> list[str]:
    async def run() -> list[str]:
        return [text async for text in progress_events(read, pace)]

    return asyncio.run(asyncio.wait_for(run(), 20))


def names(texts: Sequence[str]) -> list[str]:
    return [text.splitlines()[0].removeprefix("event: ") for text in texts]


def test_a_status_is_sent_when_it_changes_and_only_then() -> None:
    running = [status(ScreenState.EMBEDDING, done) for done in (0, 0, 0, 2, 2)]
    texts = collect(replay([*running, status(ScreenState.DONE, 4)]))
    assert names(texts) == ["status", "status", "status", "end"]
    assert texts[-1] == "event: end\ndata: done\n\n"


@pytest.mark.parametrize("state", [ScreenState.DONE, ScreenState.FAILED, ScreenState.CANCELLED])
def test_a_screen_that_has_ended_is_sent_once(state: ScreenState) -> None:
    texts = collect(replay([status(state)]))
    assert names(texts) == ["status", "end"]
    assert texts[1].endswith(f"data: {state.value}\n\n")


def test_a_deleted_screen_ends_the_stream() -> None:
    texts = collect(replay([status(ScreenState.QUEUED), NotFound("there is no screen 's'")]))
    assert names(texts) == ["status", "gone"]


def test_the_stream_has_a_maximum_duration() -> None:
    assert names(collect(replay([status(ScreenState.QUEUED)]), Pace(interval=0.001, max_seconds=0.01))) == ["status"]


def test_a_silent_stream_is_kept_open_by_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "KEEP_ALIVE_SECONDS", 0.0)
    texts = collect(replay([status(ScreenState.QUEUED)] * 3 + [status(ScreenState.DONE)]))
    assert names(texts) == ["status", ": waiting", ": waiting", ": waiting", "status", "end"]
