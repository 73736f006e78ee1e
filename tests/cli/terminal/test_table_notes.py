"""Notes go to stderr, so that stdout contains only results."""

from __future__ import annotations

import pytest
from gandl.terminal.table_notes import print_notes


def test_each_note_is_a_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    print_notes(["m.csv was read as plate-shaped blocks", "b"])
    output = capsys.readouterr()
    assert (output.out, output.err) == ("", "note: m.csv was read as plate-shaped blocks\nnote: b\n")
