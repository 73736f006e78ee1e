"""Tables fit the terminal, and no text is cut."""

from __future__ import annotations

import pytest
from gandl.terminal.layout import add_row, new_table, print_table

from tests.cli.terminal.console import Screenshot, without_breaks

HEADINGS = ("compound", "cell line", "verdict", "EC50 µM", "95 % interval", "Emax", "q")
ROW = ("Rescuvir", "HRCE-like", "active_biphasic", "0.488", "0.401 to 0.612", "0.93", "1.2e-10")


def printed(*rows: tuple[str, ...], width: int = 80) -> Screenshot:
    table = new_table(*HEADINGS)
    for row in rows:
        add_row(table, *row)
    shot = Screenshot(width)
    print_table(table, shot.console)
    return shot


def test_a_row_that_fits_is_one_line() -> None:
    shot = printed(ROW)
    assert len(shot.lines) == 3  # headings, rule, row
    for cell in ROW:
        assert cell in shot.row("Rescuvir")


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_a_long_name_continues_on_the_next_line(width: int) -> None:
    name = "N-[4-(2-hydroxyethyl)-phenyl]-3-methylpyridinecarboxamide hydrochloride"
    shot = printed((name, *[""] * (len(HEADINGS) - 1)), ROW, width=width)
    assert max(map(len, shot.lines)) <= width
    assert "…" not in shot.text
    assert without_breaks(name) in without_breaks(shot.text)


def test_brackets_are_no_markup() -> None:
    assert "[3H]-[bold]X" in printed(("[3H]-[bold]X", *ROW[1:])).text
