"""The axis works on real images without any training: intensity statistics of BBBC013 reach Z′ 0.1 to 0.34."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gandl_science.assay.baselines.intensity import intensity_statistics
from gandl_science.assay.separation import separation
from gandl_science.axis.cross_fit import AxisOptions, score_wells
from gandl_science.axis.folds import grouped_folds
from gandl_science.axis.provenance import HeldOut
from gandl_science.axis.scores import WellScores
from gandl_science.positions import Positions
from gandl_shared.imaging import Preprocessing, prepare, read_site, sampled_limits
from gandl_shared.plates import Role, Well, read_plate_map
from gandl_shared.plates.well_names import parse_wells
from numpy.typing import NDArray
from scipy.stats import spearmanr

Scored = tuple[tuple[Well, ...], NDArray[np.intp], WellScores]


@pytest.fixture(scope="module")
def scored(bbbc013: Path) -> Scored:
    """Return all wells, their labels and their scores, on tiles of 64 px at half resolution, with one row held out."""
    wells = read_plate_map(bbbc013 / "platemap.csv").wells
    files = [[bbbc013 / "images" / w.metadata[c] for c in ("channel_1_gfp", "channel_2_dna")] for w in wells]
    preprocessing = Preprocessing(limits=sampled_limits(files, downscale=2), size=64, downscale=2)
    tiles = [prepare(read_site(pair), preprocessing) for pair in files]
    well = np.repeat(np.arange(len(wells)), [len(t) for t in tiles])
    signs = {Role.POSITIVE: 1, Role.NEGATIVE: -1}
    labels = np.array([signs.get(w.role, 0) for w in wells], np.intp)
    rows, columns = parse_wells(w.well for w in wells)
    folds = grouped_folds(Positions(plates=[w.plate for w in wells], rows=rows, columns=columns), labels)
    assert folds is not None and (folds.held_out, folds.count) == (HeldOut.ROW, 8)
    features = intensity_statistics(np.concatenate(tiles))
    # With few, strong features C of 0.1 is better; the default suits the 512 features of a featurizer.
    return wells, labels, score_wells(features, well, labels, folds, AxisOptions(regularisation=0.1))


def test_intensities_separate_the_controls_somewhat(scored: Scored) -> None:
    _, labels, scores = scored
    quality = separation(scores.efficacy[labels > 0], scores.efficacy[labels < 0])
    assert quality.z_prime is not None and 0.1 < quality.z_prime < 0.45
    assert quality.roc_auc == 1.0
    accuracy = scores.tile_accuracy(labels != 0)
    assert accuracy is not None and accuracy > 0.95


@pytest.mark.parametrize("compound", ["Wortmannin", "LY294002"])
def test_efficacy_rises_with_dose(scored: Scored, compound: str) -> None:
    wells, _, scores = scored
    of_compound = [
        (w.concentration_um, e) for w, e in zip(wells, scores.efficacy, strict=True) if w.compound == compound
    ]
    doses, efficacies = zip(*[(d, e) for d, e in of_compound if d is not None], strict=True)
    assert spearmanr(doses, efficacies).statistic > 0.75
