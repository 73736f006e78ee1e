"""The texts of figures, in a module that does not load matplotlib: a command that draws nothing starts without it."""

from __future__ import annotations

import re
from typing import Final

from gandl_shared.schemas.curve import CurveLocation, Relation

_REPLACEMENT: Final = "\ufffd"
_NOT_XML: Final = re.compile("[\\x00-\\x1f\\ud800-\\udfff\\ufffe\\uffff]")
"""The characters that are not in XML 1.0 (W3C 2008, section 2.2), and control characters."""


def plain(text: str, limit: int = 60) -> str:
    """Return the text of a user as a label: one line of at most `limit` characters, without mathematics between two
    `$`, and with � for characters that no XML document may hold."""
    one_line = " ".join(text.split())
    # A name that is cut must not lose the `$` of an escape, so that escaping comes last.
    cut = one_line if len(one_line) <= limit else one_line[: limit - 1] + "…"
    return xml_text(cut).replace("$", r"\$")


def xml_text(text: str) -> str:
    """Return a text with � for characters that no XML document may hold."""
    return _NOT_XML.sub(_REPLACEMENT, text)


def unit_text(unit: str) -> str:
    """Return a unit as it is printed."""
    return "µM" if unit == "uM" else unit


def ec50_text(ec50: CurveLocation) -> str:
    """Return `EC50 = 0.012 µM (0.011 to 0.013)`, `EC50 > 33 µM`, or nothing where there is no EC50."""
    if ec50.value is None or ec50.relation is None:
        return ""
    text = f"EC50 {ec50.relation} {ec50.value:.3g} {plain(unit_text(ec50.unit), 12)}"
    if ec50.relation is Relation.EQUAL and ec50.low is not None and ec50.high is not None:
        text += f" ({ec50.low:.3g} to {ec50.high:.3g})"
    return text
