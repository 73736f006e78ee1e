"""Quality of an assay as `quality.json` has it: figures of held-out controls, and probes of what may spoil them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Literal

import numpy as np
from gandl_science.arrays import Float, Index, Mask, group_means
from gandl_science.assay.accuracy import confusion, share_right, tile_accuracy_interval, wilson
from gandl_science.assay.confounding import confounding_test
from gandl_science.assay.grade import GradedAssay, GradeThresholds, grade_assay
from gandl_science.assay.position_effects import PositionMap, adjusted_p_values, position_map
from gandl_science.assay.replicates import replicate_map
from gandl_science.assay.separation import separation, v_factor
from gandl_science.axis.anchors import AnchorSource
from gandl_science.axis.cross_fit import AxisOptions, held_out_scores
from gandl_science.axis.folds import plate_folds
from gandl_science.axis.provenance import ControlStatus
from gandl_shared.plates import Role
from gandl_shared.plates.well_names import parse_well, row_letters
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.quality import (
    CellLineProbes,
    ConfoundingProbe,
    ControlConfusion,
    GroupQuality,
    PositionEffect,
    Quality,
    ReplicateGroup,
    Replicates,
    ShareInterval,
    UnseenPlates,
)
from numpy.typing import NDArray

from gandl_analysis.pipeline.axes.scored_cell_line import ScoredCellLine

REPRODUCIBLE = 0.05
_IN_SAMPLE = GradedAssay(
    "undetermined", ("the axis has seen these controls: in-sample figures flatter and give no verdict",)
)


_OF_EARLIER_AXES = (AnchorSource.OWN_CONTROLS, AnchorSource.STORED)
_PAPER = (
    "preset paper: one axis for all cell lines on raw vectors, fitted on and scaled by these very controls. Every "
    "figure is in-sample: it flatters, unseen controls fall short of it, and it is for comparison only."
)


def screen_quality(cell_lines: Mapping[str, ScoredCellLine], parameters: AnalysisParameters) -> Quality:
    """Return the quality of a screen: per cell line, per plate and cell line, and the probes of each cell line."""
    seed, thresholds = parameters.seed, thresholds_of(parameters)
    by_plate: dict[str, dict[str, GroupQuality]] = {}
    for name, cell_line in cell_lines.items():
        for plate in dict.fromkeys(w.plate for w in cell_line.wells):
            on_plate = np.array([w.plate == plate for w in cell_line.wells])
            quality = group_quality(cell_line, on_plate, seed=seed, thresholds=thresholds)
            by_plate.setdefault(plate, {})[name] = quality.model_copy(update={"cell_line": name})
    plates = {
        plate if len(qualities) == 1 else f"{plate} ({name})": quality
        for plate, qualities in by_plate.items()
        for name, quality in qualities.items()
    }
    everywhere = {
        name: group_quality(cell_line, np.ones(len(cell_line.wells), bool), seed=seed, thresholds=thresholds)
        for name, cell_line in cell_lines.items()
    }
    probes = {name: cell_line_probes(cell_line, seed=seed) for name, cell_line in cell_lines.items()}
    return Quality(note=_note(cell_lines, parameters), cell_lines=everywhere, plates=plates, probes=probes)


def thresholds_of(parameters: AnalysisParameters) -> GradeThresholds:
    """The thresholds of an analysis."""
    return GradeThresholds(**parameters.quality.model_dump())


def group_quality(
    line: ScoredCellLine, keep: Mask, *, seed: int = 0, thresholds: GradeThresholds | None = None
) -> GroupQuality:
    """Figures of the controls in `keep` [W]: those of a plate, or all. `seed` decides the bootstrap of tiles."""
    scores = line.scores
    # Z′, SSMD and AUC do not change with the scale, so raw scores give them where there is no efficacy too.
    positive, negative = (scores.on[keep & (line.labels == s) & np.isfinite(scores.on)] for s in (1, -1))
    found = separation(positive, negative)
    sides = confusion(scores.on, np.where(keep, line.labels, 0))
    by_well = wilson(sides.right, sides.total)
    tiles = tile_accuracy_interval(
        scores.tiles_right, scores.n_tiles, np.where(keep, line.labels, 0), np.random.default_rng(seed)
    )
    judged = _IN_SAMPLE if line.in_sample else grade_assay(found, by_well, thresholds)
    return GroupQuality(
        z_prime=found.z_prime,
        z_prime_robust=found.z_prime_robust,
        ssmd=found.ssmd,
        v_factor=v_factor(_dose_groups(line, keep), positive, negative),
        roc_auc=found.roc_auc,
        accuracy=scores.tile_accuracy(keep),
        accuracy_interval=_interval(tiles),
        well_accuracy=sides.accuracy,
        well_accuracy_interval=_interval(by_well),
        confusion=ControlConfusion(**asdict(sides)),
        n_positive=found.n_positive,
        n_negative=found.n_negative,
        grouped_by=None if line.in_sample else scores.fit.grouped_by,
        in_sample=line.in_sample,
        verdict=judged.grade,
        reasons=judged.reasons,
    )


def cell_line_probes(line: ScoredCellLine, *, seed: int = 0) -> CellLineProbes:
    """Leakage, replicates and positions of one cell line. Each draws from its own stream of `seed`."""
    streams = [np.random.default_rng([seed, i]) for i in range(2)]
    means = line.scores.fit.off_axis.whitening(group_means(line.tiles.vectors, line.tiles.well, len(line.wells)))
    return CellLineProbes(
        confounded=tuple(what for what, groups in _places(line).items() if _apart(groups, line.labels)),
        leakage=(*_well_leakage(line, means, streams[0]), *_site_leakage(line, streams[0])),
        replicates=_replicates(line, means, seed),
        positions=_positions(line, streams[1]),
        unseen_plates=_unseen_plates(line),
    )


def _dose_groups(line: ScoredCellLine, keep: Mask) -> list[Float]:
    groups: dict[tuple[str | None, float | None], list[float]] = {}
    for w, on, use in zip(line.wells, line.scores.on, keep, strict=True):
        if use and w.role is Role.TREATMENT and np.isfinite(on):
            groups.setdefault((w.compound, w.concentration_um), []).append(float(on))
    return [np.array(values) for values in groups.values()]


def _interval(bounds: tuple[float, float] | None) -> ShareInterval | None:
    return ShareInterval(low=bounds[0], high=bounds[1]) if bounds else None


def _well_leakage(line: ScoredCellLine, means: Float, rng: np.random.Generator) -> list[ConfoundingProbe]:
    controls = line.labels != 0
    places = _places(line).items()
    found = [
        (what, confounding_test(means[controls], g[controls].tolist(), line.labels[controls], rng))
        for what, g in places
    ]
    return [ConfoundingProbe.model_validate({"what": what, **asdict(f)}) for what, f in found if f]


def _places(line: ScoredCellLine) -> dict[Literal["plate", "row", "column"], NDArray[np.str_]]:
    """Plate, row and column of each well [W]."""
    rows = [w.well.rstrip("0123456789") for w in line.wells]
    columns = [w.well[len(row) :] for w, row in zip(line.wells, rows, strict=True)]
    return {"plate": np.array([w.plate for w in line.wells]), "row": np.array(rows), "column": np.array(columns)}


def _apart(groups: NDArray[np.str_], labels: Index) -> bool:
    """Whether both classes are there and no group holds wells of both."""
    sides = [set(groups[labels == side].tolist()) for side in (1, -1)]
    return all(sides) and sides[0].isdisjoint(sides[1])


def _site_leakage(line: ScoredCellLine, rng: np.random.Generator) -> list[ConfoundingProbe]:
    tiles = np.flatnonzero(line.labels[line.tiles.well] != 0).tolist()
    pairs = [(int(line.tiles.well[i]), line.tiles.sites[i]) for i in tiles]
    places = {pair: i for i, pair in enumerate(dict.fromkeys(pairs))}
    index = np.array([places[pair] for pair in pairs], np.intp)
    white = line.scores.fit.off_axis.whitening(group_means(line.tiles.vectors[tiles], index, len(places)))
    found = confounding_test(white, [site for _, site in places], np.array([w for w, _ in places], np.intp), rng)
    return [ConfoundingProbe(what="site", **asdict(found))] if found else []


def _unseen_plates(line: ScoredCellLine) -> UnseenPlates | None:
    """Another round of fits, without whole plates; None for one plate, where plates hold one class each, and for an
    axis that was not fitted out of fold on this screen."""
    if line.control_status is not ControlStatus.HELD_OUT:
        return None
    folds = plate_folds([w.plate for w in line.wells], line.labels)
    if folds is None:
        return None
    fit, tiles = line.scores.fit, line.labels[line.tiles.well] != 0
    options = AxisOptions(whitening=fit.whitening, regularisation=fit.regularisation)
    scores = held_out_scores(line.tiles.vectors[tiles], line.tiles.well[tiles], line.labels, folds, options)
    found = separation(*(scores.on[(line.labels == s) & np.isfinite(scores.on)] for s in (1, -1)))
    accuracy = share_right(scores.tiles_right, scores.n_tiles, line.labels != 0)
    plates = len({w.plate for w, label in zip(line.wells, line.labels, strict=True) if label})
    return UnseenPlates(plates=plates, z_prime=found.z_prime, accuracy=accuracy, roc_auc=found.roc_auc)


def _replicates(line: ScoredCellLine, means: Float, seed: int) -> Replicates | None:
    negative = line.labels < 0
    treated = np.array([w.role is Role.TREATMENT for w in line.wells], bool)
    use = np.flatnonzero(negative | treated).tolist()
    keys = {f"{w.compound}@{w.concentration_um}": w for w in line.wells if w.role is Role.TREATMENT}
    groups = [f"{w.compound}@{w.concentration_um}" for w in (line.wells[i] for i in use)]
    if not negative.any():
        return None
    centred = means[use] - np.nanmean(means[negative], axis=0)
    found = replicate_map(centred, groups, negative[use], seed)
    if not found:
        return None
    return Replicates(
        share_reproducible=sum(r.q_value < REPRODUCIBLE for r in found) / len(found),
        groups=tuple(
            ReplicateGroup(
                compound=keys[r.group].compound or "unnamed",
                concentration_um=keys[r.group].concentration_um,
                n_wells=r.n,
                map=r.mean_average_precision,
                p_value=r.p_value,
                q_value=r.q_value,
            )
            for r in found
        ),
    )


def _positions(line: ScoredCellLine, rng: np.random.Generator) -> tuple[PositionEffect, ...]:
    found: dict[str, PositionMap] = {}
    residuals: dict[str, dict[str, float]] = {}
    for plate in dict.fromkeys(w.plate for w in line.wells):
        on_plate = [i for i, w in enumerate(line.wells) if w.plate == plate]
        wells = [line.wells[i] for i in on_plate]
        contents = [f"{w.role}|{w.compound}|{w.concentration_um}" for w in wells]
        scores = line.scores.efficacy[on_plate]
        rows, columns = np.array([parse_well(w.well) for w in wells], np.intp).T
        effect = position_map(scores, rows, columns, contents, rng)
        found[plate] = effect
        residuals[plate] = {w.well: float(r) for w, r in zip(wells, effect.residuals, strict=True) if np.isfinite(r)}
    adjusted = iter(adjusted_p_values([t for effect in found.values() for t in (effect.row_test, effect.column_test)]))
    return tuple(
        _effect(plate, effect, residuals[plate], next(adjusted), next(adjusted)) for plate, effect in found.items()
    )


def _effect(
    plate: str, found: PositionMap, residuals: dict[str, float], row_p: float | None, column_p: float | None
) -> PositionEffect:
    return PositionEffect(
        plate=plate,
        rows=dict(sorted((row_letters(n), mean) for n, mean in found.rows.items())),
        columns={f"{n:02d}": mean for n, mean in found.columns.items()},
        row_p_value=None if found.row_test is None else found.row_test.p_value,
        column_p_value=None if found.column_test is None else found.column_test.p_value,
        row_p_adjusted=row_p,
        column_p_adjusted=column_p,
        residuals=residuals,
    )


def _note(cell_lines: Mapping[str, ScoredCellLine], parameters: AnalysisParameters) -> str | None:
    """Return what a reader of the metrics must know first."""
    if parameters.preset == "paper":
        return _PAPER
    origins = [(c.origin, c.in_sample) for c in cell_lines.values() if c.origin.anchors in _OF_EARLIER_AXES]
    if not origins:
        return None
    anchors = "; ".join(f"{origin.cell_line}: {origin.anchors}" for origin, _ in origins)
    in_sample = ", ".join(str(origin.cell_line) for origin, in_sample in origins if in_sample)
    warning = f" The axis was fitted on controls of {in_sample} that are here again: in-sample." if in_sample else ""
    return f"Scored by axes of {origins[0][0].fitted_on}; anchors, {anchors}.{warning}"
