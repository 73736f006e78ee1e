"""The metrics of held-out controls of a plate or a cell line."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from gandl_analysis.pipeline.quality.controls import group_quality, thresholds_of
from gandl_science.assay.grade import GradeThresholds
from gandl_science.axis.provenance import ControlStatus
from gandl_shared.schemas.analysis import AnalysisParameters

from tests.analysis.pipeline.quality.simulated_assay import EVERYTHING, simulated_assay


def test_a_clear_assay_is_good() -> None:
    quality = group_quality(simulated_assay(effect=14), EVERYTHING)
    assert (quality.n_positive, quality.n_negative, quality.grouped_by) == (8, 8, "row")
    assert quality.chance_p_value is not None and quality.chance_p_value < 0.001 and not quality.at_chance
    assert quality.verdict == "good" and quality.well_accuracy == 1.0
    assert quality.well_accuracy_interval is not None and quality.well_accuracy_interval.low < 0.85
    assert quality.accuracy_interval is not None and quality.accuracy is not None
    assert quality.accuracy_interval.low <= quality.accuracy <= quality.accuracy_interval.high


def test_an_assay_without_effect_is_poor() -> None:
    quality = group_quality(simulated_assay(effect=0), EVERYTHING)
    assert quality.verdict == "poor"
    assert quality.at_chance and "no better than by chance" in quality.reasons[-1]
    assert quality.z_prime is not None and quality.z_prime < 0


def test_a_plate_without_positive_controls_has_no_metrics() -> None:
    cell_line = simulated_assay()
    quality = group_quality(cell_line, cell_line.labels < 0)
    assert (quality.z_prime, quality.roc_auc, quality.verdict) == (None, None, "undetermined")
    assert quality.reasons[0].startswith("0 positive and 8 negative")


def test_the_confusion_is_that_of_the_svm_boundary_and_not_of_efficacy_0() -> None:
    """Efficacies that say the opposite change nothing, because their anchors depend on the labels of the wells."""
    cell_line = simulated_assay(effect=14)
    reversed_scores = dataclasses.replace(cell_line.scores, efficacy=-cell_line.scores.efficacy)
    quality = group_quality(dataclasses.replace(cell_line, scores=reversed_scores), EVERYTHING)
    assert quality.confusion is not None
    assert (quality.confusion.positive_right, quality.confusion.negative_right) == (8, 8)


def test_controls_without_efficacy_have_a_z_prime() -> None:
    """Z′ comes from the raw scores."""
    cell_line = simulated_assay()
    scores = dataclasses.replace(cell_line.scores, efficacy=np.full(32, np.nan))
    z_prime = group_quality(dataclasses.replace(cell_line, scores=scores), EVERYTHING).z_prime
    assert z_prime == pytest.approx(group_quality(cell_line, EVERYTHING).z_prime)


def test_in_sample_controls_give_no_verdict() -> None:
    cell_line = simulated_assay(effect=14)
    fit = dataclasses.replace(cell_line.scores.fit, control_status=ControlStatus.IN_SAMPLE, held_out=None)
    in_sample = dataclasses.replace(cell_line, scores=dataclasses.replace(cell_line.scores, fit=fit))
    quality = group_quality(in_sample, EVERYTHING)
    assert (quality.chance_p_value, quality.at_chance) == (None, False)
    assert (quality.in_sample, quality.verdict, quality.grouped_by) == (True, "undetermined", None)


def test_thresholds_decide_the_verdict() -> None:
    assay = simulated_assay(effect=14)
    assert group_quality(assay, EVERYTHING, thresholds=GradeThresholds(good=0.99)).verdict == "usable"


def test_the_thresholds_are_those_of_the_parameters() -> None:
    parameters = AnalysisParameters.model_validate({"quality": {"good": 0.7, "controls": 5}})
    assert thresholds_of(parameters) == GradeThresholds(good=0.7, controls=5)
    assert thresholds_of(AnalysisParameters()) == GradeThresholds()
