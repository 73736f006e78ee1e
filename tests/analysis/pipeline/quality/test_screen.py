"""The quality of a screen: its keys, its note, and its form as JSON."""

from __future__ import annotations

import dataclasses

from gandl_analysis.pipeline.quality.screen import screen_quality
from gandl_science.axis.anchors import AnchorSource
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.quality import Quality

from tests.analysis.pipeline.quality.simulated_assay import simulated_assay

PARAMETERS = AnalysisParameters()


def test_quality_is_by_cell_line_and_by_plate() -> None:
    quality = screen_quality({"U2OS": simulated_assay()}, PARAMETERS)
    assert (set(quality.cell_lines), set(quality.plates), set(quality.probes)) == ({"U2OS"}, {"P1"}, {"U2OS"})
    plate, cell_line = quality.plates["P1"], quality.cell_lines["U2OS"]
    assert (plate.cell_line, plate.z_prime) == ("U2OS", cell_line.z_prime)
    assert quality.note is None


def test_a_plate_of_two_cell_lines_has_an_entry_for_each() -> None:
    quality = screen_quality({"U2OS": simulated_assay(), "HRCE": simulated_assay(effect=14)}, PARAMETERS)
    assert set(quality.plates) == {"P1 (U2OS)", "P1 (HRCE)"}
    assert quality.plates["P1 (HRCE)"].z_prime == quality.cell_lines["HRCE"].z_prime


def test_the_note_names_the_screen_of_an_earlier_axis() -> None:
    cell_line = simulated_assay()
    origin = cell_line.origin.model_copy(update={"fitted_on": "screen 7", "anchors": AnchorSource.OWN_CONTROLS})
    quality = screen_quality({"U2OS": dataclasses.replace(cell_line, origin=origin)}, PARAMETERS)
    assert quality.note == "Scored by axes of screen 7; anchors, U2OS: own controls."


def test_the_note_of_the_paper_preset_warns() -> None:
    quality = screen_quality({"U2OS": simulated_assay()}, AnalysisParameters.model_validate({"preset": "paper"}))
    assert quality.note is not None and "in-sample" in quality.note


def test_quality_comes_back_from_json() -> None:
    quality = screen_quality({"U2OS": simulated_assay()}, PARAMETERS)
    assert Quality.model_validate_json(quality.model_dump_json()) == quality
