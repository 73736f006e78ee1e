"""The schemas of quality.json: shares are between 0 and 1, and the keys are those that users read."""

from __future__ import annotations

import pytest
from gandl_shared.schemas.quality import CellLineProbes, GroupQuality, PlateImages, Quality, ShareInterval
from pydantic import ValidationError

METRICS = {"z_prime": 0.7, "z_prime_robust": 0.8, "ssmd": 15.0, "v_factor": None, "roc_auc": 1.0, "accuracy": 0.99}
GROUP = GroupQuality.model_validate({**METRICS, "n_positive": 8, "n_negative": 16})


def test_a_share_beyond_1_is_refused() -> None:
    with pytest.raises(ValidationError, match="high"):
        ShareInterval(low=0.9, high=1.0 + 1e-9)


def test_a_group_without_a_verdict_has_neither_reasons_nor_a_hold_out() -> None:
    assert (GROUP.verdict, GROUP.reasons, GROUP.grouped_by, GROUP.in_sample) == (None, (), None, False)


def test_a_verdict_of_another_vocabulary_is_refused() -> None:
    with pytest.raises(ValidationError, match="verdict"):
        GroupQuality.model_validate({**METRICS, "n_positive": 8, "n_negative": 16, "verdict": "active"})


def test_probes_of_confounding_keep_the_key_of_the_file() -> None:
    probe = {"what": "row", "classes": 8, "n": 32, "accuracy": 0.2, "chance": 0.1, "p_value": 0.04}
    probes = CellLineProbes.model_validate({"leakage": [probe]})
    assert probes.model_dump(mode="json")["leakage"] == [probe]


def test_a_problem_of_an_image_is_one_of_the_vocabulary() -> None:
    site = {"well": "A01", "site": "1", "reasons": ["dusty"], "excluded": False}
    with pytest.raises(ValidationError, match="reasons"):
        PlateImages.model_validate({"sites": 1, "focus_judged": False, "failed": [site]})


def test_a_screen_without_measured_images_has_no_entry_for_them() -> None:
    quality = Quality(cell_lines={"U2OS": GROUP}, plates={"P1": GROUP})
    assert (quality.images, quality.probes, quality.note) == ({}, {}, None)
