"""What image quality control found in the fields of a screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gandl_shared.schemas.quality import FailedSite, IdenticalImages, PlateImages

from gandl_analysis.report.checks import Check, CheckMark
from gandl_analysis.report.numbers import count

MAX_LISTED_FIELDS = 200
"""The most failed fields that a report lists; all of them are in quality.json."""

MAX_LISTED_COPIES = 10
"""The most groups of equal images that a report names."""


@dataclass(frozen=True)
class FailedField:
    """A field of view with a problem, and its plate."""

    plate: str
    site: FailedSite


@dataclass(frozen=True, kw_only=True)
class ImageReview:
    """Image quality control of the whole screen. `failed` holds at most MAX_LISTED_FIELDS of the `n_failed` fields."""

    check: Check
    copies: Check
    failed: tuple[FailedField, ...]
    n_failed: int


def review_images(images: Mapping[str, PlateImages], identical: Sequence[IdenticalImages] = ()) -> ImageReview | None:
    """Return the review of the images by plate, or None where the images were not measured."""
    if not images:
        return None
    failed = [FailedField(plate, site) for plate, of_plate in images.items() for site in of_plate.failed]
    return ImageReview(
        check=_usable_images(failed, images),
        copies=_own_images(identical),
        failed=tuple(failed[:MAX_LISTED_FIELDS]),
        n_failed=len(failed),
    )


def _own_images(identical: Sequence[IdenticalImages]) -> Check:
    question = "Does every field have an image of its own?"
    if not identical:
        return Check(question=question, mark=CheckMark.FINE, answer="yes: no two images are equal")
    groups = [" = ".join(f"{s.plate} {s.well} site {s.site}" for s in group.sites) for group in identical]
    more = f" and {len(groups) - MAX_LISTED_COPIES} more" if len(groups) > MAX_LISTED_COPIES else ""
    return Check(
        question=question,
        mark=CheckMark.ATTENTION,
        answer=f"no: {'; '.join(groups[:MAX_LISTED_COPIES])}{more} are equal in every pixel",
        advice="A file was copied or exported twice. Such wells are no replicates of each other.",
    )


def _usable_images(failed: Sequence[FailedField], images: Mapping[str, PlateImages]) -> Check:
    question, advice = "Are the images usable?", " ".join(_remarks(images))
    unusable = [f"{plate}: {'; '.join(of_plate.reasons)}" for plate, of_plate in images.items() if not of_plate.usable]
    fields = count(sum(of_plate.sites for of_plate in images.values()), "field")
    if not failed:
        answer = f"yes: none of {fields} failed"
        return Check(question=question, mark=CheckMark.FINE, answer=answer, advice=advice)
    # A field can have several problems, so that these counts may add up to more than the fields.
    reasons = Counter(reason for field in failed for reason in field.site.reasons)
    listed = ", ".join(f"{n} {reason.label}" for reason, n in reasons.most_common())
    n_excluded = sum(field.site.excluded for field in failed)
    verdict = (
        f"no, {count(len(unusable), 'plate')} {'is' if len(unusable) == 1 else 'are'} not usable: " if unusable else ""
    )
    answer = f"{len(failed)} of {fields} failed ({listed}); {n_excluded} of them count in no score"
    answer = f"{verdict}{', '.join(unusable)}. {answer}" if unusable else answer
    return Check(question=question, mark=CheckMark.ATTENTION, answer=answer, advice=advice)


def _remarks(images: Mapping[str, PlateImages]) -> list[str]:
    n_unjudged = sum(not of_plate.focus_judged for of_plate in images.values())
    n_blank = sum(of_plate.blank_tiles for of_plate in images.values())
    focus = f"Focus could not be judged on {count(n_unjudged, 'plate')}: there are too few fields to compare."
    blank = f"{count(n_blank, 'tile')} without cells {'was' if n_blank == 1 else 'were'} left out."
    return [text for text, n in ((focus, n_unjudged), (blank, n_blank)) if n]
