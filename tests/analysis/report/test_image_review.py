"""The review of images: counts by reason, and no more fields listed than a page can show."""

from __future__ import annotations

import pytest
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_analysis.report import image_review
from gandl_analysis.report.checks import CheckMark
from gandl_analysis.report.image_review import review_images
from gandl_shared.schemas.quality import PlateImages


def test_failed_fields_are_counted_by_reason(analysis: ScreenAnalysis) -> None:
    review = review_images(analysis.quality.images)
    assert review is not None
    assert review.check.mark is CheckMark.ATTENTION
    assert review.check.answer == "2 of 1,424 fields failed (2 blurred, 1 overexposed); 1 of them count in no score"
    assert [(field.plate, field.site.well) for field in review.failed] == [("HRCE-2", "A05"), ("HRCE-2", "B09")]


def test_a_long_list_is_cut_and_still_counted(analysis: ScreenAnalysis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_review, "MAX_LISTED_FIELDS", 1)
    review = review_images(analysis.quality.images)
    assert review is not None
    assert (len(review.failed), review.n_failed) == (1, 2)


def test_what_could_not_be_judged_is_a_remark() -> None:
    review = review_images({"P": PlateImages(sites=4, focus_judged=False, failed=(), blank_tiles=13)})
    assert review is not None
    assert review.check.answer == "yes: none of 4 fields failed"
    assert review.check.advice == (
        "Focus could not be judged on 1 plate: there are too few fields to compare. "
        "13 tiles without cells were left out."
    )


def test_images_that_were_not_measured_have_no_review() -> None:
    assert review_images({}) is None
