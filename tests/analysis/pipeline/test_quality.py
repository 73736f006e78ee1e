"""Quality as `quality.json` has it, from scored wells to the schema and back."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from gandl_analysis.pipeline.axes.scored_cell_line import ScoredCellLine
from gandl_analysis.pipeline.quality import cell_line_probes, group_quality
from gandl_analysis.pipeline.result import EfficacyAxis
from gandl_analysis.pipeline.tiles import WellTiles
from gandl_science.assay.grade import GradeThresholds
from gandl_science.axis.anchors import AnchorSource
from gandl_science.axis.cross_fit import score_wells
from gandl_shared.plates import Role, Well
from gandl_shared.plates.well_names import well_name
from gandl_shared.schemas.quality import Quality

from tests.science.simulated_plates import Design, draw


def scored_line(effect: float = 8.0) -> ScoredCellLine:
    """One plate of 16 controls and 16 wells of one compound at four doses, two sites a well."""
    plate = draw(Design(effect=effect, tiles=10), np.random.default_rng(0))
    scores = score_wells(plate.vectors, plate.well, plate.labels, plate.folds)
    positions = zip(plate.positions.rows.tolist(), plate.positions.columns.tolist(), plate.labels.tolist(), strict=True)
    wells = [_well(i, well_name(row, column), label) for i, (row, column, label) in enumerate(positions)]
    n = len(plate.vectors)
    tiles = WellTiles(
        wells=wells,
        vectors=plate.vectors,
        well=plate.well,
        rows=np.arange(n),
        sites=np.array(["1", "2"] * (n // 2), object),
        keys=np.full(n, "key", object),
    )
    origin = EfficacyAxis(
        cell_line="U2OS", hash=scores.fit.digest, fitted_on="this screen", anchors=AnchorSource.HELD_OUT
    )
    return ScoredCellLine(tiles=tiles, labels=plate.labels, scores=scores, stored_fit=scores.fit, origin=origin)


def _well(i: int, name: str, label: int) -> Well:
    role = {1: Role.POSITIVE, -1: Role.NEGATIVE, 0: Role.TREATMENT}[label]
    compound, dose = ("X", float(i % 4 + 1)) if label == 0 else (None, None)
    return Well(
        plate="P1", well=name, role=role, compound=compound, concentration_um=dose, cell_line="U2OS", table_row=i + 2
    )


EVERYTHING = np.ones(32, bool)


def test_a_clear_assay_is_good() -> None:
    found = group_quality(scored_line(effect=14), EVERYTHING)
    assert (found.n_positive, found.n_negative, found.grouped_by) == (8, 8, "row")
    assert found.verdict == "good" and found.well_accuracy == 1.0
    assert found.well_accuracy_interval is not None and found.well_accuracy_interval.low < 0.85
    assert found.accuracy_interval is not None and found.accuracy is not None
    assert found.accuracy_interval.low <= found.accuracy <= found.accuracy_interval.high


def test_an_assay_without_effect_is_poor() -> None:
    found = group_quality(scored_line(effect=0), EVERYTHING)
    assert found.verdict == "poor"
    assert found.z_prime is not None and found.z_prime < 0


def test_a_plate_without_positives_has_no_figures() -> None:
    line = scored_line()
    found = group_quality(line, line.labels < 0)
    assert (found.z_prime, found.roc_auc, found.verdict) == (None, None, "undetermined")
    assert found.reasons[0].startswith("0 positive and 8 negative")


def test_thresholds_reach_the_verdict() -> None:
    assert group_quality(scored_line(14), EVERYTHING, thresholds=GradeThresholds(good=0.99)).verdict == "usable"


def test_probes_answer_what_can_be_asked() -> None:
    found = cell_line_probes(scored_line())
    assert found.confounded == ("column",)
    assert {probe.what for probe in found.leakage} == {"row", "site"}  # one plate; a column holds one class alone
    assert found.replicates is not None
    assert [g.concentration_um for g in found.replicates.groups] == [1.0, 2.0, 3.0, 4.0]
    assert [effect.plate for effect in found.positions] == ["P1"]


def test_one_plate_says_nothing_of_unseen_plates_and_two_do() -> None:
    line = scored_line()
    assert cell_line_probes(line).unseen_plates is None
    halves = [dataclasses.replace(w, plate="P2") if i % 4 > 1 else w for i, w in enumerate(line.wells)]
    found = cell_line_probes(
        dataclasses.replace(line, tiles=dataclasses.replace(line.tiles, wells=halves))
    ).unseen_plates
    assert found is not None and found.plates == 2
    assert found.roc_auc is not None and found.roc_auc > 0.9


def test_same_seed_same_answer_and_json_comes_back() -> None:
    line = scored_line()
    quality = Quality(
        cell_lines={"U2OS": group_quality(line, EVERYTHING)},
        plates={"P1": group_quality(line, EVERYTHING)},
        probes={"U2OS": cell_line_probes(line)},
    )
    assert Quality.model_validate_json(quality.model_dump_json()) == quality
    assert cell_line_probes(line) == quality.probes["U2OS"]


def test_unseparated_controls_have_figures_but_no_positions() -> None:
    """No efficacy, so no position effect of it; Z′ comes from the raw scores."""
    line = scored_line()
    nothing = np.full(32, np.nan)
    line = dataclasses.replace(line, scores=dataclasses.replace(line.scores, efficacy=nothing))
    assert cell_line_probes(line).positions[0].residuals == {}
    assert group_quality(line, EVERYTHING).z_prime == pytest.approx(group_quality(scored_line(), EVERYTHING).z_prime)
