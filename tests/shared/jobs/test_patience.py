"""Waiting for what is away."""

from __future__ import annotations

import pytest
from gandl_shared.errors import Conflict, Unavailable
from gandl_shared.jobs import patience
from gandl_shared.jobs.patience import persist, wait_seconds


def test_waits_grow_to_a_minute() -> None:
    assert [wait_seconds(n) for n in (0, 1, 2, 6, 10**9)] == [1, 2, 4, 60, 60]


def test_a_step_is_repeated_while_the_database_is_away_and_no_other_error_is_hidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(patience.time, "sleep", pauses.append)
    answers: list[Exception | int] = [Unavailable("full"), Unavailable("full"), 7]

    def step() -> int:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert persist(step) == 7
    assert pauses == [1, 2]
    answers.append(Conflict("no"))
    with pytest.raises(Conflict):
        persist(step)
