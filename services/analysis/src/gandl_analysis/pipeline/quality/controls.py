"""The quality of a group of wells, such as a plate or a cell line, from its held-out controls."""

from __future__ import annotations

import numpy as np
from gandl_science.arrays import Float, Mask
from gandl_science.assay.accuracy import Confusion, confusion, tile_accuracy_interval, wilson
from gandl_science.assay.controls.chance import chance_test
from gandl_science.assay.grade import GradedAssay, GradeThresholds, grade_assay
from gandl_science.assay.separation import separation, v_factor
from gandl_shared.plates import Role
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.quality import ControlConfusion, GroupQuality, ShareInterval

from gandl_analysis.pipeline.axes.scored_cell_line import ScoredCellLine
from gandl_analysis.pipeline.quality.treatments import treatment_doses

_IN_SAMPLE = GradedAssay(
    "undetermined", ("the axis has seen these controls: in-sample figures flatter and give no verdict",)
)
_AT_CHANCE = "held-out controls are separated no better than by chance, so that no effect has a direction"


def thresholds_of(parameters: AnalysisParameters) -> GradeThresholds:
    """Return the thresholds of an analysis."""
    return GradeThresholds(**parameters.quality.model_dump())


def group_quality(
    cell_line: ScoredCellLine, wells: Mask, *, seed: int = 0, thresholds: GradeThresholds | None = None
) -> GroupQuality:
    """Return the metrics of the controls in `wells` [W]; `seed` decides the bootstrap of tiles."""
    scores, labels = cell_line.scores, np.where(wells, cell_line.labels, 0)
    # Z′, SSMD and AUC do not depend on the scale, so raw scores give them where there is no efficacy too.
    positive, negative = (scores.on[(labels == side) & np.isfinite(scores.on)] for side in (1, -1))
    measures = separation(positive, negative)
    sides = confusion(scores.on, labels)
    by_well = wilson(sides.right, sides.total)
    by_tile = tile_accuracy_interval(scores.tiles_right, scores.n_tiles, labels, np.random.default_rng(seed))
    # A verdict on controls that trained the axis would flatter the assay, so none is given.
    graded = _IN_SAMPLE if cell_line.in_sample else grade_assay(measures, by_well, thresholds)
    chance = None if cell_line.in_sample else chance_test(positive, negative)
    return GroupQuality(
        z_prime=measures.z_prime,
        z_prime_robust=measures.z_prime_robust,
        ssmd=measures.ssmd,
        v_factor=v_factor(_scores_by_dose(cell_line, wells), positive, negative),
        roc_auc=measures.roc_auc,
        chance_p_value=chance.p_value if chance else None,
        at_chance=chance is not None and chance.at_chance,
        accuracy=scores.tile_accuracy(wells),
        accuracy_interval=_interval(by_tile),
        well_accuracy=sides.accuracy,
        well_accuracy_interval=_interval(by_well),
        confusion=_control_confusion(sides),
        n_positive=measures.n_positive,
        n_negative=measures.n_negative,
        grouped_by=None if cell_line.in_sample else scores.fit.grouped_by,
        in_sample=cell_line.in_sample,
        verdict=graded.grade,
        reasons=(*graded.reasons, _AT_CHANCE) if chance and chance.at_chance else graded.reasons,
    )


def _scores_by_dose(cell_line: ScoredCellLine, wells: Mask) -> list[Float]:
    """Return the scores of the replicates of each compound and dose."""
    # Controls are left out: the V-factor is about the spread within the doses of treatments.
    replicates: dict[tuple[str | None, float | None], list[float]] = {}
    columns = zip(cell_line.wells, treatment_doses(cell_line.wells), cell_line.scores.on, wells, strict=True)
    for well, dose, on, use in columns:
        if use and well.role is Role.TREATMENT and np.isfinite(on):
            replicates.setdefault((well.compound, dose), []).append(float(on))
    return [np.array(values) for values in replicates.values()]


def _interval(bounds: tuple[float, float] | None) -> ShareInterval | None:
    return ShareInterval(low=bounds[0], high=bounds[1]) if bounds else None


def _control_confusion(sides: Confusion) -> ControlConfusion:
    return ControlConfusion(
        positive_right=sides.positive_right,
        positive_wrong=sides.positive_wrong,
        negative_right=sides.negative_right,
        negative_wrong=sides.negative_wrong,
    )
