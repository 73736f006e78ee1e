"""The efficacy of each cell line: scored by its own tiles alone, held out, and refused with the counts of controls."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_analysis.pipeline.axes.efficacy import THIS_SCREEN, Efficacy, control_labels, score_axis, score_efficacy
from gandl_analysis.pipeline.inputs import EarlierAxes
from gandl_analysis.pipeline.tiles import WellTiles, tiles_of
from gandl_science.axis.anchors import AnchorSource
from gandl_science.axis.provenance import ControlStatus, HeldOut
from gandl_shared.errors import NotEnoughData
from gandl_shared.plates import Role
from gandl_shared.schemas.analysis import AnalysisParameters

from tests.analysis.simulated_screens import Simulated

TWO = Simulated(lines=("HRCE", "VERO"), lines_apart=5.0)
PAPER = AnalysisParameters(preset="paper")


def tiles_of_screen(simulated: Simulated) -> WellTiles:
    return tiles_of(simulated.profiles(), simulated.wells())


def efficacy_of(
    simulated: Simulated, parameters: AnalysisParameters | None = None, earlier: EarlierAxes | None = None
) -> Efficacy:
    screen = simulated.screen(parameters)
    return score_efficacy(tiles_of_screen(simulated), screen.parameters, screen.preparation, earlier)


def test_a_cell_line_is_scored_as_if_it_were_alone() -> None:
    both = efficacy_of(TWO).cell_lines
    assert list(both) == ["HRCE", "VERO"]
    tiles = tiles_of_screen(TWO).of_cell_line("VERO")
    alone = score_axis("E2", tiles, control_labels(tiles), AnalysisParameters())
    assert alone is not None
    np.testing.assert_array_equal(both["VERO"].scores.efficacy, alone.efficacy)


def test_the_axis_says_where_it_comes_from() -> None:
    (cell_line,) = efficacy_of(Simulated()).cell_lines.values()
    fit, origin = cell_line.stored_fit, cell_line.origin
    assert (fit.held_out, fit.control_status) == (HeldOut.ROW, ControlStatus.HELD_OUT)
    assert (origin.fitted_on, origin.anchors, origin.hash) == (THIS_SCREEN, AnchorSource.HELD_OUT, fit.digest)
    assert fit.provenance is not None and fit.provenance.off_axis_limit is not None


def test_labels_are_those_of_controls_with_images() -> None:
    simulated = Simulated()
    profiles = simulated.profiles()
    tiles = tiles_of(profiles.where(profiles.wells != "A01"), simulated.wells())
    labels = dict(zip([w.well for w in tiles.wells], control_labels(tiles).tolist(), strict=True))
    assert [labels[name] for name in ("A01", "A02", "A04", "A11")] == [0, 1, 0, -1]


def test_too_few_controls_are_counted_per_cell_line() -> None:
    screen = TWO.screen()
    wells = [w for w in screen.wells if w.cell_line == "HRCE" or w.well in ("E01", "E11", "F11")]
    tiles = tiles_of(screen.profiles, wells)
    with pytest.raises(NotEnoughData, match="cell line VERO has 1 positive and 2 negative control wells"):
        score_efficacy(tiles, screen.parameters, screen.preparation, None)


class TestEarlierAxes:
    def test_the_own_controls_of_a_new_screen_are_the_anchors(self) -> None:
        first = efficacy_of(Simulated(seed=1)).cell_lines["U2OS"]
        later = efficacy_of(Simulated(seed=2), earlier=EarlierAxes((first.stored_fit,), "first")).cell_lines["U2OS"]
        assert (later.origin.anchors, later.origin.fitted_on) == (AnchorSource.OWN_CONTROLS, "first")
        assert later.control_status is ControlStatus.UNSEEN
        assert later.origin.hash == first.stored_fit.digest != later.stored_fit.digest

    def test_the_same_controls_are_in_sample_and_the_file_stays_as_it_is(self) -> None:
        first = efficacy_of(Simulated(seed=1)).cell_lines["U2OS"]
        again = efficacy_of(Simulated(seed=1), earlier=EarlierAxes((first.stored_fit,), "first")).cell_lines["U2OS"]
        assert (again.origin.anchors, again.in_sample) == (AnchorSource.STORED, True)
        assert again.stored_fit.digest == first.stored_fit.digest


class TestPaper:
    def test_cell_lines_share_one_axis_and_its_anchors(self) -> None:
        efficacy = efficacy_of(TWO, PAPER)
        assert efficacy.pooled is not None
        assert {c.stored_fit.digest for c in efficacy.cell_lines.values()} == {efficacy.pooled.stored_fit.digest}
        parts = [c.scores.efficacy for c in efficacy.cell_lines.values()]
        np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.sort(efficacy.pooled.scores.efficacy))
        assert all(c.in_sample for c in efficacy.cell_lines.values())

    def test_without_controls_the_screen_is_refused(self) -> None:
        screen = Simulated().screen(PAPER)
        tiles = tiles_of(screen.profiles, [w for w in screen.wells if w.role is not Role.POSITIVE])
        with pytest.raises(NotEnoughData, match="the screen has 0 positive and 8 negative"):
            score_efficacy(tiles, PAPER, screen.preparation, None)
