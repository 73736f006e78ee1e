"""A scored cell line of one plate with known separation of its controls."""

from __future__ import annotations

import numpy as np
from gandl_analysis.pipeline.axes.scored_cell_line import ScoredCellLine
from gandl_analysis.pipeline.result import EfficacyAxis
from gandl_analysis.pipeline.tiles import WellTiles
from gandl_science.axis.anchors import AnchorSource
from gandl_science.axis.cross_fit import score_wells
from gandl_shared.plates import Role, Well
from gandl_shared.plates.well_names import well_name

from tests.science.simulated_plates import Design, draw

EVERYTHING = np.ones(32, bool)


def simulated_assay(effect: float = 8.0) -> ScoredCellLine:
    """One plate of 16 controls and 16 wells of one compound at four doses, two sites per well."""
    plate = draw(Design(effect=effect, tiles=10), np.random.default_rng(0))
    scores = score_wells(plate.vectors, plate.well, plate.labels, plate.folds)
    positions = zip(plate.positions.rows.tolist(), plate.positions.columns.tolist(), plate.labels.tolist(), strict=True)
    wells = [_well(i, well_name(row, column), label) for i, (row, column, label) in enumerate(positions)]
    n = len(plate.vectors)
    tiles = WellTiles(
        wells=wells,
        vectors=plate.vectors,
        well=plate.well,
        profile_rows=np.arange(n),
        sites=np.array(["1", "2"] * (n // 2), object),
        keys=np.full(n, "key", object),
    )
    origin = EfficacyAxis(
        cell_line="U2OS", hash=scores.fit.digest, fitted_on="this screen", anchors=AnchorSource.HELD_OUT
    )
    return ScoredCellLine(tiles=tiles, labels=plate.labels, scores=scores, stored_fit=scores.fit, origin=origin)


def _well(i: int, name: str, label: int) -> Well:
    role = {1: Role.POSITIVE, -1: Role.NEGATIVE, 0: Role.TREATMENT}[label]
    compound, dose = ("X", float(i % 4 + 1)) if label == 0 else (None, None)
    return Well(
        plate="P1", well=name, role=role, compound=compound, concentration_um=dose, cell_line="U2OS", table_row=i + 2
    )
