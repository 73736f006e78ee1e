"""What lowers the verdict on an assay, or must be told beside it: confounded and mislabelled controls."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from gandl_science.arrays import Index
from gandl_science.assay.controls.mislabelled import mislabelled_controls
from gandl_shared.schemas.quality import CellLineProbes, GroupQuality, MislabelledControl, Quality
from scipy.stats import mannwhitneyu

from gandl_analysis.pipeline.axes.scored_cell_line import ScoredCellLine

MAX_NAMED = 10
"""At most so many mislabelled controls are named in a reason; quality.json holds all of them."""
_MIN_POSITIONS = 3
_MIXED_P = 0.05


def mislabelled(cell_line: ScoredCellLine) -> tuple[MislabelledControl, ...]:
    """Return the control wells that score like the other class; none of an axis that has seen the controls."""
    if cell_line.in_sample:
        return ()
    scores = cell_line.scores
    named = np.flatnonzero(mislabelled_controls(scores.on, cell_line.labels)).tolist()
    return tuple(
        MislabelledControl(
            plate=cell_line.wells[i].plate,
            well=cell_line.wells[i].well,
            role=cell_line.wells[i].role,
            efficacy=float(scores.efficacy[i]) if np.isfinite(scores.efficacy[i]) else None,
        )
        for i in named
    )


def interleaved(places: Index, labels: Index) -> bool:
    """Return True if rows or columns of both classes lie among each other, so that no trend explains the difference.

    `places` [W] are numbers of rows or columns. Both classes must be in three or more of them, and neither be on one
    side or nearer to the edge (Mann and Whitney 1947, p >= 0.05).
    """
    positive, negative = (places[labels == side] for side in (1, -1))
    if min(len(set(positive.tolist())), len(set(negative.tolist()))) < _MIN_POSITIONS:
        return False
    middle = (places.min() + places.max()) / 2
    pairs = ((positive, negative), (np.abs(positive - middle), np.abs(negative - middle)))
    return all(float(mannwhitneyu(p, n).pvalue) >= _MIXED_P for p, n in pairs)


def with_warnings(quality: Quality) -> Quality:
    """Return the quality with no verdict above `undetermined` where a position explains the difference of the controls.

    The verdicts of the cell line and of its plates get the reason, and so do mislabelled controls.
    """
    return quality.model_copy(
        update={
            "cell_lines": {
                name: _warned(group, quality.probes.get(name)) for name, group in quality.cell_lines.items()
            },
            "plates": {
                key: _warned(group, quality.probes.get(group.cell_line or ""), plate=key.removesuffix(_suffix(group)))
                for key, group in quality.plates.items()
            },
        }
    )


def _suffix(group: GroupQuality) -> str:
    return f" ({group.cell_line})"


def _warned(group: GroupQuality, probes: CellLineProbes | None, plate: str | None = None) -> GroupQuality:
    if probes is None:
        return group
    named = [c for c in probes.mislabelled if plate is None or c.plate == plate]
    reasons = [*_of_confounded(probes.confounded), *_of_mislabelled(named)]
    capped = probes.confounded and group.verdict in ("good", "usable")
    verdict = "undetermined" if capped else group.verdict
    return group.model_copy(update={"verdict": verdict, "reasons": (*group.reasons, *reasons)}) if reasons else group


def _of_confounded(positions: Sequence[str]) -> list[str]:
    if not positions:
        return []
    where = " and no ".join(positions)
    return [
        f"no {where} holds controls of both kinds, so that an effect of the position cannot be told from that of the "
        "positive control; mix the controls"
    ]


def _of_mislabelled(controls: Sequence[MislabelledControl]) -> list[str]:
    if not controls:
        return []
    listed = ", ".join(f"{c.plate} {c.well} ({c.role.label})" for c in controls[:MAX_NAMED])
    more = f" and {len(controls) - MAX_NAMED} more" if len(controls) > MAX_NAMED else ""
    return [
        f"control wells that score like the other kind: {listed}{more}; check the plate map and the plate, then "
        "correct the role or leave the well out"
    ]
