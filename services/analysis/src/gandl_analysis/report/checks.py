"""What speaks for or against the scores of a screen, as questions a biologist would ask, with short answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gandl_shared.schemas.quality import (
    CellLineProbes,
    ConfoundingProbe,
    FailedSite,
    GroupQuality,
    PlateImages,
    PositionEffect,
    Quality,
    Replicates,
    UnseenPlates,
)

from gandl_analysis.report.wording import chance, count, fixed

CLEAR = 0.01
"""A p below this is a finding: a report asks several such questions, so 0.05 would often raise a false alarm."""
FAILED_LIMIT = 200
"""Failed sites that the report lists by name; all are in quality.json."""

GOOD, ATTENTION, NEUTRAL = "✓", "!", "–"

_TRACES = {
    "plate": (
        "plate",
        "Plates differ in more than their contents; compare wells with the controls of their own plate.",
    ),
    "row": ("row", "Position leaves a trace; see the plate pictures before believing what only one row shows."),
    "column": (
        "column",
        "Position leaves a trace; see the plate pictures before believing what only one column shows.",
    ),
    "edge": ("edge or inside", "The edge of the plate leaves a trace; be careful with compounds that lie on it."),
    "site": (
        "place in the well",
        "Fields of one well differ by where they were taken, such as by illumination or focus.",
    ),
}


@dataclass(frozen=True)
class Check:
    """One question, its answer with the figures, and what to do about it (empty where nothing is to be done)."""

    question: str
    mark: str
    answer: str
    advice: str = ""


@dataclass(frozen=True)
class FailedImage:
    """A site that image QC objects to."""

    plate: str
    site: FailedSite


@dataclass(frozen=True)
class ImageReview:
    """Image QC of the whole screen; `failed` is cut at FAILED_LIMIT, `n_failed` is not."""

    check: Check
    failed: tuple[FailedImage, ...]
    n_failed: int


def checks_of(quality: Quality, cell_line: str) -> tuple[Check, ...]:
    """The questions of one cell line that could be asked."""
    group, probes = quality.cell_lines.get(cell_line), quality.probes.get(cell_line)
    found: list[Check] = [] if group is None or group.verdict is None else [_controls(group)]
    return (*found, *(_probes(probes) if probes is not None else ()))


def review_images(images: Mapping[str, PlateImages]) -> ImageReview | None:
    """What image QC found, or None where the images were not measured."""
    failed = [FailedImage(plate, site) for plate, found in images.items() for site in found.failed]
    total = sum(found.sites for found in images.values())
    return ImageReview(_images(failed, images, total), tuple(failed[:FAILED_LIMIT]), len(failed)) if images else None


def _controls(group: GroupQuality) -> Check:
    good = {"good": GOOD, "poor": ATTENTION}.get(str(group.verdict), NEUTRAL)
    return Check("Are the controls told apart?", good, f"{group.verdict}: {'; '.join(group.reasons)}")


def _probes(probes: CellLineProbes) -> Iterator[Check]:
    if probes.confounded:
        yield _confounded(probes.confounded)
    yield from (_leakage(probe, probe.what in probes.confounded) for probe in probes.leakage)
    if probes.positions:
        yield _positions(probes.positions)
    if probes.replicates is not None:
        yield _replicates(probes.replicates)
    if probes.unseen_plates is not None:
        yield _unseen(probes.unseen_plates)


def _confounded(places: Sequence[str]) -> Check:
    question = "Could what a plate, row or column does to images pass for the effect of the positive control?"
    answer = "it could: " + ", ".join(f"no {what} holds controls of both kinds" for what in places)
    return Check(question, ATTENTION, answer, "Only a layout that mixes the controls can rule it out.")


def _leakage(probe: ConfoundingProbe, confounded: bool) -> Check:
    """The p-value decides; the shares say how much. Asked within each class of controls, so that "no" is no all-clear
    where the classes lie apart."""
    what, advice = _TRACES[probe.what]
    told = probe.p_value < CLEAR
    figures = f"{_share(probe.accuracy)} right, {_share(probe.chance)} by chance, p {_p(probe.p_value)}"
    question = f"Can the {what} of a control be told from its images?"
    mark = ATTENTION if told else NEUTRAL if confounded else GOOD
    answer = "yes" if told else "no, among controls of a kind" if confounded else "no"
    return Check(question, mark, f"{answer}: {figures}", advice if told else "")


def _positions(effects: Sequence[PositionEffect]) -> Check:
    """Every row and column test of every plate is one of many: the adjusted p decides."""
    tests = [(e.row_p_adjusted, "rows", e) for e in effects] + [(e.column_p_adjusted, "columns", e) for e in effects]
    known = [(p, which, e) for p, which, e in tests if p is not None]
    question = "Do rows or columns shift the scores?"
    if not known:
        return Check(question, NEUTRAL, "cannot be asked: no two wells of equal content lie in different ones")
    clear = [(p, which, e) for p, which, e in known if p < CLEAR]
    if not clear:
        smallest = _p(min(p for p, _, _ in known))
        return Check(question, GOOD, f"no: smallest adjusted p {smallest} of {count(len(known), 'test')}")
    said = ", ".join(f"{which} of {e.plate} (p {_p(p)}, {_largest(e, which)})" for p, which, e in clear[:4])
    more = f" and {len(clear) - 4} more" if len(clear) > 4 else ""
    return Check(question, ATTENTION, f"yes: {said}{more}", "It is shown, not corrected; see the plate pictures below.")


def _largest(effect: PositionEffect, which: str) -> str:
    shifts = effect.rows if which == "rows" else effect.columns
    name = max(shifts, key=lambda key: abs(shifts[key]))
    return f"{name} by {fixed(shifts[name], sign=True)}"


def _replicates(found: Replicates) -> Check:
    n = len(found.groups)
    reproducible = round(found.share_reproducible * n)
    answer = f"{reproducible} of {count(n, 'treatment')} (compound at a dose) find their own replicates (q < 0.05)"
    advice = "Treatments that do nothing look like negative controls and cannot be found among them."
    return Check("Do replicates resemble each other more than negative controls?", NEUTRAL, answer, advice)


def _unseen(found: UnseenPlates) -> Check:
    accuracy = "" if found.accuracy is None else f", {_share(found.accuracy)} of control tiles right"
    answer = f"Z′ {fixed(found.z_prime)}{accuracy} on each of {count(found.plates, 'plate')} left out in turn"
    good = GOOD if found.z_prime is not None and found.z_prime > 0 else ATTENTION
    return Check("Would a plate without controls be scored as well?", good, answer)


def _images(failed: Sequence[FailedImage], images: Mapping[str, PlateImages], total: int) -> Check:
    question = "Are the images usable?"
    blind = [plate for plate, found in images.items() if not found.focus_judged]
    blank = sum(found.blank_tiles for found in images.values())
    advice = " ".join(
        [
            *(
                [f"Focus could not be judged on {count(len(blind), 'plate')}: too few fields to compare."]
                if blind
                else []
            ),
            *([f"{count(blank, 'tile')} without cells left out."] if blank else []),
        ]
    )
    if not failed:
        return Check(question, GOOD, f"yes: none of {count(total, 'field')} failed", advice)
    reasons = Counter(reason for image in failed for reason in image.site.reasons)
    said = ", ".join(f"{n} {reason}" for reason, n in reasons.most_common())
    out = sum(image.site.excluded for image in failed)
    answer = f"{len(failed)} of {count(total, 'field')} failed ({said}); {out} left out of all scores"
    return Check(question, ATTENTION, answer, advice)


def _share(value: float) -> str:
    return f"{100 * value:.0f} %"


def _p(value: float) -> str:
    text = chance(value)
    return text if text.startswith("<") else f"= {text}"
