"""Which curves deserve a look first, and why: the rule by which the gallery is sorted and filtered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, unquote

from gandl_shared.schemas.curve import Curve, CurveModel
from gandl_shared.schemas.vocabulary import Flag, Verdict

MAX_LACK_OF_FIT_P = 0.05
"""Below, the means of the doses lie farther from the curve than their replicates explain."""
BORDERLINE_FACTOR = 5.0
"""A q-value is borderline between the level of the analysis divided and multiplied by this."""
BORDERLINE_HITS = (0.2, 0.8)
"""A hit probability between these is borderline: another experiment could decide otherwise."""
MAX_OVERLAID = 8
_REASONS_OF_VERDICT = frozenset({Flag.INACTIVE})
"""Flags that only say what the verdict says."""


class Attention(StrEnum):
    """Why a curve deserves a look; the order is that of the gallery."""

    _value_: str
    label: str

    def __new__(cls, value: str, label: str = "") -> Attention:
        member = str.__new__(cls, value)
        member._value_, member.label = value, label
        return member

    BAD_FIT = "bad_fit", "bad fit"
    BORDERLINE = "borderline", "borderline"
    FLAGGED = "flagged", "has flags"
    CLEAN = "clean", "nothing special"


class CurveOrder(StrEnum):
    """How the gallery is sorted."""

    ATTENTION = "attention"
    COMPOUND = "compound"
    EC50 = "ec50"
    Q_VALUE = "q_value"
    EMAX = "emax"


@dataclass(frozen=True, kw_only=True)
class ReviewedCurve:
    """A curve, the first reason to look at it, and all reasons as texts."""

    curve: Curve
    attention: Attention
    reasons: tuple[str, ...]

    @property
    def key(self) -> str:
        """The curve in an address: the cell line and the compound, each percent-encoded."""
        return curve_key(self.curve)


@dataclass(frozen=True, kw_only=True)
class CurveFilter:
    """Which curves are shown; None stands for all of them. `text` is a part of the name of the compound."""

    verdict: Verdict | None = None
    model: CurveModel | None = None
    attention: Attention | None = None
    cell_line: str | None = None
    text: str = ""

    def select(self, curves: Iterable[ReviewedCurve]) -> list[ReviewedCurve]:
        """Return the curves that pass."""
        return [reviewed for reviewed in curves if self._passes(reviewed)]

    def _passes(self, reviewed: ReviewedCurve) -> bool:
        curve = reviewed.curve
        return (
            self.verdict in (None, curve.verdict)
            and self.model in (None, curve.model)
            and self.attention in (None, reviewed.attention)
            and self.cell_line in (None, curve.cell_line)
            and self.text.casefold() in curve.compound.casefold()
        )


def review_curves(curves: Sequence[Curve], alpha: float) -> list[ReviewedCurve]:
    """Return every curve with what deserves a look; `alpha` is the level of the activity test of the analysis."""
    return [_review(curve, alpha) for curve in curves]


def sort_curves(curves: Iterable[ReviewedCurve], order: CurveOrder) -> list[ReviewedCurve]:
    """Return curves in an order; where numbers are missing, curves come last. Ties are broken by the names."""
    return sorted(curves, key=lambda r: (_SORT_KEYS[order](r), r.curve.compound.casefold(), r.curve.cell_line))


def curve_key(curve: Curve) -> str:
    """Return the key of a curve in an address."""
    return f"{quote(curve.cell_line, safe='')}/{quote(curve.compound, safe='')}"


def chosen_curves(curves: Sequence[Curve], keys: Iterable[str]) -> list[Curve]:
    """Return the curves of the keys in their order, at most MAX_OVERLAID; a key that the screen lacks is left out."""
    by_key = {(curve.cell_line, curve.compound): curve for curve in curves}
    pairs = [tuple(map(unquote, key.split("/", 1))) for key in dict.fromkeys(keys) if "/" in key]
    return [by_key[line, compound] for line, compound in pairs if (line, compound) in by_key][:MAX_OVERLAID]


def _review(curve: Curve, alpha: float) -> ReviewedCurve:
    reasons = {
        Attention.BAD_FIT: list(_misfits(curve)),
        Attention.BORDERLINE: list(_doubts(curve, alpha)),
        Attention.FLAGGED: [flag.label for flag in curve.flags if flag not in _REASONS_OF_VERDICT],
    }
    attention = next((kind for kind, texts in reasons.items() if texts), Attention.CLEAN)
    texts = tuple(dict.fromkeys(text for kind in reasons.values() for text in kind))
    return ReviewedCurve(curve=curve, attention=attention, reasons=texts)


def _misfits(curve: Curve) -> Iterable[str]:
    p_value = curve.lack_of_fit_p
    if Flag.LACK_OF_FIT in curve.flags or (p_value is not None and p_value < MAX_LACK_OF_FIT_P):
        yield Flag.LACK_OF_FIT.label
    if any(parameter.at_bound and not parameter.is_fixed for parameter in curve.params.values()):
        yield "parameter at bound"


def _doubts(curve: Curve, alpha: float) -> Iterable[str]:
    q_value, again = curve.q_value, curve.hit_probability
    if q_value is not None and alpha / BORDERLINE_FACTOR < q_value < alpha * BORDERLINE_FACTOR:
        yield f"borderline: q {q_value:.2g} (active below {alpha:g})"
    if again is not None and BORDERLINE_HITS[0] < again < BORDERLINE_HITS[1]:
        yield f"hit again in {100 * again:.0f} %"
    if curve.verdict is Verdict.UNDETERMINED:
        yield Verdict.UNDETERMINED.label


def _or_last(value: float | None) -> tuple[bool, float]:
    return value is None, value or 0.0


_SORT_KEYS: dict[CurveOrder, Callable[[ReviewedCurve], tuple[object, ...]]] = {
    CurveOrder.ATTENTION: lambda r: (list(Attention).index(r.attention), -len(r.reasons), r.curve.verdict.order),
    CurveOrder.COMPOUND: lambda r: (),
    CurveOrder.EC50: lambda r: (r.curve.ec50.value is None, r.curve.ec50.value or 0.0),
    CurveOrder.Q_VALUE: lambda r: _or_last(r.curve.q_value),
    CurveOrder.EMAX: lambda r: (r.curve.emax.fitted is None, -(r.curve.emax.fitted or 0.0)),
}
