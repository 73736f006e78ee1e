"""Results in plain words: what a verdict, a flag and a Z′ mean, and how numbers are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.curve import CurveLocation


@dataclass(frozen=True)
class Wording:
    """A short label, a mark that stands beside it (never colour alone), and a sentence."""

    label: str
    mark: str
    meaning: str


VERDICTS: Mapping[str, Wording] = {
    "active": Wording("active", "●", "Moves cells toward the positive control as the dose rises."),
    "active_biphasic": Wording(
        "active, then toxic", "◐", "Moves cells toward the positive control, and loses the effect at higher doses."
    ),
    "undetermined": Wording("undetermined", "?", "The data do not decide; see the flags for the reason."),
    "toxic": Wording("toxic", "✕", "Changes cells, but away from both controls: a sign of toxicity, not of rescue."),
    "inactive": Wording("inactive", "○", "No dose differs from the negative control by more than chance."),
}
"""In the order of a report: what a reader looks for first comes first."""

FLAGS: Mapping[str, str] = {
    "inactive": "No change with dose beyond chance.",
    "active_at_all_doses": "Already active at the lowest dose tested; test lower doses to find the EC50.",
    "active_at_lowest_dose": "Active at the lowest dose tested and lost above it; test lower doses to see the rescue.",
    "ec50_above_range": "Half of the effect is reached above the highest dose tested; only a lower bound is known.",
    "ec50_below_range": "Half of the effect is reached below the lowest dose tested; only an upper bound is known.",
    "top_not_reached": "The curve still rises at the highest dose, so its plateau is an extrapolation.",
    "biphasic_toxic_drop": "The effect falls again at high doses.",
    "single_dose_activity": "Only one dose differs from the others; repeat it before believing it.",
    "negative_direction": "Moves cells away from the positive control.",
    "high_off_perturbation": "Cells look like neither control: they change in a direction across the control axis.",
    "lack_of_fit": "The curve misses the dose means by more than the replicates scatter.",
    "low_replicates": "Fewer replicates than needed to judge scatter; intervals are wide or absent.",
    "few_doses": "Too few doses to fit a curve well.",
    "outliers_downweighted": "One or more wells lie far from their replicates and count less.",
    "slope_at_bound": "The slope ran into the limit of the fit, so its error cannot be stated.",
    "empty_wells": "Some wells hold no cells and are left out of the curve; killed, if replicates agree.",
}


IMAGE_REASONS: Mapping[str, str] = {
    "empty": "no cells to be seen in any channel",
    "overexposed": "most of a channel is white",
    "saturated": "the bright parts of a channel are cut off",
    "blurred": "out of focus beside the other fields of its plate",
}
"""What image QC objects to."""


def flag_meaning(flag: str) -> str:
    """What a flag says, in a sentence."""
    return FLAGS.get(flag, flag.replace("_", " ") + ".")


def flag_label(flag: str) -> str:
    """A flag as words."""
    return flag.replace("_", " ").replace("ec50", "EC50")


GRADES: Mapping[str, Wording] = {
    "good": Wording("good", "✓", "The controls are clearly apart; even single wells can be trusted."),
    "usable": Wording(
        "usable", "~", "The controls are apart but their scatter is large; rely on replicates and curves."
    ),
    "poor": Wording(
        "poor", "!", "The controls are not far enough apart; single wells say little, and weak effects are missed."
    ),
}


def quality_grade(verdict: str | None) -> Wording:
    """The verdict on the controls, with the thresholds that the analysis was given, in words."""
    unknown = Wording("no verdict", "–", "These controls cannot say how far apart they are; see the first check below.")
    return GRADES.get(verdict or "", unknown)


def number(value: float | None, digits: int = 3) -> str:
    """`digits` significant figures without an exponent where it can be avoided; a dash for nothing."""
    if value is None:
        return "–"
    if value != 0 and not 1e-4 <= abs(value) < 1e6:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return f"{_signed(mantissa)} × 10{_superscript(int(exponent))}"
    return _signed(f"{value:#.{digits}g}".rstrip(".") if abs(value) < 1000 else f"{value:,.0f}")


def fixed(value: float | None, decimals: int = 2, *, sign: bool = False) -> str:
    """A fixed number of decimals with a true minus sign; a dash for nothing."""
    return "–" if value is None else _signed(f"{value:{'+' if sign else ''}.{decimals}f}")


def chance(p: float | None) -> str:
    """A p or q value; tiny ones as a bound, since their digits mean nothing."""
    if p is None:
        return "–"
    if p < 1e-4:
        return "< 0.0001"
    return f"{p:.4f}" if p < 0.001 else f"{p:.2g}" if p < 0.1 else f"{p:.2f}"


def concentration(value: float | None, unit: str = "uM") -> str:
    """A concentration with its unit; micromolar turns to nanomolar below 0.1."""
    if value is None:
        return "–"
    if unit == "uM":
        return f"{number(value * 1000)} nM" if 0 < value < 0.0995 else f"{number(value)} µM"
    return f"{number(value)} {unit}"


def location(found: CurveLocation | None) -> str:
    """`1.40 µM`, `> 31.3 µM`; a dash where the curve has none."""
    if found is None or found.value is None:
        return "–"
    sign = "" if found.relation in (None, "=") else f"{found.relation} "
    return sign + concentration(found.value, found.unit)


def interval(found: CurveLocation | None) -> str:
    """`1.08–1.89 µM`, `≥ 24.0 µM` where the upper side is open, nothing where both are."""
    if found is None or found.value is None:
        return ""
    low, high = (concentration(v, found.unit) for v in (found.low, found.high))
    if found.low is None and found.high is None:
        return "" if found.relation != "=" else "no bound on either side"
    if found.high is None:
        return f"≥ {low}"
    if found.low is None:
        return f"≤ {high}"
    same = low.rsplit(" ", 1)[-1] == high.rsplit(" ", 1)[-1]
    return f"{low.rsplit(' ', 1)[0] if same else low} – {high}"


def count(n: int, one: str, many: str | None = None) -> str:
    """`1 well`, `2 wells`, `1,204 wells`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def sentence(text: str) -> str:
    """With a capital first letter."""
    return text[:1].upper() + text[1:]


def wells(group: Mapping[str, Sequence[str]]) -> str:
    """A group of wells: `VERO, positive control or negative control`."""
    columns = {name: " or ".join(value.replace("_", " ") for value in values) for name, values in group.items()}
    plain = ("role", "cell_line", "compound")
    return ", ".join(text if name in plain else f"{name.replace('_', ' ')} {text}" for name, text in columns.items())


def parameters(chosen: AnalysisParameters) -> str:
    """The choices of an analysis in one line; what was not asked for is left out."""
    said = []
    for name, value in chosen.model_dump(exclude={"axes", "axis_from", "quality", "image_qc"}).items():
        said.append(f"{name.replace('_', ' ')} {value}")
    said.append("verdict " + ", ".join(f"{name} {value:g}" for name, value in chosen.quality.model_dump().items()))
    said += [f"axis {axis.name}" for axis in chosen.axes]
    if chosen.axis_from is not None:
        said.append(f"axes of screen {chosen.axis_from.screen}, version {chosen.axis_from.version}")
    return "; ".join(said)


def _signed(text: str) -> str:
    return text.replace("-", "−")


def _superscript(n: int) -> str:
    return str(n).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
