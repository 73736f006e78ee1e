"""A fit is identified by everything it holds, and refuses vectors of another featurizer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gandl_science.axis.cross_fit import score_wells
from gandl_science.axis.fitted import AxisFit
from gandl_science.axis.provenance import AxisProvenance, ControlStatus, HeldOut, TilePreparation

from tests.science.simulated_plates import Design, Plate, draw

PROVENANCE = AxisProvenance(
    model="m",
    model_id="0" * 64,
    preprocessing=TilePreparation(downscale=1, limits="plate", size=64),
    normalisation="none",
    cell_line="U2OS",
)


@pytest.fixture(scope="module")
def plate() -> Plate:
    return draw(Design(features=6), np.random.default_rng(0))


@pytest.fixture(scope="module")
def fit(plate: Plate) -> AxisFit:
    return score_wells(plate.vectors, plate.well, plate.labels, plate.folds).fit


def test_vectors_of_another_length_are_refused(plate: Plate, fit: AxisFit) -> None:
    with pytest.raises(ValueError, match=r"vectors of 6 features, got shape \(288, 5\)"):
        fit.along(plate.vectors[:, :5])


def test_a_score_is_the_mean_over_the_folds(plate: Plate, fit: AxisFit) -> None:
    by_fold = plate.vectors.astype(float) @ fit.weights.T + fit.biases
    np.testing.assert_allclose(fit.along(plate.vectors), by_fold.mean(axis=1), rtol=1e-9, atol=1e-12)


def test_the_digest_changes_with_any_part(fit: AxisFit) -> None:
    changed = [
        replace(fit, name="E3"),
        replace(fit, biases=fit.biases + 1e-12),
        replace(fit, anchors=replace(fit.anchors, positive=2.0)),
        replace(fit, off_axis=replace(fit.off_axis, unit=2.0)),
        replace(fit, held_out=HeldOut.PLATE),
        replace(fit, provenance=PROVENANCE),
        replace(fit, provenance=replace(PROVENANCE, off_axis_limit=2.0)),
    ]
    assert len({fit.digest, *(other.digest for other in changed)}) == 1 + len(changed)
    assert replace(fit).digest == fit.digest


def test_the_hold_out_has_one_word(fit: AxisFit) -> None:
    assert fit.grouped_by == "row"
    status = {s: replace(fit, held_out=None, control_status=s).grouped_by for s in ControlStatus}
    assert (status[ControlStatus.UNSEEN], status[ControlStatus.IN_SAMPLE]) == ("screen", "none")


def test_the_cell_line_is_that_of_the_provenance(fit: AxisFit) -> None:
    assert fit.cell_line is None
    assert replace(fit, provenance=PROVENANCE).cell_line == "U2OS"


def test_the_off_axis_unit_scales_distances_only(plate: Plate, fit: AxisFit) -> None:
    means, efficacy = plate.vectors[:4].astype(float), np.zeros(4)
    doubled = replace(fit.off_axis, unit=2 * fit.off_axis.unit)
    np.testing.assert_allclose(doubled.distance(means, efficacy), fit.off_axis.distance(means, efficacy) / 2)
    np.testing.assert_array_equal(doubled.coordinate(means), fit.off_axis.coordinate(means))
