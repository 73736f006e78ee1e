"""Progress bars appear on stderr with the first step, and never before bad input."""

from __future__ import annotations

import pytest
from gandl.terminal.progress import CountBar, ScreenBar, TransferBar
from gandl_shared.schemas.screen import Progress


def test_a_bar_shows_the_last_count_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with CountBar("simulating wells") as bar:
        bar.count(3, 96)
        bar.count(96, 96)
    output = capsys.readouterr()
    assert output.out == ""
    assert "simulating wells" in output.err and "96/96" in output.err


def test_a_parked_site_is_finished_too(capsys: pytest.CaptureFixture[str]) -> None:
    with ScreenBar() as bar:
        bar.step("embedding")
        bar.progress(Progress(sites=10, done=7, parked=2))
    assert "9/10" in capsys.readouterr().err


def test_bytes_are_shown_in_units(capsys: pytest.CaptureFixture[str]) -> None:
    with TransferBar() as bar:
        bar.step("downloading")
        bar.count(16_000_000, 32_000_000)
    assert "16.0/32.0 MB" in capsys.readouterr().err


def test_a_sentence_is_printed_beside_the_bar_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with ScreenBar() as bar:
        bar.step("starting")
        bar.tell("still starting after 15 s: [the models] are warming up")
    assert "still starting after 15 s: [the models] are warming up" in capsys.readouterr().err


def test_without_a_step_nothing_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="bad input"), ScreenBar():
        raise ValueError("bad input")
    assert capsys.readouterr().err == ""
