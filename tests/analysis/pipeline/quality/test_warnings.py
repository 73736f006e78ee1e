"""Confounded controls have no verdict above undetermined, and mislabelled controls are named with what to do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from gandl_analysis.pipeline.axes.efficacy import score_efficacy
from gandl_analysis.pipeline.axes.scored_cell_line import ScoredCellLine
from gandl_analysis.pipeline.quality.screen import screen_quality
from gandl_analysis.pipeline.quality.warnings import interleaved
from gandl_analysis.pipeline.tiles import tiles_of
from gandl_shared.plates import Role, Well
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.quality import Quality

from tests.analysis.simulated_screens import Simulated

PARAMETERS = AnalysisParameters()
SIMULATED = Simulated(effect=12.0, plates=("P1", "P2"))


def scored(wells: list[Well]) -> ScoredCellLine:
    tiles = tiles_of(SIMULATED.profiles(), wells)
    return score_efficacy(tiles, PARAMETERS, SIMULATED.screen().preparation, None).cell_lines["U2OS"]


def quality_of(wells: list[Well]) -> Quality:
    return screen_quality({"U2OS": scored(wells)}, PARAMETERS)


def test_controls_in_columns_of_their_own_are_not_usable() -> None:
    quality = quality_of(SIMULATED.wells())
    for group in (quality.cell_lines["U2OS"], quality.plates["P1"]):
        assert group.z_prime is not None and group.z_prime > 0.5
        assert group.verdict == "undetermined"
        assert group.reasons[-1].startswith("no column holds controls of both kinds")
    assert quality.probes["U2OS"].confounded == ("column",)


def test_a_swapped_label_is_named_with_its_plate_and_well() -> None:
    wells = [replace(w, role=Role.NEGATIVE) if (w.plate, w.well) == ("P2", "B01") else w for w in SIMULATED.wells()]
    quality = quality_of(wells)
    (control,) = quality.probes["U2OS"].mislabelled
    assert (control.plate, control.well, control.role) == ("P2", "B01", Role.NEGATIVE)
    assert "P2 B01 (negative control); check the plate map" in quality.cell_lines["U2OS"].reasons[-1]
    assert "P2 B01" in quality.plates["P2"].reasons[-1]
    assert not any("B01" in reason for reason in quality.plates["P1"].reasons)


def test_mixed_rows_or_columns_are_no_confounding() -> None:
    labels = np.tile([1, -1], 8)
    assert interleaved(np.arange(16), labels)
    # Two halves, the edge against the middle, and one column for each class.
    assert not interleaved(np.arange(16), np.repeat([1, -1], 8))
    assert not interleaved(np.arange(16), np.repeat([1, -1, 1], [4, 8, 4]))
    assert not interleaved(np.tile([1, 24], 8), labels)
