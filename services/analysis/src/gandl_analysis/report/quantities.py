"""The quantities of wells by which a plate is coloured: scores, contents, image problems, and columns of the plate map.

Each has a name, which stands in the address of a page, and one value per well or none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean

from gandl_shared.models import TableCard
from gandl_shared.plates import plain_column
from gandl_shared.schemas.screen import WellScore
from gandl_shared.store import Profiles
from gandl_shared.store.profiles import Float32

from gandl_analysis.pipeline.result import ScreenAnalysis

METADATA = "metadata:"
"""The names of columns of the plate map begin with this, so that none can hide a quantity of ours."""

SITE_METRIC = "site:"
"""The names of metrics of sites begin with this, then the metric and the number of the channel."""
_METRICS: Mapping[str, str] = {
    "sharpness": "Sharpness is the share of fine detail in the image; blurred sites have little.",
    "saturated": "Saturation is the share of pixels at the upper limit of the camera.",
    "structure": "Structure is 1 for pure noise and larger where there are cells.",
    "stripes": "Stripes says how much neighbouring rows or columns change together.",
    "similarity": "Similarity is the largest correlation with another channel in small differences.",
}

WellKey = tuple[str, str]
Value = float | str | None


class Scale(StrEnum):
    """How values become colours: from −1 over 0 to +1, from low to high, or one colour for each text."""

    DIVERGING = "diverging"
    SEQUENTIAL = "sequential"
    CATEGORY = "category"


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """One quantity: its name in addresses, its label, a sentence about it, and the value of each well by plate and
    well. A well without a value has None."""

    name: str
    label: str
    meaning: str
    scale: Scale
    values: Mapping[WellKey, Value]

    @property
    def range(self) -> tuple[float, float] | None:
        """The smallest and the largest number; None where there is none."""
        numbers = [value for value in self.values.values() if isinstance(value, (int, float))]
        return (min(numbers), max(numbers)) if numbers else None

    @property
    def categories(self) -> tuple[str, ...]:
        """The texts, sorted."""
        return tuple(sorted({value for value in self.values.values() if isinstance(value, str)}))


def quantities(analysis: ScreenAnalysis) -> tuple[Quantity, ...]:
    """Return all quantities that some well of a screen has, efficacy first and columns of the plate map last."""
    own = (
        _of_wells(
            analysis,
            "efficacy",
            "efficacy",
            "Efficacy is −1 at the negative and +1 at the positive controls.",
            lambda well: well.efficacy,
            Scale.DIVERGING,
        ),
        _of_wells(
            analysis,
            "off_distance",
            "off-axis distance",
            "The off-axis distance says how far a well is from both controls beside the axis between them.",
            lambda well: well.off_distance,
        ),
        _residuals(analysis),
        _of_wells(
            analysis,
            "concentration_um",
            "dose (µM)",
            "The dose is the concentration of the plate map.",
            lambda well: well.concentration_um,
        ),
        _of_wells(
            analysis,
            "n_tiles",
            "tiles",
            "The tiles are the pieces of the images that count for the score of a well.",
            lambda well: float(well.n_tiles),
        ),
        _image_problems(analysis),
        _of_wells(
            analysis,
            "role",
            "role",
            "The role says whether a well is a control, a treatment or empty.",
            lambda well: well.role.label,
            Scale.CATEGORY,
        ),
    )
    return tuple(q for q in (*own, *_metadata(analysis)) if any(value is not None for value in q.values.values()))


def site_metric_names(analysis: ScreenAnalysis) -> Mapping[str, str]:
    """Return the label of each metric of sites by its name, one for each channel; a table of features has none."""
    card = analysis.provenance.model
    channels = [] if isinstance(card, TableCard) else [channel.name for channel in card.channels]
    return {
        f"{SITE_METRIC}{metric}:{number}": f"{metric} of {channel}"
        for metric in _METRICS
        for number, channel in enumerate(channels, 1)
    }


def site_metric(analysis: ScreenAnalysis, profiles: Profiles, name: str) -> Quantity:
    """Return the mean of a metric over the sites of each well. `name` is one of `site_metric_names`."""
    metric, number = name.removeprefix(SITE_METRIC).split(":")
    column = int(number) - 1
    measured: Float32 = getattr(profiles, metric)
    values: dict[WellKey, Value] = {}
    if column < measured.shape[1]:
        # All tiles of a site repeat its metric, and a site counts once.
        sites = dict(
            zip(
                zip(profiles.plates, profiles.wells, profiles.sites, strict=True),
                measured[:, column].tolist(),
                strict=True,
            )
        )
        by_well: dict[WellKey, list[float]] = {}
        for (plate, well, _), value in sites.items():
            if math.isfinite(value):
                by_well.setdefault((plate, well), []).append(value)
        values = {key: fmean(numbers) for key, numbers in by_well.items()}
    label = site_metric_names(analysis)[name]
    return Quantity(name=name, label=label, meaning=_METRICS[metric], scale=Scale.SEQUENTIAL, values=values)


def _of_wells(
    analysis: ScreenAnalysis,
    name: str,
    label: str,
    meaning: str,
    read: Callable[[WellScore], Value],
    scale: Scale = Scale.SEQUENTIAL,
) -> Quantity:
    values = {(well.plate, well.well): read(well) for well in analysis.wells}
    return Quantity(name=name, label=label, meaning=meaning, scale=scale, values=values)


def _residuals(analysis: ScreenAnalysis) -> Quantity:
    values: dict[WellKey, Value] = {
        (effect.plate, well): residual
        for probes in analysis.quality.probes.values()
        for effect in probes.positions
        for well, residual in effect.residuals.items()
    }
    meaning = "The residual is the efficacy of a well less the mean of the wells with the same treatment."
    return Quantity(name="residual", label="residual", meaning=meaning, scale=Scale.DIVERGING, values=values)


def _image_problems(analysis: ScreenAnalysis) -> Quantity:
    images = analysis.quality.images
    values: dict[WellKey, Value] = {(w.plate, w.well): 0.0 for w in analysis.wells if w.plate in images and w.n_tiles}
    for plate, quality in images.items():
        for well in [site.well for site in quality.failed]:
            count = values.get((plate, well))
            values[plate, well] = 1.0 + (count if isinstance(count, float) else 0.0)
    return Quantity(
        name="image_qc",
        label="sites with image problems",
        meaning="Image QC counts the fields of view of a well that have a problem.",
        scale=Scale.SEQUENTIAL,
        values=values,
    )


def _metadata(analysis: ScreenAnalysis) -> Iterable[Quantity]:
    names = dict.fromkeys(name for well in analysis.wells for name in well.metadata)
    for name in names:
        texts = {(w.plate, w.well): w.metadata.get(name, "").strip() for w in analysis.wells}
        numbers = {key: _number(text) for key, text in texts.items() if text}
        is_numeric = bool(numbers) and all(number is not None for number in numbers.values())
        values: Mapping[WellKey, Value] = {
            k: numbers.get(k) if is_numeric else text or None for k, text in texts.items()
        }
        yield Quantity(
            name=f"{METADATA}{plain_column(name)}",
            label=plain_column(name).replace("_", " "),
            meaning="This is a further column of the plate map.",
            scale=Scale.SEQUENTIAL if is_numeric else Scale.CATEGORY,
            values=values,
        )


def _number(text: str) -> float | None:
    """Return the number that a text spells; infinities and NaN are texts."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None
