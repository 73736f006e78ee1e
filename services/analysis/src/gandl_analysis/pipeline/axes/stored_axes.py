"""Efficacy axes of an earlier screen on a later one: what must agree, and the message where it does not.

A fit scores vectors of one model, computed from images and plates that were prepared in one way. Its provenance records
all of that under the same digest as its numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import replace

from gandl_science.arrays import Index
from gandl_science.axis.definition import E2
from gandl_science.axis.fitted import AxisFit
from gandl_science.axis.plate_normalisation import PCA_MAD
from gandl_science.axis.provenance import AxisProvenance, ControlStatus
from gandl_shared.errors import Invalid, Problem, raise_if
from gandl_shared.models.numerics import content_of

from gandl_analysis.pipeline.inputs import EarlierAxes, Preparation
from gandl_analysis.pipeline.tiles import WellTiles

_KEY_DIGITS = 12
"""Hexadecimal digits of a key: two of 10,000 images share one with a probability below one in a million."""


def control_keys(tiles: WellTiles, labels: Index) -> frozenset[str]:
    """Return the keys of the images of the labelled wells, as provenance has them: 48 bits of each site's SHA-256."""
    # The same images are the same controls, whatever computed their vectors.
    keys = set(map(content_of, set(tiles.keys[labels[tiles.well] != 0].tolist())))
    return frozenset(hashlib.sha256(key.encode()).hexdigest()[:_KEY_DIGITS] for key in keys)


def is_in_sample(fit: AxisFit, tiles: WellTiles, labels: Index) -> bool:
    """Return True if the axis was fitted on any image of these control wells."""
    return fit.provenance is not None and not fit.provenance.control_keys.isdisjoint(control_keys(tiles, labels))


def check_earlier(
    axes: EarlierAxes, preparation: Preparation, cell_lines: Sequence[str], *, field: str = "axis_from"
) -> None:
    """Raise Invalid with every reason why these axes cannot score the cell lines of a screen, each with the fix."""
    # Axes over several cell lines have no cell line and cannot score one.
    available = {fit.cell_line for fit in axes.efficacy if fit.cell_line is not None}
    details = [_missing(axes, cell_line, available) for cell_line in cell_lines if cell_line not in available]
    for fit in axes.efficacy:
        if fit.cell_line in cell_lines:
            details += _differences(fit, axes.source, preparation)
    problems = [Problem(detail, field=field) for detail in details]
    raise_if(problems, Invalid, f"the axes of {axes.source} cannot be used here")


def _missing(axes: EarlierAxes, cell_line: str, available: Collection[str]) -> str:
    reason = f"it has {', '.join(sorted(available))}" if available else "it has no efficacy axis at all"
    if any(fit.control_status is ControlStatus.IN_SAMPLE for fit in axes.fits):
        reason += " (axes of the preset paper are for comparison only)"
    return f"no axis {E2.name} for cell line {cell_line}; {reason}"


def _differences(fit: AxisFit, source: str, preparation: Preparation) -> list[str]:
    stored, current = fit.provenance, preparation.provenance(cell_line=fit.cell_line)
    if stored is not None and preparation.precision is None:
        stored = replace(stored, model_id=stored.model_id.partition(" ")[0])
    differences = [] if stored is None else _provenance_differences(stored, current, source)
    if PCA_MAD in (current.normalisation, "" if stored is None else stored.normalisation):
        return [
            f"the components of {PCA_MAD} are those of one screen; fit a new axis, or ask for another normalisation"
        ]
    if fit.features != preparation.card.features:
        features = preparation.card.features
        differences.append(f"{source} scores vectors of {fit.features} features, here they have {features}")
    return differences


def _provenance_differences(stored: AxisProvenance, current: AxisProvenance, source: str) -> list[str]:
    rules = (
        (
            "model_id",
            stored.model_id,
            current.model_id,
            "another model; embed the screen with the model of the axis, or fit a new axis",
        ),
        (
            "preprocessing",
            str(stored.preprocessing),
            str(current.preprocessing),
            "images prepared in another way; use the same tile size, downscaling and limits",
        ),
        (
            "normalisation",
            stored.normalisation,
            current.normalisation,
            "vectors normalised in another way; ask for the same normalisation",
        ),
    )
    return [f"{name} of {source} is {a}, here it is {b}: {fix}" for name, a, b, fix in rules if a != b]
