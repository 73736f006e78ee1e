"""How numbers are written on pages: significant digits, true minus signs, units, bounds, and a dash for nothing."""

from __future__ import annotations

from gandl_shared.schemas.curve import CurveLocation, Relation

NOTHING = "–"
_MIN_PLAIN, _MAX_PLAIN = 1e-4, 1e6
"""Numbers outside are written with a power of ten."""
_MIN_MICROMOLAR = 0.0995
"""Concentrations below are written in nanomolar; this one still rounds to 0.1 µM."""
_MIN_P = 1e-4
"""Below, a p-value is written as a bound, because the digits of so small a number mean nothing."""


def number(value: float | None, digits: int = 3) -> str:
    """Return a number with `digits` significant digits."""
    if value is None:
        return NOTHING
    # Only numbers that would need many zeros get a power of ten.
    if value != 0 and not _MIN_PLAIN <= abs(value) < _MAX_PLAIN:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return f"{_with_minus(mantissa)} × 10{_superscript(int(exponent))}"
    return _with_minus(f"{value:#.{digits}g}".rstrip(".") if abs(value) < 1000 else f"{value:,.0f}")


def fixed(value: float | None, decimals: int = 2, *, sign: bool = False) -> str:
    """Return a number with a fixed number of decimals; `sign` writes a plus too."""
    return NOTHING if value is None else _with_minus(f"{value:{'+' if sign else ''}.{decimals}f}")


def p_value(p: float | None) -> str:
    """Return a p- or q-value."""
    if p is None:
        return NOTHING
    if p < _MIN_P:
        return "< 0.0001"
    return f"{p:.4f}" if p < 0.001 else f"{p:.2g}" if p < 0.1 else f"{p:.2f}"


def share(value: float | None) -> str:
    """Return a share as a whole percentage."""
    return NOTHING if value is None else f"{100 * value:.0f} %"


def concentration(value: float | None, unit: str = "uM") -> str:
    """Return a concentration with its unit, small micromolar ones in nanomolar."""
    if value is None:
        return NOTHING
    if unit == "uM":
        return f"{number(value * 1000)} nM" if 0 < value < _MIN_MICROMOLAR else f"{number(value)} µM"
    return f"{number(value)} {unit}"


def location(position: CurveLocation | None) -> str:
    """Return a concentration of a curve, such as `1.40 µM` or `> 31.3 µM`."""
    if position is None or position.value is None:
        return NOTHING
    sign = "" if position.relation in (None, Relation.EQUAL) else f"{position.relation} "
    return sign + concentration(position.value, position.unit)


def interval(position: CurveLocation | None) -> str:
    """Return an interval, such as `1.08 – 1.89 µM`, or `≥ 24.0 µM` with an open upper side; nothing for a bound that
    has no interval."""
    if position is None or position.value is None:
        return ""
    low, high = (concentration(value, position.unit) for value in (position.low, position.high))
    # A bound needs no interval, but an estimate without one must not look certain.
    if position.low is None and position.high is None:
        return "" if position.relation is not Relation.EQUAL else "no bound on either side"
    if position.high is None:
        return f"≥ {low}"
    if position.low is None:
        return f"≤ {high}"
    # The unit is written once where both bounds have it.
    same_unit = low.rsplit(" ", 1)[-1] == high.rsplit(" ", 1)[-1]
    return f"{low.rsplit(' ', 1)[0] if same_unit else low} – {high}"


def count(n: int, singular: str, plural: str | None = None) -> str:
    """Return a count with its noun: `1 well`, `1,204 wells`."""
    return f"{n:,} {singular if n == 1 else plural or singular + 's'}"


def _with_minus(text: str) -> str:
    return text.replace("-", "−")


def _superscript(n: int) -> str:
    return str(n).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
