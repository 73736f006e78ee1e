"""What supports or weakens the scores of a cell line: questions that a biologist would ask, with short answers.

Each answer reads `quality.json`; nothing is computed here but the choice of what to show.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gandl_shared.schemas.quality import (
    CellLineProbes,
    ConfoundingProbe,
    GroupQuality,
    PositionEffect,
    Quality,
    Replicates,
    RetrievalProbe,
    UnseenPlates,
)

from gandl_analysis.report.numbers import count, fixed, p_value, share

MAX_FINDING_P = 0.01
"""The largest p-value that is reported as a finding. A report asks several such questions, so that 0.05 would often
raise a false alarm."""
MAX_LISTED_EFFECTS = 4
"""The most position effects of a cell line that are named."""


class CheckMark(StrEnum):
    """What the answer to a question means for the scores."""

    FINE = "✓"
    ATTENTION = "!"
    INFORMATION = "–"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One question, its answer with the numbers, and advice (empty where there is nothing to do)."""

    question: str
    mark: CheckMark
    answer: str
    advice: str = ""


@dataclass(frozen=True)
class _Nuisance:
    """Something that should not be recognisable in images, and the advice where it is."""

    name: str
    advice: str


_NUISANCES = {
    "plate": _Nuisance(
        "plate", "The plates differ by more than their contents; compare each well with the controls of its own plate."
    ),
    "row": _Nuisance(
        "row", "The position leaves a trace; look at the plate pictures before you believe an effect of a single row."
    ),
    "column": _Nuisance(
        "column",
        "The position leaves a trace; look at the plate pictures before you believe an effect of a single column.",
    ),
    "edge": _Nuisance(
        "edge or inner position", "The edge of the plate leaves a trace; be careful with compounds in edge wells."
    ),
    "site": _Nuisance(
        "position within the well",
        "The fields of a well differ by their position, for example by illumination or focus.",
    ),
}


def checks_of(quality: Quality, cell_line: str) -> tuple[Check, ...]:
    """Return the questions about one cell line that its data can answer."""
    group, probes = quality.cell_lines.get(cell_line), quality.probes.get(cell_line)
    controls = () if group is None or group.verdict is None else (_controls(group),)
    return (*controls, *(_probes(probes) if probes is not None else ()))


def _controls(group: GroupQuality) -> Check:
    # A usable assay and one without a verdict are information: neither is wrong, and neither is a reason to trust it.
    marks = {"good": CheckMark.FINE, "poor": CheckMark.ATTENTION}
    return Check(
        question="Are the controls separated?",
        mark=marks.get(str(group.verdict), CheckMark.INFORMATION),
        answer=f"{group.verdict}: {'; '.join(group.reasons)}",
    )


def _probes(probes: CellLineProbes) -> Iterator[Check]:
    if probes.confounded:
        yield _confounded(probes.confounded)
    yield from (_nuisance(probe, probe.what in probes.confounded) for probe in probes.leakage)
    if probes.positions:
        yield _positions(probes.positions)
    if probes.replicates is not None:
        yield _replicates(probes.replicates)
    if probes.retrieval:
        yield _retrieval(probes.retrieval)
    if probes.unseen_plates is not None:
        yield _unseen_plates(probes.unseen_plates)


def _confounded(nuisances: Sequence[str]) -> Check:
    return Check(
        question="Could an effect of a plate, row or column be mistaken for the effect of the positive control?",
        mark=CheckMark.ATTENTION,
        answer="yes: " + ", ".join(f"no {nuisance} holds controls of both kinds" for nuisance in nuisances),
        advice="Only a layout that mixes the controls can exclude this.",
    )


def _nuisance(probe: ConfoundingProbe, is_confounded: bool) -> Check:
    """The p-value decides, and the shares give the size. The question is asked within each class of controls, so that
    "no" does not exclude a difference where the two classes are in different positions."""
    nuisance, is_finding = _NUISANCES[probe.what], probe.p_value < MAX_FINDING_P
    if is_finding:
        mark, answer = CheckMark.ATTENTION, "yes"
    elif is_confounded:
        mark, answer = CheckMark.INFORMATION, "no, among controls of the same kind"
    else:
        mark, answer = CheckMark.FINE, "no"
    metrics = f"{share(probe.accuracy)} are assigned correctly, {share(probe.chance)} by chance, p {_p(probe.p_value)}"
    return Check(
        question=f"Do the images of a control well show its {nuisance.name}?",
        mark=mark,
        answer=f"{answer}: {metrics}",
        advice=nuisance.advice if is_finding else "",
    )


