"""What normalisation by plate costs: whether it makes plates distinguishable that were alike before.

The mean and the spread of a few negative controls are themselves uncertain, and dividing by them gives all wells of a
plate the same error.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from gandl_science.arrays import group_means
from gandl_science.assay.confounding import ConfoundingTest, confounding_test
from gandl_science.axis.linear.whitening import within_class
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.quality import Quality

from gandl_analysis.pipeline.axes.scored_cell_line import ScoredCellLine
from gandl_analysis.pipeline.tiles import WellTiles

MAX_P = 0.01
"""The p-value below which controls reveal their plate, as in the report."""
_ONE_PLATE = (
    "normalisation {} has nothing to remove: all wells lie on one plate, so that it adds the error of few negative "
    "controls, which can lower Z′; leave out --normalise"
)


def with_normalisation(
    quality: Quality, raw: WellTiles, cell_lines: Mapping[str, ScoredCellLine], parameters: AnalysisParameters
) -> Quality:
    """Return the quality with a note on each cell line on one plate, or whose plates are alike without normalisation.

    The note says whether it makes them distinguishable. `raw` are the tiles before they were normalised. The plates are
    told apart by control wells of the same kind.
    """
    if parameters.normalisation == "none":
        return quality
    notes = []
    for name, cell_line in cell_lines.items():
        before, after = (
            _plate_test(raw, cell_line, parameters.seed),
            _plate_test(cell_line.tiles, cell_line, parameters.seed),
        )
        if len(set(cell_line.tiles.plates)) == 1:
            notes.append(f"{name}: {_ONE_PLATE.format(parameters.normalisation)}")
        elif before is not None and after is not None and before.p_value >= MAX_P:
            notes.append(f"{name}: {_cost(parameters.normalisation, before, after)}")
    text = "; ".join([*([quality.note] if quality.note else []), *notes]) or None
    return quality.model_copy(update={"note": text})


def _cost(normalisation: str, before: ConfoundingTest, after: ConfoundingTest) -> str:
    if after.p_value >= MAX_P:
        return (
            f"normalisation {normalisation} has nothing to remove: control wells do not show their plate without it "
            f"(p {before.p_value:.2f}), and it adds the error of few negative controls; leave out --normalise"
        )
    return (
        f"normalisation {normalisation} makes plates distinguishable: of control wells of the same kind "
        f"{100 * after.accuracy:.0f} % are assigned to their plate (p {after.p_value:.3f}), without it "
        f"{100 * before.accuracy:.0f} % (p {before.p_value:.2f}), by chance {100 * before.chance:.0f} %; "
        "leave out --normalise"
    )


def _plate_test(tiles: WellTiles, cell_line: ScoredCellLine, seed: int) -> ConfoundingTest | None:
    """Test whether control wells reveal their plate, in coordinates that are whitened by these tiles."""
    places = {(well.plate, well.well): label for well, label in zip(cell_line.wells, cell_line.labels, strict=True)}
    labels = np.array([places.get((well.plate, well.well), 0) for well in tiles.wells], np.intp)
    keep = labels[tiles.well] != 0
    if len(np.unique(labels[tiles.well[keep]])) < 2:
        return None
    whitening = within_class(tiles.vectors[keep], labels[tiles.well[keep]])
    means = whitening(group_means(tiles.vectors, tiles.well, len(tiles.wells)))
    controls = labels != 0
    plates = [plate for plate, use in zip(tiles.plates, controls, strict=True) if use]
    return confounding_test(means[controls], plates, labels[controls], np.random.default_rng(seed))
