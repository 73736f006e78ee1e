"""The table of the demo in 80 columns."""

from __future__ import annotations

from gandl.simulate import preset
from gandl.simulate.truth import Recovery, Truth
from gandl.terminal.recovery_table import print_recovery
from gandl_shared.schemas.vocabulary import Verdict

from tests.analysis.example.screen import example_analysis
from tests.cli.terminal.console import Screenshot

CURVE = next(c for c in example_analysis().curves if c.verdict == "active" and c.ec50.relation == "=")
DESIGN = preset("demo")


def recoveries(verdict: str, expected: str) -> list[Recovery]:
    """Return a row for each compound and cell line of the demo."""
    return [
        Recovery(
            Truth(
                compound=compound.name,
                cell_line=cell_line,
                behaviour=compound.in_cells(cell_line).behaviour,
                ec50_um=compound.in_cells(cell_line).ec50_um,
                expected=expected,
            ),
            CURVE.model_copy(update={"verdict": Verdict(verdict)}),
        )
        for compound in DESIGN.compounds
        for cell_line in DESIGN.cell_lines
    ]


def test_each_row_of_the_demo_is_one_line_of_80_columns() -> None:
    rows = recoveries("active_biphasic", "active_biphasic")
    shot = Screenshot()
    print_recovery(rows, shot.console)
    assert len(shot.lines) == 2 + len(rows) + 2
    assert max(map(len, shot.lines)) <= 80
    for row in rows:
        (line,) = [line for line in shot.lines if row.truth.compound in line and row.truth.cell_line in line]
        assert "active_biphasic" in line


def test_a_verdict_that_was_not_expected_is_shown_beside_the_expected_one() -> None:
    shot = Screenshot()
    print_recovery(recoveries("active", "inactive")[:1], shot.console)
    assert "active, not inactive" in " ".join(shot.text.split())
    assert "…" not in shot.text


def test_right_rows_are_counted() -> None:
    rows = recoveries("inactive", "inactive")
    shot = Screenshot()
    print_recovery(rows, shot.console)
    right = sum(row.is_right for row in rows)
    assert 0 < right < len(rows)
    assert f"{right} of {len(rows)} right" in shot.text
    assert (shot.text.count("✓"), shot.text.count("✗")) == (right, len(rows) - right)
