"""Quality and curves of a screen in 80 columns."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from gandl.terminal.screen_tables import MAX_ROWS, print_curves, print_quality, print_screen
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_shared.schemas.curve import Curve

from tests.analysis.example.screen import example_analysis
from tests.cli.terminal.console import Screenshot, without_breaks

ANALYSIS = example_analysis()


def with_curves(curves: Sequence[Curve]) -> ScreenAnalysis:
    return ANALYSIS.model_copy(update={"curves": tuple(curves)})


def test_every_cell_line_and_every_curve_is_shown_without_a_cut() -> None:
    shot = Screenshot()
    print_screen(ANALYSIS, shot.console)
    assert max(map(len, shot.lines)) <= 80
    for heading in ("cell line", "Z′", "robust Z′", "SSMD", "tile accuracy", "controls +/-", "held out by", "EC50 µM"):
        assert heading in shot.text
    for name in ANALYSIS.quality.cell_lines:
        assert name in shot.text
    for curve in ANALYSIS.curves[:MAX_ROWS]:
        assert str(curve.verdict) in shot.text


def test_long_names_of_compounds_continue_on_the_next_line() -> None:
    shot = Screenshot()
    print_curves(ANALYSIS, shot.console)
    assert "…" not in shot.column("compound", "cell line")
    for curve in ANALYSIS.curves[:MAX_ROWS]:
        assert without_breaks(curve.compound) in shot.column("compound", "cell line")


def test_rows_that_fit_are_one_line() -> None:
    short = tuple(c for c in ANALYSIS.curves if len(c.compound) <= 12)
    shot = Screenshot()
    print_curves(with_curves(short), shot.console)
    assert len(shot.lines) == 2 + len(short[:MAX_ROWS]) + (len(short) > MAX_ROWS)


def test_a_large_screen_names_the_file_with_the_rest() -> None:
    many = with_curves(ANALYSIS.curves[:1] * (MAX_ROWS + 7))
    shot = Screenshot()
    print_curves(many, shot.console)
    assert shot.lines[-1] == "and 7 more in dose_response.csv"


def test_parked_sites_are_in_the_first_line() -> None:
    shot = Screenshot()
    print_screen(ANALYSIS, shot.console)
    first = ANALYSIS.parked[0]
    assert shot.lines[0].startswith(f"done, but {len(ANALYSIS.parked)} sites of ")
    assert f"well {first.well}, site {first.site}: {first.error}" in " ".join(shot.text.split())


def test_sites_that_failed_are_counted() -> None:
    shot = Screenshot()
    print_quality(ANALYSIS, shot.console)
    failed = [site for plate in ANALYSIS.quality.images.values() for site in plate.failed]
    excluded = sum(site.excluded for site in failed)
    assert f"{len(failed)} sites failed image QC, {excluded} of them were left out" in shot.text


@pytest.mark.parametrize("width", [80, 100])
def test_a_very_long_cell_line_is_not_cut(width: int) -> None:
    name = "iPSC-derived-cardiomyocytes-of-donor-12345-passage-7"
    (first, *_) = ANALYSIS.curves
    shot = Screenshot(width)
    print_curves(with_curves((first.model_copy(update={"cell_line": name}),)), shot.console)
    assert "…" not in shot.text
    assert max(map(len, shot.lines)) <= width
    assert name in shot.column("cell line", "verdict")
