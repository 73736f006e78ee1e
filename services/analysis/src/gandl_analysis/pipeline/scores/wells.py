"""The scores of wells as they are stored, served and written: one per well of the plate map, empty ones too."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from gandl_shared.plates import Well
from gandl_shared.schemas.screen import WellScore

from gandl_analysis.pipeline.axes.scored_cell_line import ScoredCellLine
from gandl_analysis.pipeline.image_qc import ImageQc


def well_scores(
    wells: Sequence[Well], cell_lines: Iterable[ScoredCellLine], image_qc: ImageQc
) -> tuple[WellScore, ...]:
    """Return the score of each well in the order of the plate map. A well without a score has null numbers."""
    scored = {(s.plate, s.well): s for cell_line in cell_lines for s in _of_cell_line(cell_line, image_qc)}
    # Empty wells were never scored; they are listed without numbers, so that rows match the plate map.
    return tuple(scored.get((w.plate, w.well)) or _without_score(w) for w in wells)


def _of_cell_line(cell_line: ScoredCellLine, image_qc: ImageQc) -> Iterator[WellScore]:
    s = cell_line.scores
    columns = zip(cell_line.wells, s.on, s.off, s.efficacy, s.off_distance, s.n_tiles, strict=True)
    for well, on, off, efficacy, distance, n in columns:
        yield _without_score(well).model_copy(
            update={
                "on": _finite(on),
                "off": _finite(off),
                "efficacy": _finite(efficacy),
                "off_distance": _finite(distance),
                "n_tiles": int(n),
                "excluded": image_qc.exclusion_reason(well),
            }
        )


def _without_score(well: Well) -> WellScore:
    return WellScore(
        plate=well.plate,
        well=well.well,
        role=well.role,
        compound=well.compound,
        concentration_um=well.concentration_um,
        cell_line=well.cell_line,
        on=None,
        off=None,
        efficacy=None,
        n_tiles=0,
        metadata=dict(well.metadata),
    )


def _finite(value: float) -> float | None:
    """Return the number, or None for NaN and infinity, which JSON does not have."""
    return float(value) if math.isfinite(value) else None
