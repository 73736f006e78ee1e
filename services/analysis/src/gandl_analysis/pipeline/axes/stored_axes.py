"""Efficacy axes of an earlier screen on a later one: what must agree, and what is said where it does not.

A fit scores vectors of one model, made of images that were prepared and plates that were normalised in one way. All of
that stands in the fit (`AxisFit.about`), under the same hash as its numbers.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from gandl_science.axis.definition import E2
from gandl_science.axis.fitted import IN_SAMPLE, AxisFit
from gandl_shared.errors import Invalid, NotFound, Problem, raise_if
from gandl_shared.models import ModelCard
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.limits import IntensityLimits

from gandl_analysis.pipeline.tiles import Index, WellTiles

CELL_LINE, CONTROLS, OFF_LIMIT = "cell_line", "controls", "off_limit"
_MUST_AGREE = {
    "model_id": "another model; embed the screen with the model of the axis, or fit a new axis",
    "preprocessing": "images prepared in another way; use the same tile size, downscaling and limits",
    "normalisation": "vectors normalised in another way; ask for the same normalisation",
}


@dataclass(frozen=True)
class Preparation:
    """How the vectors of a screen were made: SHA-256 of the model file, its card, where intensity limits come from
    (`plate`, `card` or explicit numbers), and the normalisation by plate."""

    model_id: str
    card: ModelCard
    limits: str
    normalisation: str

    @property
    def about(self) -> dict[str, str]:
        """The same as it is kept in a fit."""
        given = {"downscale": self.card.downscale, "limits": self.limits, "size": self.card.size}
        return {
            "model": self.card.name,
            "model_id": self.model_id,
            "preprocessing": json.dumps(given, sort_keys=True),
            "normalisation": self.normalisation,
        }


@dataclass(frozen=True)
class EarlierAxes:
    """Fits to be used again, and what they are called in messages and provenance."""

    fits: tuple[AxisFit, ...]
    source: str

    def of_line(self, cell_line: str) -> AxisFit:
        """The efficacy axis of a cell line, once `check_earlier` has found it."""
        return next(fit for fit in self.fits if fit.name == E2.name and fit.about.get(CELL_LINE) == cell_line)


def limits_text(limits: Literal["plate", "card"] | IntensityLimits) -> str:
    """Where intensity limits come from, in a form that can be compared."""
    return limits if isinstance(limits, str) else json.dumps([limits.low, limits.high])


def control_sites(tiles: WellTiles, labels: Index) -> str:
    """The images of the control wells, as they stand in a fit: 48 bits of the SHA-256 of each site's key."""
    keys = set(tiles.keys[labels[tiles.well] != 0].tolist())
    return " ".join(sorted(hashlib.sha256(key.encode()).hexdigest()[:12] for key in keys))


def has_seen(fit: AxisFit, tiles: WellTiles, labels: Index) -> bool:
    """Whether the axis was fitted on any image of these control wells."""
    return not set(fit.about.get(CONTROLS, "").split()).isdisjoint(control_sites(tiles, labels).split())


def check_earlier(axes: EarlierAxes, made: Preparation, cell_lines: Sequence[str], *, field: str = "axis_from") -> None:
    """Raises Invalid with every reason why these axes cannot score the cell lines of a screen, each with the fix."""
    efficacy = [fit for fit in axes.fits if fit.name == E2.name]
    lines = {fit.about.get(CELL_LINE, "") for fit in efficacy}
    problems = [_problem(_missing(axes, line, lines), field) for line in cell_lines if line not in lines]
    for fit in efficacy:
        if fit.about.get(CELL_LINE) in cell_lines:
            problems += [_problem(text, field) for text in _differences(fit, axes.source, made)]
    raise_if(problems, Invalid, f"the axes of {axes.source} cannot be used here")


def read_axis_files(paths: Sequence[Path]) -> EarlierAxes:
    """Fits from files that gandl wrote. Raises NotFound, and Invalid naming the file that is none or was changed."""
    fits = []
    for path in paths:
        if not path.is_file():
            raise NotFound(f"axis {path} is not there; give a file of the folder axes/ of a screen")
        fits.append(read_fit(path.read_bytes(), path.name))
    return EarlierAxes(tuple(fits), ", ".join(path.name for path in paths))


def read_fit(content: bytes, name: str) -> AxisFit:
    """One fit. Raises Invalid naming where it comes from."""
    try:
        return AxisFit.from_npz(io.BytesIO(content))
    except ValueError as error:
        raise Invalid(f"axis {name}: {error}", problems=[Problem(str(error), file=name)]) from error


def fit_bytes(fit: AxisFit) -> bytes:
    """The file of a fit; the same fit gives the same bytes."""
    file = io.BytesIO()
    fit.to_npz(file)
    return file.getvalue()


def off_limit_of(fit: AxisFit) -> float | None:
    """The limit of off distances that the controls of the axis gave, if there were enough of them."""
    text = fit.about.get(OFF_LIMIT, "")
    return float(text) if text and np.isfinite(float(text)) else None


def _missing(axes: EarlierAxes, line: str, lines: set[str]) -> str:
    known = f"it has {', '.join(sorted(lines))}" if lines else "it has no efficacy axis at all"
    if any(fit.level == IN_SAMPLE for fit in axes.fits):
        known += " (axes of the preset paper are for comparison only)"
    return f"no axis {E2.name} for cell line {line}; {known}"


def _differences(fit: AxisFit, source: str, made: Preparation) -> list[str]:
    here: Mapping[str, str] = made.about
    found = [
        f"{name} of {source} is {fit.about.get(name, 'unknown')}, here it is {here[name]}: {fix}"
        for name, fix in _MUST_AGREE.items()
        if fit.about.get(name) != here[name]
    ]
    if fit.features != made.card.features:
        found.append(f"{source} scores vectors of {fit.features} features, here they have {made.card.features}")
    return found


def _problem(detail: str, field: str) -> Problem:
    return Problem(detail, field=field)


def preparation(card: ModelCard, model_id: str, limits: str, parameters: AnalysisParameters) -> Preparation:
    """How the vectors of a screen are made under the parameters of an analysis."""
    return Preparation(model_id, card, limits, parameters.normalisation)
