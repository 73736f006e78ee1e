"""The contents of a report: cell lines, missing wells and limits, taken from the analysis as they are."""

from __future__ import annotations

import pytest
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_analysis.report import view as view_module
from gandl_analysis.report.render import render_report
from gandl_analysis.report.view import report_view
from gandl_shared.schemas.vocabulary import Flag, Role, Verdict


def test_cell_lines_hold_the_quality_of_the_analysis(analysis: ScreenAnalysis) -> None:
    for line in report_view(analysis).cell_lines:
        assert line.quality is analysis.quality.cell_lines[line.name]
        assert line.grade.label == "good"
        assert sum(item.n for item in line.verdicts) == line.n_compounds == 12


def test_verdicts_and_flags_have_the_order_of_the_vocabulary(analysis: ScreenAnalysis) -> None:
    view = report_view(analysis)
    assert [item.verdict for item in view.cell_lines[0].verdicts] == list(Verdict)
    assert list(view.flags) == [flag for flag in Flag if flag in view.flags]
    assert Flag.FEW_DOSES not in view.flags


def test_missing_wells_carry_their_reasons(analysis: ScreenAnalysis) -> None:
    missing = {(item.well.plate, item.well.well): item.reasons for item in report_view(analysis).missing}
    assert set(missing) == {("HRCE-1", "C07"), ("VERO-2", "B04")}
    assert missing["HRCE-1", "C07"] == (
        "site 2: truncated TIFF: 81,920 of 131,072 bytes",
        "site 1: truncated TIFF: 1,024 of 131,072 bytes",
    )


def test_a_well_that_image_quality_control_left_out_is_missing_with_that_reason(small: ScreenAnalysis) -> None:
    lost = {"on": None, "off": None, "efficacy": None, "excluded": "image QC: empty"}
    wells = (small.wells[0].model_copy(update=lost), *small.wells[1:])
    (first, *_) = report_view(small.model_copy(update={"wells": wells})).missing
    assert (first.well.well, first.reasons) == ("A01", ("image QC: empty",))


def test_a_plate_that_is_left_out_is_missing_once(small: ScreenAnalysis) -> None:
    lost = {"on": None, "off": None, "efficacy": None, "excluded": "excluded by Ann: <dropped>"}
    plate = small.wells[0].plate
    wells = tuple(w.model_copy(update=lost) if w.plate == plate else w for w in small.wells)
    analysis = small.model_copy(update={"wells": wells})
    (missing,) = report_view(analysis).missing_plates
    n_used = sum(well.plate == plate and well.role is not Role.EMPTY for well in wells)
    assert (missing.plate, missing.n_wells) == (plate, n_used)
    assert missing.reasons == ("excluded by Ann: <dropped>",)
    section = render_report(analysis).partition('<section id="missing">')[2].partition("</section>")[0]
    assert section.count("excluded by Ann: &lt;dropped&gt;") == 1
    assert report_view(small).missing_plates == ()


def test_only_the_first_plates_are_drawn(analysis: ScreenAnalysis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view_module, "MAX_PLATES", 2)
    view = report_view(analysis)
    assert (view.drawn_plates, len(view.plates)) == (("HRCE-1", "HRCE-2"), 8)


def test_plates_of_very_many_wells_are_drawn_until_the_limit(
    analysis: ScreenAnalysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (sum(well.plate == plate for well in analysis.wells) for plate in ("HRCE-1", "HRCE-2"))
    monkeypatch.setattr(view_module, "MAX_DRAWN_WELLS", first + second)
    assert report_view(analysis).drawn_plates == ("HRCE-1", "HRCE-2")
    monkeypatch.setattr(view_module, "MAX_DRAWN_WELLS", 1)
    assert report_view(analysis).drawn_plates == ("HRCE-1",)


def test_a_well_beyond_column_12_needs_large_plates(small: ScreenAnalysis) -> None:
    assert not report_view(small).has_large_plates
    wells = (small.wells[0].model_copy(update={"well": "A13"}), *small.wells[1:])
    assert report_view(small.model_copy(update={"wells": wells})).has_large_plates


def test_one_in_sample_cell_line_makes_the_report_in_sample(small: ScreenAnalysis) -> None:
    assert not report_view(small).in_sample
    lines = {name: q.model_copy(update={"in_sample": name == "VERO"}) for name, q in small.quality.cell_lines.items()}
    quality = small.quality.model_copy(update={"cell_lines": lines})
    assert report_view(small.model_copy(update={"quality": quality})).in_sample
