"""Figure 5 ranks compounds by efficacy alone, as the paper does, and puts verdict and truth beside."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gandl.paper.curves import MAX_HIGHEST, figure5, highest_compounds
from gandl.paper.features import PUBLISHED
from gandl_analysis.figures.svg import to_svg
from gandl_analysis.pipeline.result import ScreenAnalysis

from tests.cli.paper.small import COMPOUNDS, DOSES


def test_the_highest_mean_of_any_dose_decides_the_rank(analyses: Mapping[str, ScreenAnalysis]) -> None:
    curves = [curve for curve in analyses[PUBLISHED].curves if curve.cell_line == "HRCE"]
    assert highest_compounds(curves) == list(COMPOUNDS)
    many = [curves[0].model_copy(update={"compound": f"C{i}"}) for i in range(9)]
    assert highest_compounds(many) == [f"C{i}" for i in range(MAX_HIGHEST)]


def test_each_dose_has_a_row_with_mark_and_verdict(analyses: Mapping[str, ScreenAnalysis], tmp_path: Path) -> None:
    page = figure5(analyses, COMPOUNDS[:1], tmp_path)
    rows = [dict(zip(page.header, row, strict=True)) for row in page.rows]
    assert len(rows) == 2 * len(COMPOUNDS) * len(DOSES)
    assert {row["highlighted"] for row in rows} == {"named highest 1", "highest 2"}
    assert {row["verdict"] for row in rows if row["compound"] == COMPOUNDS[0]} <= {"active", "active_biphasic"}
    assert {row["true_behaviour"] for row in rows} == {None}


def test_the_truth_of_simulated_data_stands_beside(analyses: Mapping[str, ScreenAnalysis], tmp_path: Path) -> None:
    header = "compound,cell_line,behaviour,ec50_um,expected_verdict"
    (tmp_path / "truth.csv").write_text(f"{header}\n{COMPOUNDS[0]},VERO,rescue,1,active\n")
    page = figure5(analyses, COMPOUNDS[:1], tmp_path)
    rows = [dict(zip(page.header, row, strict=True)) for row in page.rows]
    truths = {(row["compound"], row["cell_line"]) for row in rows if row["true_behaviour"] == "rescue"}
    assert truths == {(COMPOUNDS[0], "VERO")}
    assert {row["true_ec50_um"] for row in rows} == {1.0, None}


def test_every_named_compound_is_drawn_and_a_name_is_no_formula(
    analyses: Mapping[str, ScreenAnalysis], tmp_path: Path
) -> None:
    """More compounds than colours, of which one has a name that looks like a formula."""
    analysis = analyses[PUBLISHED]
    names = ["a$\\foo$", "C1", "C2", "C3", "C4"]
    curves = [analysis.curves[0].model_copy(update={"compound": name}) for name in names]
    page = figure5({PUBLISHED: analysis.model_copy(update={"curves": tuple(curves)})}, names, tmp_path)
    assert len(page.figure.axes[0].get_legend().get_texts()) == len(names)
    assert ">a$\\foo$" in to_svg(page.figure)
