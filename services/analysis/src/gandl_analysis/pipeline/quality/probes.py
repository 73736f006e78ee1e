"""Probes of a cell line: confounding, replicates, position effects, and axes on plates without training wells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Literal

import numpy as np
from gandl_science.arrays import Float, Index, Mask, group_means
from gandl_science.assay.accuracy import share_right
from gandl_science.assay.confounding import confounding_test
from gandl_science.assay.position_effects import PositionMap, PositionTest, adjusted_p_values, position_map
from gandl_science.assay.replicates import ReplicateMap, replicate_map
from gandl_science.assay.separation import separation
from gandl_science.axis.cross_fit import AxisOptions, held_out_scores
from gandl_science.axis.folds import plate_folds
from gandl_science.axis.provenance import ControlStatus
from gandl_shared.plates import Role, Well
from gandl_shared.plates.well_names import row_letters
from gandl_shared.schemas.quality import (
    CellLineProbes,
    ConfoundingProbe,
    PositionEffect,
    ReplicateGroup,
    Replicates,
    UnseenPlates,
)
from numpy.typing import NDArray

from gandl_analysis.pipeline.axes.scored_cell_line import ScoredCellLine
from gandl_analysis.pipeline.quality.treatments import treatment_doses
from gandl_analysis.pipeline.quality.warnings import interleaved, mislabelled

MAX_Q_REPRODUCIBLE = 0.05
"""A treatment is reproducible below this q-value."""

Position = Literal["plate", "row", "column"]
Names = NDArray[np.str_]


def cell_line_probes(cell_line: ScoredCellLine, *, seed: int = 0) -> CellLineProbes:
    """Return all probes of one cell line. Each draws from a random stream of its own that `seed` decides."""
    # Separate streams keep the p-values of one probe independent of how often another one draws.
    streams = [np.random.default_rng([seed, i]) for i in range(2)]
    tiles = cell_line.tiles
    means = cell_line.scores.fit.off_axis.whitening(group_means(tiles.vectors, tiles.well, len(tiles.wells)))
    positions = _positions(cell_line)
    return CellLineProbes(
        confounded=tuple(what for what, groups in positions.items() if _confounds(what, groups, cell_line)),
        mislabelled=mislabelled(cell_line),
        leakage=(
            *_confounding_of_wells(cell_line, positions, means, streams[0]),
            *_confounding_of_sites(cell_line, streams[0]),
        ),
        replicates=_replicates(cell_line, means, seed),
        positions=_position_effects(cell_line, streams[1]),
        unseen_plates=_unseen_plates(cell_line),
    )


def _positions(cell_line: ScoredCellLine) -> dict[Position, Names]:
    """Return the names of the plate, row and column of each well [W]."""
    positions = cell_line.tiles.positions
    return {
        "plate": np.array(positions.plates, dtype=str),
        "row": np.array([row_letters(row) for row in positions.rows.tolist()], dtype=str),
        "column": np.array([f"{column:02d}" for column in positions.columns.tolist()], dtype=str),
    }


def _confounds(what: Position, groups: Names, cell_line: ScoredCellLine) -> bool:
    """Return True if no position of a kind holds both classes, and they are not mixed over the rows or columns."""
    if not _separates(groups, cell_line.labels):
        return False
    if what == "plate":
        return True
    positions = cell_line.tiles.positions
    return not interleaved(positions.rows if what == "row" else positions.columns, cell_line.labels)


def _separates(groups: Names, labels: Index) -> bool:
    """Return True if there are controls of both classes and no group holds both."""
    positive, negative = (set(groups[labels == side].tolist()) for side in (1, -1))
    return bool(positive and negative) and positive.isdisjoint(negative)


def _confounding_of_wells(
    cell_line: ScoredCellLine, positions: dict[Position, Names], means: Float, rng: np.random.Generator
) -> list[ConfoundingProbe]:
    # Treatments differ from plate to plate by design, so only controls can reveal a position.
    controls = cell_line.labels != 0
    units, classes = means[controls], cell_line.labels[controls]
    tests = {what: confounding_test(units, names[controls].tolist(), classes, rng) for what, names in positions.items()}
    return [ConfoundingProbe(what=what, **asdict(test)) for what, test in tests.items() if test is not None]


def _confounding_of_sites(cell_line: ScoredCellLine, rng: np.random.Generator) -> list[ConfoundingProbe]:
    """Test whether control vectors reveal the site in the well. The stratum of a site is its well."""
    tiles = cell_line.tiles
    controls = np.flatnonzero(cell_line.labels[tiles.well] != 0).tolist()
    keys = [(int(tiles.well[i]), str(tiles.sites[i])) for i in controls]
    sites = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    index = np.array([sites[key] for key in keys], np.intp)
    units = cell_line.scores.fit.off_axis.whitening(group_means(tiles.vectors[controls], index, len(sites)))
    test = confounding_test(units, [site for _, site in sites], np.array([well for well, _ in sites], np.intp), rng)
    return [ConfoundingProbe(what="site", **asdict(test))] if test is not None else []


def _unseen_plates(cell_line: ScoredCellLine) -> UnseenPlates | None:
    """Return the separation of controls by axes that were fitted without any well of their plate.

    The result is None for one plate, for plates that hold one class each, and for an axis that was not fitted out of
    fold on this screen.
    """
    if cell_line.control_status is not ControlStatus.HELD_OUT:
        return None
    labels, plates = cell_line.labels, cell_line.tiles.plates
    # A plate of a later screen has no well in the training set either, so whole plates are held out.
    folds = plate_folds(plates, labels)
    if folds is None:
        return None
    fit, tiles = cell_line.scores.fit, cell_line.tiles
    controls = labels[tiles.well] != 0
    options = AxisOptions(whitening=fit.whitening, regularisation=fit.regularisation)
    scores = held_out_scores(tiles.vectors[controls], tiles.well[controls], labels, folds, options)
    measures = separation(*(scores.on[(labels == side) & np.isfinite(scores.on)] for side in (1, -1)))
    return UnseenPlates(
        plates=len({plate for plate, label in zip(plates, labels, strict=True) if label}),
        z_prime=measures.z_prime,
        accuracy=share_right(scores.tiles_right, scores.n_tiles, labels != 0),
        roc_auc=measures.roc_auc,
    )


def _replicates(cell_line: ScoredCellLine, means: Float, seed: int) -> Replicates | None:
    negative = cell_line.labels < 0
    if not negative.any():
        return None
    treated = np.array([w.role is Role.TREATMENT for w in cell_line.wells], bool)
    use = np.flatnonzero(negative | treated)
    treatments = _treatments(cell_line.wells)
    groups = [treatments[i] for i in use.tolist()]
    # Cosine similarity is about the origin, which is the mean of the negative controls.
    centred = means[use]
    centred -= np.nanmean(means[negative], axis=0)
    results = replicate_map(centred, groups, negative[use], seed)
    if not results:
        return None
    doses = treatment_doses(cell_line.wells)
    columns = zip(treatments, cell_line.wells, doses, strict=True)
    wells = {treatment: (w.compound, dose) for treatment, w, dose in columns if w.role is Role.TREATMENT}
    return Replicates(
        share_reproducible=sum(r.q_value < MAX_Q_REPRODUCIBLE for r in results) / len(results),
        groups=tuple(_replicate_group(*wells[result.group], result) for result in results),
    )


def _treatments(wells: Sequence[Well]) -> list[str]:
    return [f"{well.compound}@{dose}" for well, dose in zip(wells, treatment_doses(wells), strict=True)]


def _replicate_group(compound: str | None, dose: float | None, result: ReplicateMap) -> ReplicateGroup:
    return ReplicateGroup(
        compound=compound or "unnamed",
        concentration_um=dose,
        n_wells=result.n,
        map=result.mean_average_precision,
        p_value=result.p_value,
        q_value=result.q_value,
    )


def _position_effects(cell_line: ScoredCellLine, rng: np.random.Generator) -> tuple[PositionEffect, ...]:
    plates = np.array(cell_line.tiles.plates, dtype=object)
    names = [f"{well.role}|{text}" for well, text in zip(cell_line.wells, _treatments(cell_line.wells), strict=True)]
    treatments = np.array(names, dtype=object)
    maps = {
        plate: _map_of_plate(cell_line, treatments, plates == plate, rng)
        for plate in dict.fromkeys(cell_line.tiles.plates)
    }
    # The p-values of all plates are adjusted together, because a reader looks at all of them.
    adjusted = adjusted_p_values([t for effects in maps.values() for t in (effects.row_test, effects.column_test)])
    p_values = zip(adjusted[::2], adjusted[1::2], strict=True)
    wells = cell_line.wells
    return tuple(
        _position_effect(plate, [w.well for w in wells if w.plate == plate], effects, *adjusted_pair)
        for (plate, effects), adjusted_pair in zip(maps.items(), p_values, strict=True)
    )


def _map_of_plate(
    cell_line: ScoredCellLine, treatments: NDArray[np.object_], on_plate: Mask, rng: np.random.Generator
) -> PositionMap:
    positions = cell_line.tiles.positions
    efficacy = cell_line.scores.efficacy[on_plate]
    own = treatments[on_plate].tolist()
    return position_map(efficacy, positions.rows[on_plate], positions.columns[on_plate], own, rng)


def _position_effect(
    plate: str, names: list[str], effects: PositionMap, row_p: float | None, column_p: float | None
) -> PositionEffect:
    residuals = zip(names, effects.residuals.tolist(), strict=True)
    return PositionEffect(
        plate=plate,
        rows=dict(sorted((row_letters(row), mean) for row, mean in effects.rows.items())),
        columns={f"{column:02d}": mean for column, mean in effects.columns.items()},
        row_p_value=_p_value(effects.row_test),
        column_p_value=_p_value(effects.column_test),
        row_p_adjusted=row_p,
        column_p_adjusted=column_p,
        residuals={name: residual for name, residual in residuals if np.isfinite(residual)},
    )


def _p_value(test: PositionTest | None) -> float | None:
    return None if test is None else test.p_value
