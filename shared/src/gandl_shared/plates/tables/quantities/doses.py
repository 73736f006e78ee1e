"""Doses that are one: dispensers and rounding change a concentration by a few percent, a dilution step by much more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

SAME_DOSE = 0.1
"""Doses of a compound are one if the highest is at most this share above the lowest. Drops of a dispenser and rounding
move a dose by up to 3 % to either side; the smallest dilution steps in use are larger than 1.1."""
MIN_SERIES = 4
"""So many doses are a series."""
_ROUNDING, _DECADE = 1e-6, 10.0


def group_doses(doses: Iterable[float]) -> dict[float, float]:
    """Return for each dose that of its group: the most frequent one, or the middle one of those equally frequent.

    `doses` are those of the wells of one compound, with repeats; they are positive or zero and finite.
    """
    counts = Counter(doses)
    groups: list[list[float]] = []
    for dose in sorted(counts):
        if groups and dose <= groups[-1][0] * (1 + SAME_DOSE) and dose > 0:
            groups[-1].append(dose)
        else:
            groups.append([dose])
    centres = [(group, group[0] if len(group) == 1 else _centre(group, counts)) for group in groups]
    return {dose: centre for group, centre in centres for dose in group}


def _centre(group: list[float], counts: Mapping[float, int]) -> float:
    highest = max(counts[dose] for dose in group)
    most = [dose for dose in group if counts[dose] == highest]
    return most[(len(most) - 1) // 2]


def grouping_note(doses_of: Mapping[str, Iterable[float]]) -> str | None:
    """Return a sentence about the compounds whose doses are grouped, or None if none are beyond rounding."""
    names = []
    example = ""
    for name, doses in doses_of.items():
        groups = group_doses(doses)
        moved = {dose: centre for dose, centre in groups.items() if abs(dose - centre) > _ROUNDING * centre}
        if moved:
            names.append(name)
            dose, centre = next(iter(moved.items()))
            example = example or f"{dose:g} counts as {centre:g} in {name}"
    if not names:
        return None
    subject = f"Doses of {len(names)} compound{'s' if len(names) > 1 else ''}"
    return f"{subject} within {100 * SAME_DOSE:g} % of each other were read as one dose (for example, {example})"


def logarithm_note(doses_of: Mapping[str, Iterable[float]]) -> str | None:
    """Return a warning if the doses of every compound look like logarithms: many of them within one decade."""
    spans = []
    for doses in doses_of.values():
        distinct = {dose for dose in group_doses(doses).values() if dose > 0}
        if len(distinct) >= MIN_SERIES:
            spans.append(max(distinct) / min(distinct))
    if not spans or max(spans) >= _DECADE:
        return None
    return (
        f"The doses of each compound span a factor of {max(spans):.2g} only; if they are logarithms, name the column "
        "so, such as log10_concentration_nM"
    )
