"""What the report shows, worked out from an analysis before any HTML is written."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gandl_shared.schemas.curve import Curve, CurveLocation
from gandl_shared.schemas.screen import WellScore

from gandl_analysis.figures.plate import plate_format
from gandl_analysis.pipeline.result import AxisScores, ScreenAnalysis
from gandl_analysis.report import wording
from gandl_analysis.report.checks import Check, ImageReview, checks_of, review_images
from gandl_analysis.report.wording import Wording

CURVE_LIMIT = 120
PLATE_LIMIT = 40
"""More figures than this make a file that browsers open slowly; what is left out is said, and stays in the tables."""

_ACTIVE = ("active", "active_biphasic")
_ORDER = {verdict: rank for rank, verdict in enumerate(wording.VERDICTS)}


@dataclass(frozen=True)
class PotencyMark:
    """EC50 and interval as percent of the width of a logarithmic scale over the tested doses; None on an open side.
    `bound`: only one side is known, so there is no point to draw."""

    value: float
    low: float | None
    high: float | None
    bound: bool


@dataclass(frozen=True)
class Row:
    """One compound in one cell line; `key` is its anchor."""

    key: str
    curve: Curve
    verdict: Wording
    rank: int
    potency: PotencyMark | None
    sort_ec50: float
    emax: float | None
    shown: bool


@dataclass(frozen=True)
class VerdictCount:
    """How many compounds of a cell line have a verdict, and their share in percent."""

    verdict: str
    wording: Wording
    n: int
    share: float


@dataclass(frozen=True)
class Confusion:
    """Control wells by their role and the side of efficacy 0 they fall on."""

    positive_right: int
    positive_wrong: int
    negative_right: int
    negative_wrong: int


@dataclass(frozen=True)
class CellLine:
    """The headline of one cell line. `outliers`: a few control wells alone hold Z′ down."""

    name: str
    n_compounds: int
    verdicts: tuple[VerdictCount, ...]
    z_prime: float | None
    z_prime_robust: float | None
    grade: Wording
    confusion: Confusion
    checks: tuple[Check, ...]

    @property
    def outliers(self) -> bool:
        """Z′ by medians is much better than by means (by 0.3, more than scatter of few wells makes)."""
        return (
            self.z_prime is not None and self.z_prime_robust is not None and self.z_prime_robust - self.z_prime >= 0.3
        )


@dataclass(frozen=True)
class MissingWell:
    """A well that should have a score and has none, with the reasons known."""

    well: WellScore
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class ReportView:
    """All of a report but its figures."""

    rows: tuple[Row, ...]
    cell_lines: tuple[CellLine, ...]
    plates: tuple[str, ...]
    plates_shown: tuple[str, ...]
    missing: tuple[MissingWell, ...]
    images: ImageReview | None
    flags: tuple[str, ...]
    n_compounds: int
    n_active: int
    n_toxic_only: int
    n_undetermined_only: int
    n_treated: int
    dose_range: tuple[float, float] | None
    large_plates: bool
    in_sample: bool
    axes: tuple[AxisScores, ...]

    @property
    def others(self) -> str:
        """What became of the compounds that are not active, in words; empty where there are none."""
        flat = self.n_compounds - self.n_active - self.n_toxic_only - self.n_undetermined_only
        clauses = (
            (self.n_toxic_only, "looks toxic without rescue", "look toxic without rescue"),
            (self.n_undetermined_only, "cannot be decided", "cannot be decided"),
            (flat, "shows no effect", "show no effect"),
        )
        said = [f"{n} {one if n == 1 else many}" for n, one, many in clauses if n]
        return ", ".join(said[:-1]) + (" and " if len(said) > 1 else "") + said[-1] if said else ""

    @property
    def rows_shown(self) -> tuple[Row, ...]:
        """The rows whose curve is drawn."""
        return tuple(row for row in self.rows if row.shown)


def report_view(analysis: ScreenAnalysis) -> ReportView:
    """Rows in the order of interest (verdict, then potency), counts by cell line, what is missing and why."""
    curves, wells = analysis.curves, analysis.wells
    doses = _dose_range(curves)
    rows = _rows(curves, doses)
    by_compound: dict[str, set[str]] = {}
    for curve in curves:
        by_compound.setdefault(curve.compound, set()).add(curve.verdict)
    active = {name for name, verdicts in by_compound.items() if verdicts & set(_ACTIVE)}
    toxic = {name for name, verdicts in by_compound.items() if "toxic" in verdicts} - active
    undetermined = {name for name, verdicts in by_compound.items() if "undetermined" in verdicts} - active - toxic
    plates = tuple(dict.fromkeys(w.plate for w in wells))
    return ReportView(
        rows=rows,
        cell_lines=_cell_lines(analysis),
        plates=plates,
        plates_shown=plates[:PLATE_LIMIT],
        missing=_missing(analysis),
        images=review_images(analysis.quality.images),
        flags=tuple(flag for flag in wording.FLAGS if any(flag in curve.flags for curve in curves)),
        n_compounds=len(by_compound),
        n_active=len(active),
        n_toxic_only=len(toxic),
        n_undetermined_only=len(undetermined),
        n_treated=sum(w.role == "treatment" for w in wells),
        dose_range=doses,
        in_sample=any(quality.in_sample for quality in analysis.quality.cell_lines.values()),
        axes=analysis.axes,
        large_plates=any(
            plate_format([w for w in wells if w.plate == plate])[1] > 12 for plate in plates[:PLATE_LIMIT]
        ),
    )


def _rows(curves: Sequence[Curve], doses: tuple[float, float] | None) -> tuple[Row, ...]:
    """Actives are drawn first, then the others, up to the limit."""
    ordered = sorted(curves, key=_interest)
    return tuple(
        Row(
            key=f"curve-{place}",
            curve=curve,
            verdict=wording.VERDICTS[curve.verdict],
            rank=_ORDER[curve.verdict],
            potency=_potency(curve.ec50, doses),
            sort_ec50=_sortable(curve.ec50),
            emax=curve.emax.fitted if curve.emax.fitted is not None else curve.emax.observed,
            shown=place < CURVE_LIMIT,
        )
        for place, curve in enumerate(ordered)
    )


def _interest(curve: Curve) -> tuple[int, float, str, str]:
    rank = 0 if curve.verdict in _ACTIVE else _ORDER[curve.verdict]
    return rank, _sortable(curve.ec50), curve.compound, curve.cell_line


def _sortable(found: CurveLocation) -> float:
    """EC50 for sorting: bounds stand just beyond their number, none comes last."""
    if found.value is None:
        return math.inf
    return found.value * {"<": 0.999, ">": 1.001}.get(found.relation or "=", 1.0)


def _dose_range(curves: Sequence[Curve]) -> tuple[float, float] | None:
    doses = [p.concentration for c in curves for p in c.points if p.concentration]
    return (min(doses), max(doses)) if doses and min(doses) < max(doses) else None


def _potency(found: CurveLocation, doses: tuple[float, float] | None) -> PotencyMark | None:
    if found.value is None or doses is None or found.value <= 0:
        return None
    value = _percent(found.value, doses)
    low = None if found.relation == "<" or found.low is None else _percent(found.low, doses)
    high = None if found.relation == ">" or found.high is None else _percent(found.high, doses)
    return PotencyMark(value, low, high, found.relation in ("<", ">"))


def _percent(value: float, doses: tuple[float, float]) -> float:
    """Place on the logarithmic scale, kept within it."""
    low, high = (math.log(dose) for dose in doses)
    place = (math.log(value) - low) / (high - low) if value > 0 else 0.0
    return round(100 * min(max(place, 0.0), 1.0), 1)


def _cell_lines(analysis: ScreenAnalysis) -> tuple[CellLine, ...]:
    names = tuple(dict.fromkeys(w.cell_line for w in analysis.wells if w.role != "empty"))
    found = []
    for name in names:
        curves = [c for c in analysis.curves if c.cell_line == name]
        quality = analysis.quality.cell_lines.get(name)
        z_prime, robust = (quality.z_prime, quality.z_prime_robust) if quality else (None, None)
        found.append(
            CellLine(
                name=name,
                n_compounds=len(curves),
                verdicts=_verdict_counts(curves),
                z_prime=z_prime,
                z_prime_robust=robust,
                grade=wording.quality_grade(quality.verdict if quality else None),
                confusion=confusion_of([w for w in analysis.wells if w.cell_line == name]),
                checks=checks_of(analysis.quality, name),
            )
        )
    return tuple(found)


def _verdict_counts(curves: Sequence[Curve]) -> tuple[VerdictCount, ...]:
    counts = Counter(str(curve.verdict) for curve in curves)
    return tuple(
        VerdictCount(verdict, words, counts[verdict], round(100 * counts[verdict] / len(curves), 2))
        for verdict, words in wording.VERDICTS.items()
        if counts[verdict]
    )


def confusion_of(wells: Sequence[WellScore]) -> Confusion:
    """Control wells on either side of efficacy 0, from their out-of-fold scores."""
    sides: Mapping[str, list[bool]] = {
        role: [w.efficacy > 0 for w in wells if w.role == role and w.efficacy is not None]
        for role in ("positive_control", "negative_control")
    }
    positive, negative = sides["positive_control"], sides["negative_control"]
    return Confusion(sum(positive), len(positive) - sum(positive), len(negative) - sum(negative), sum(negative))


def _missing(analysis: ScreenAnalysis) -> tuple[MissingWell, ...]:
    reasons: dict[tuple[str, str], list[str]] = {}
    for site in analysis.parked:
        reasons.setdefault((site.plate, site.well), []).append(f"site {site.site}: {site.error}")
    return tuple(
        MissingWell(w, tuple(([w.excluded] if w.excluded else []) + reasons.get((w.plate, w.well), [])))
        for w in analysis.wells
        if w.efficacy is None and w.role != "empty"
    )