def _positions(effects: Sequence[PositionEffect]) -> Check:
    """Each test of rows or columns is one of many, so that the adjusted p-value decides."""
    question = "Do rows or columns shift the scores?"
    # Rows and columns are tested apart, so that each effect contributes two tests.
    tests = [(e.row_p_adjusted, "rows", e) for e in effects] + [(e.column_p_adjusted, "columns", e) for e in effects]
    tested = [(p, axis, effect) for p, axis, effect in tests if p is not None]
    if not tested:
        reason = "this cannot be tested: no two wells of equal contents are in different rows or columns"
        return Check(question=question, mark=CheckMark.INFORMATION, answer=reason)
    findings = [(p, axis, effect) for p, axis, effect in tested if p < MAX_FINDING_P]
    if not findings:
        smallest = _p(min(p for p, _, _ in tested))
        answer = f"no: the smallest adjusted p of {count(len(tested), 'test')} is {smallest.removeprefix('= ')}"
        return Check(question=question, mark=CheckMark.FINE, answer=answer)
    listed = ", ".join(
        f"{axis} of {effect.plate} (p {_p(p)}, {_largest_shift(effect, axis)})"
        for p, axis, effect in findings[:MAX_LISTED_EFFECTS]
    )
    n_more = len(findings) - MAX_LISTED_EFFECTS
    return Check(
        question=question,
        mark=CheckMark.ATTENTION,
        answer=f"yes: {listed}" + (f" and {n_more} more" if n_more > 0 else ""),
        advice="The effect is shown and not corrected; look at the plate pictures below.",
    )


def _largest_shift(effect: PositionEffect, axis: str) -> str:
    shifts = effect.rows if axis == "rows" else effect.columns
    # The sign is shown and does not decide which shift is the largest.
    name = max(shifts, key=lambda key: abs(shifts[key]))
    return f"{name} by {fixed(shifts[name], sign=True)}"


def _replicates(replicates: Replicates) -> Check:
    reproducible, treatments = share(replicates.share_reproducible), count(len(replicates.groups), "treatment")
    return Check(
        question="Are replicates more similar to each other than to negative controls?",
        mark=CheckMark.INFORMATION,
        answer=f"yes for {reproducible} of {treatments} (one compound at one dose each), q < 0.05",
        advice="Treatments without effect look like negative controls and cannot be recognised among them.",
    )


def _retrieval(probes: Sequence[RetrievalProbe]) -> Check:
    """Name each protocol with its numbers; one without queries has none."""
    answers = [
        f"{probe.task}, left out: {probe.restriction}: mean average precision {fixed(probe.map)}, nearest right in "
        f"{share(probe.recall_at_1 or 0.0)} of {probe.queries} ({share(probe.chance or 0.0)} by chance)"
        for probe in probes
        if probe.queries
    ]
    return Check(
        question="Do wells find the wells of their own treatment among all others?",
        mark=CheckMark.INFORMATION,
        answer="; ".join(answers) or "no treatment has a second well that may be found",
        advice="What remains when the same plate or position is left out was not recognised by plate or position.",
    )


def _unseen_plates(plates: UnseenPlates) -> Check:
    accuracy = "" if plates.accuracy is None else f" and {share(plates.accuracy)} of control tiles are on their side"
    n_plates = count(plates.plates, "plate")
    is_separated = plates.z_prime is not None and plates.z_prime > 0
    return Check(
        question="Would a plate without controls be scored as well?",
        mark=CheckMark.FINE if is_separated else CheckMark.ATTENTION,
        answer=f"Z′ is {fixed(plates.z_prime)}{accuracy} if the fit leaves out each of {n_plates} in turn",
    )


def _p(value: float) -> str:
    text = p_value(value)
    return text if text.startswith("<") else f"= {text}"
