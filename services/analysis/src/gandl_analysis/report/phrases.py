"""Results in sentences: what a grade of the controls means, and how groups of wells and parameters are written.

The words of verdicts, flags, image problems and roles are in `gandl_shared.schemas.vocabulary`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gandl_shared.schemas.analysis import AnalysisParameters


@dataclass(frozen=True, kw_only=True)
class GradePhrase:
    """The label of a grade of the controls, a mark beside it, and a sentence."""

    label: str
    mark: str
    meaning: str


GRADES: Mapping[str, GradePhrase] = {
    "good": GradePhrase(
        label="good", mark="✓", meaning="The controls are clearly separated, so that even single wells can be trusted."
    ),
    "usable": GradePhrase(
        label="usable",
        mark="~",
        meaning="The controls are separated but they scatter widely, so that replicates and curves are needed.",
    ),
    "poor": GradePhrase(
        label="poor",
        mark="!",
        meaning="The controls are not well separated: single wells say little, and weak effects are missed.",
    ),
}
NO_GRADE = GradePhrase(
    label="no verdict",
    mark="–",
    meaning="There is no verdict on these controls; the first check below gives the reason.",
)
_PLAIN_COLUMNS = ("role", "cell_line", "compound")
_SHOWN_ELSEWHERE = {"curves", "exclusions", "noise", "axes", "axis_from", "quality", "image_qc"}


def grade_phrase(grade: str | None) -> GradePhrase:
    """Return the words for the verdict on the controls of a cell line or plate."""
    return GRADES.get(grade or "", NO_GRADE)


def sentence(text: str) -> str:
    """Return a text with a capital first letter."""
    return text[:1].upper() + text[1:]


def well_group(group: Mapping[str, Sequence[str]]) -> str:
    """Return a group of wells, such as `VERO, positive control or negative control`."""
    columns = {name: " or ".join(value.replace("_", " ") for value in values) for name, values in group.items()}
    return ", ".join(
        text if name in _PLAIN_COLUMNS else f"{name.replace('_', ' ')} {text}" for name, text in columns.items()
    )


def parameter_list(parameters: AnalysisParameters) -> str:
    """Return the parameters of an analysis on one line; requested axes are named only where there are any."""
    items = [
        f"{name.replace('_', ' ')} {str(value).replace('_', ' ')}"
        for name, value in parameters.model_dump(exclude=_SHOWN_ELSEWHERE).items()
    ]
    # What is not asked for would hide what is.
    curves = {name: value for name, value in parameters.curves.model_dump(mode="json").items() if value}
    items.append("curves with " + ", ".join(f"{name} {value}" for name, value in curves.items()))
    items += [f"{item} {item.text}" for item in parameters.exclusions or ()]
    # Thresholds are a group of their own, whose names would be unclear among the others.
    thresholds = ", ".join(f"{name} {value:g}" for name, value in parameters.quality.model_dump().items())
    items.append(f"quality thresholds {thresholds}")
    weights = "outliers downweighted" if parameters.noise.downweight_outliers else "outliers at full weight"
    items.append(f"noise with null {parameters.noise.null}, {weights}")
    items += [f"axis {axis.name}" for axis in parameters.axes]
    if parameters.axis_from is not None:
        items.append(f"axes of screen {parameters.axis_from.screen}, version {parameters.axis_from.version}")
    return "; ".join(items)
