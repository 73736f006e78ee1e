"""What a report shows, selected from an analysis before any HTML is written. No statistic is computed here."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gandl_shared.schemas.curve import Curve
from gandl_shared.schemas.quality import GroupQuality
from gandl_shared.schemas.screen import WellScore
from gandl_shared.schemas.vocabulary import Flag, Role, Verdict

from gandl_analysis.figures.plate import FORMATS, plate_format
from gandl_analysis.pipeline.curves.potency import PotencyRatio, screen_ratios
from gandl_analysis.pipeline.result import AxisScores, ScreenAnalysis
from gandl_analysis.report.checks import Check, checks_of
from gandl_analysis.report.compounds import (
    CompoundCounts,
    CompoundRow,
    compound_rows,
    count_compounds,
    dose_range_of,
)
from gandl_analysis.report.image_review import ImageReview, review_images
from gandl_analysis.report.phrases import GradePhrase, grade_phrase

MAX_PLATES, MAX_DRAWN_WELLS = 40, 40 * 384
"""The most plates, and the most wells on them, that a report draws; browsers open larger files slowly."""


@dataclass(frozen=True)
class VerdictCount:
    """How many compounds of a cell line have a verdict."""

    verdict: Verdict
    n: int


@dataclass(frozen=True, kw_only=True)
class CellLineSummary:
    """One cell line: the metrics of its controls (None where there are none), their grade, and its compounds."""

    name: str
    n_compounds: int
    verdicts: tuple[VerdictCount, ...]
    quality: GroupQuality | None
    grade: GradePhrase
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class MissingWell:
    """A well that should have a score and has none, with the known reasons."""

    well: WellScore
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class MissingPlate:
    """A plate none of whose wells has a score, and the reasons that all of its wells share."""

    plate: str
    n_wells: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ReportView:
    """All contents of a report but its figures. `ratios` are the potencies relative to a reference, None where the
    analysis named none."""

    compounds: CompoundCounts
    rows: tuple[CompoundRow, ...]
    ratios: tuple[PotencyRatio, ...] | None
    flags: tuple[Flag, ...]
    dose_range: tuple[float, float] | None
    cell_lines: tuple[CellLineSummary, ...]
    plates: tuple[str, ...]
    drawn_plates: tuple[str, ...]
    has_large_plates: bool
    missing: tuple[MissingWell, ...]
    missing_plates: tuple[MissingPlate, ...]
    images: ImageReview | None
    in_sample: bool
    axes: tuple[AxisScores, ...]

    @property
    def drawn_rows(self) -> tuple[CompoundRow, ...]:
        """The rows whose curve is drawn."""
        return tuple(row for row in self.rows if row.is_drawn)


def report_view(analysis: ScreenAnalysis) -> ReportView:
    """Select what a report shows."""
    curves, wells = analysis.curves, analysis.wells
    dose_range = dose_range_of(curves)
    # A dict keeps the order of the plate map, which a set would lose.
    plates = tuple(dict.fromkeys(well.plate for well in wells))
    first_plates = _drawn_plates(Counter(well.plate for well in wells))
    ratios = screen_ratios(analysis.provenance.parameters.curves, curves)
    missing = _missing_wells(analysis)
    return ReportView(
        compounds=count_compounds(curves),
        rows=compound_rows(curves, dose_range),
        ratios=None if ratios is None else tuple(ratios),
        flags=tuple(flag for flag in Flag if any(flag in curve.flags for curve in curves)),
        dose_range=dose_range,
        cell_lines=_cell_lines(analysis),
        plates=plates,
        drawn_plates=first_plates,
        has_large_plates=_has_large_plates(wells, first_plates),
        missing=missing,
        missing_plates=_missing_plates(analysis, missing),
        images=review_images(analysis.quality.images, analysis.quality.identical),
        in_sample=any(quality.in_sample for quality in analysis.quality.cell_lines.values()),
        axes=analysis.axes,
    )


def cell_line_names(analysis: ScreenAnalysis) -> tuple[str, ...]:
    """Return the cell lines of a screen in plate map order."""
    return tuple(dict.fromkeys(well.cell_line for well in analysis.wells if well.role is not Role.EMPTY))


def _drawn_plates(sizes: Mapping[str, int]) -> tuple[str, ...]:
    """Return the first of the plates, given their numbers of wells; at least one."""
    totals = itertools.accumulate(sizes.values())
    plates = [plate for plate, total in zip(sizes, totals, strict=True) if total <= MAX_DRAWN_WELLS]
    return tuple((plates or list(sizes)[:1])[:MAX_PLATES])


def _cell_lines(analysis: ScreenAnalysis) -> tuple[CellLineSummary, ...]:
    return tuple(_cell_line(analysis, name) for name in cell_line_names(analysis))


def _cell_line(analysis: ScreenAnalysis, name: str) -> CellLineSummary:
    curves = [curve for curve in analysis.curves if curve.cell_line == name]
    quality = analysis.quality.cell_lines.get(name)
    return CellLineSummary(
        name=name,
        n_compounds=len(curves),
        verdicts=_verdict_counts(curves),
        quality=quality,
        grade=grade_phrase(quality.verdict if quality else None),
        checks=checks_of(analysis.quality, name),
    )


def _verdict_counts(curves: Sequence[Curve]) -> tuple[VerdictCount, ...]:
    counts = Counter(curve.verdict for curve in curves)
    return tuple(VerdictCount(verdict, counts[verdict]) for verdict in Verdict if counts[verdict])


def _has_large_plates(wells: Sequence[WellScore], plates: Sequence[str]) -> bool:
    """True if any of the plates has more columns than a plate of 96 wells, so that its picture needs more width."""
    formats = (plate_format([well for well in wells if well.plate == plate]) for plate in plates)
    return any(columns > FORMATS[0][1] for _, columns in formats)


def _missing_wells(analysis: ScreenAnalysis) -> tuple[MissingWell, ...]:
    # The database knows why a site was not read, and the analysis why a well was left out: both are reasons.
    errors: dict[tuple[str, str], list[str]] = {}
    for site in analysis.parked:
        errors.setdefault((site.plate, site.well), []).append(f"site {site.site}: {site.error}")
    return tuple(
        MissingWell(well, (*([well.excluded] if well.excluded else []), *errors.get((well.plate, well.well), [])))
        for well in analysis.wells
        if well.efficacy is None and well.role is not Role.EMPTY
    )


def _missing_plates(analysis: ScreenAnalysis, missing: Sequence[MissingWell]) -> tuple[MissingPlate, ...]:
    """Return the plates that are missing as a whole, so that one decision is not shown once for each well."""
    used = Counter(well.plate for well in analysis.wells if well.role is not Role.EMPTY)
    by_plate: dict[str, list[tuple[str, ...]]] = {}
    for item in missing:
        by_plate.setdefault(item.well.plate, []).append(item.reasons)
    shared = {
        plate: tuple(reason for reason in reasons[0] if all(reason in others for others in reasons))
        for plate, reasons in by_plate.items()
        if 1 < len(reasons) == used[plate]
    }
    return tuple(MissingPlate(plate, used[plate], reasons) for plate, reasons in shared.items() if reasons)
