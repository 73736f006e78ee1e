"""Deviation off the axis of whole compounds: mimics of variable positive controls, toxins, and the multiplicity."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_analysis.pipeline.curves.off_axis import OffAxisRule, off_axis_results
from gandl_analysis.pipeline.curves.wells import CompoundWells, CurveWell
from gandl_science.assay.controls.distances import control_distances
from gandl_science.axis.cross_fit import score_wells
from gandl_science.axis.folds import grouped_folds
from gandl_science.dose_response.verdict.onset import off_axis_limit
from gandl_science.positions import Positions

CONTROLS = control_distances(np.exp(np.tile([-0.5, 0.0, 0.5], 4)), np.repeat([-1, 1], 6), np.repeat([-1.0, 1.0], 6))
assert CONTROLS is not None
RULES = {"U": OffAxisRule(limit=2.0, controls=CONTROLS)}


def compound(name: str, *distances: float, efficacy: float | None = -1.0) -> CompoundWells:
    wells = [
        CurveWell(compound=name, cell_line="U", concentration=10.0**dose, response=efficacy, off_distance=distance)
        for dose, distance in enumerate(distances)
        for _ in range(2)
    ]
    return CompoundWells(name=name, cell_line="U", wells=tuple(wells))


def test_the_onset_is_where_the_doses_from_the_highest_down_still_deviate() -> None:
    results = off_axis_results([compound("a", 9, 1, 9, 9), compound("b", 1, 1, 9, 1)], RULES, 0.05)
    assert [r.departs_at for r in results] == [100.0, None]
    assert [r.p_value == r.points[-1].p_value for r in results] == [True, True]
    assert results[0].q_value == pytest.approx(2 * (results[0].p_value or 1))


def test_the_number_of_compounds_counts() -> None:
    """The same wells among 300 inert compounds are no longer certain."""
    alone = off_axis_results([compound("a", 1, 2.8)], RULES, 0.05)[0]
    among = off_axis_results([compound("a", 1, 2.8), *(compound(f"{i}", 1, 1) for i in range(299))], RULES, 0.05)[0]
    assert alone.p_value == among.p_value
    assert (alone.departs_at, among.departs_at) == (10.0, None)
    assert (among.q_value or 0) > 0.05


def test_a_certain_but_small_deviation_is_within_the_limit() -> None:
    wells = [
        CurveWell(compound="a", cell_line="U", concentration=1.0, response=-1.0, off_distance=1.9) for _ in range(500)
    ]
    (result,) = off_axis_results([CompoundWells(name="a", cell_line="U", wells=tuple(wells))], RULES, 0.05)
    assert (result.q_value or 1) < 0.01
    assert result.departs_at is None


def test_without_controls_the_limit_decides_alone() -> None:
    (result,) = off_axis_results([compound("a", 1, 3, 3)], {"U": OffAxisRule(limit=2.0)}, 0.05)
    assert (result.departs_at, result.p_value, result.q_value) == (10.0, None, None)
    (unlimited,) = off_axis_results([compound("a", 1, 3, 3)], {}, 0.05)
    assert (unlimited.departs_at, unlimited.limit, len(unlimited.points)) == (None, None, 3)


def test_mimics_of_few_and_variable_positive_controls_are_not_toxic() -> None:
    """60 negative and 6 positive controls that vary three times as much, ten full mimics, ten inert compounds and ten
    toxins, each at three doses in two wells."""
    rng = np.random.default_rng(0)
    kinds = np.repeat(["negative", "positive", "mimic", "inert", "toxin"], [60, 6, 60, 60, 60])
    far, like = np.isin(kinds, ["positive", "mimic"]), np.isin(kinds, ["negative", "positive"])
    centres = rng.normal(size=(len(kinds), 64)) * np.where(far, 1.5, 0.5)[:, None]
    centres[:, 0] += np.where(far, 6.0, 0.0)
    centres[:, 1] += np.where(kinds == "toxin", 8.0, 0.0)
    labels = np.where(like, np.where(far, 1, -1), 0).astype(np.intp)
    positions = Positions(
        plates=["P"] * len(kinds), rows=np.arange(len(kinds)) % 6 + 1, columns=np.arange(len(kinds)) // 6 + 1
    )
    folds = grouped_folds(positions, labels)
    assert folds is not None
    vectors = (centres[:, None] + rng.normal(size=(len(kinds), 4, 64))).reshape(-1, 64).astype(np.float32)
    scores = score_wells(vectors, np.repeat(np.arange(len(kinds)), 4), labels, folds)
    rule = OffAxisRule(controls=control_distances(scores.off_distance, labels, scores.efficacy))
    compounds = []
    for first in range(66, len(kinds), 6):
        wells = [
            CurveWell(
                compound=f"{kinds[first]}{first}",
                cell_line="U",
                concentration=10.0 ** (i // 2),
                response=float(scores.efficacy[first + i]),
                off_distance=float(scores.off_distance[first + i]),
            )
            for i in range(6)
        ]
        compounds.append(CompoundWells(name=wells[0].compound, cell_line="U", wells=tuple(wells)))
    results = off_axis_results(compounds, {"U": rule}, 0.05)
    deviates = np.array([r.departs_at is not None for r in results])
    # With ten toxins to call, a twentieth of the calls may be false.
    assert deviates[:10].sum() <= 1
    assert not deviates[10:20].any()
    assert deviates[20:].sum() >= 8
    # A limit pooled over both classes, as before, would have called the mimics toxic.
    pooled = off_axis_limit(scores.off_distance, np.where(labels == 0, 0, -1).astype(np.intp))
    assert pooled is not None
    assert sum(r.points[-1].distance > pooled for r in results[:10]) >= 8
