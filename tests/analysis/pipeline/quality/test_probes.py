"""The probes of a cell line: what can be tested on a plate, and what cannot."""

from __future__ import annotations

import dataclasses

import numpy as np
from gandl_analysis.pipeline.axes.scored_cell_line import ScoredCellLine
from gandl_analysis.pipeline.quality.probes import cell_line_probes
from gandl_science.axis.provenance import ControlStatus

from tests.analysis.pipeline.quality.simulated_assay import simulated_assay


def on_two_plates(cell_line: ScoredCellLine) -> ScoredCellLine:
    """The same wells, half of them on another plate; both plates hold both kinds of controls."""
    wells = [dataclasses.replace(w, plate="P2") if i % 4 > 1 else w for i, w in enumerate(cell_line.wells)]
    return dataclasses.replace(cell_line, tiles=dataclasses.replace(cell_line.tiles, wells=wells))


def test_the_probes_of_one_plate() -> None:
    probes = cell_line_probes(simulated_assay())
    assert probes.confounded == ("column",)
    assert {probe.what for probe in probes.leakage} == {"row", "site"}  # one plate; a column holds one class only
    assert probes.replicates is not None
    assert [g.concentration_um for g in probes.replicates.groups] == [1.0, 2.0, 3.0, 4.0]
    assert [effect.plate for effect in probes.positions] == ["P1"]


def test_positions_have_the_labels_of_the_plate() -> None:
    (effect,) = cell_line_probes(simulated_assay()).positions
    assert list(effect.rows) == list("ABCDEFGHIJKLMNOP")
    assert set(effect.residuals) >= {"A01", "P02"}
    assert effect.row_p_adjusted is not None


def test_unseen_plates_need_two_plates() -> None:
    assert cell_line_probes(simulated_assay()).unseen_plates is None
    probes = cell_line_probes(on_two_plates(simulated_assay()))
    assert probes.unseen_plates is not None and probes.unseen_plates.plates == 2
    assert probes.unseen_plates.roc_auc is not None and probes.unseen_plates.roc_auc > 0.9
    assert [effect.plate for effect in probes.positions] == ["P1", "P2"]


def test_an_axis_of_an_earlier_screen_has_no_unseen_plates() -> None:
    cell_line = on_two_plates(simulated_assay())
    fit = dataclasses.replace(cell_line.scores.fit, control_status=ControlStatus.UNSEEN, held_out=None)
    reused = dataclasses.replace(cell_line, scores=dataclasses.replace(cell_line.scores, fit=fit))
    assert cell_line_probes(reused).unseen_plates is None


def test_the_same_seed_gives_the_same_probes() -> None:
    cell_line = simulated_assay()
    assert cell_line_probes(cell_line, seed=3) == cell_line_probes(cell_line, seed=3)


def test_wells_without_efficacy_have_no_position_effect() -> None:
    cell_line = simulated_assay()
    scores = dataclasses.replace(cell_line.scores, efficacy=np.full(32, np.nan))
    (effect,) = cell_line_probes(dataclasses.replace(cell_line, scores=scores)).positions
    assert (effect.residuals, effect.rows, effect.row_p_value) == ({}, {}, None)
