"""The four ways of testing: held-out accuracies are honest where in-sample ones are not."""

from __future__ import annotations

import numpy as np
from gandl.paper.features import FieldVectors
from gandl.paper.separability import Test, separability, table_tasks
from gandl_shared.plates import Role, Well


def fields(effect: float, seed: int = 0, features: int = 40) -> FieldVectors:
    """Return controls of two cell lines on two plates of two experiments each, with three images per well."""
    rng = np.random.default_rng(seed)
    wells = [
        Well(
            plate=f"{line}-{e}_{p}",
            well=f"A{k + 1:02d}",
            role=Role.POSITIVE if k % 2 else Role.NEGATIVE,
            compound=None,
            concentration_um=None,
            cell_line=line,
            table_row=1,
            metadata={"experiment": f"{line}-{e}"},
        )
        for line in ("HRCE", "VERO")
        for e in (1, 2)
        for p in (1, 2)
        for k in range(12)
    ]
    of_well = rng.normal(0, 1, (len(wells), features))
    of_well[:, 0] += [effect * (1 if well.role is Role.POSITIVE else -1) for well in wells]
    well = np.repeat(np.arange(len(wells)), 3)
    vectors = of_well[well] + rng.normal(0, 0.1, (len(well), features))
    return FieldVectors(wells=wells, well=well, vectors=vectors.astype(np.float32))


def accuracy(part: FieldVectors, test: Test, task: int = 0) -> float:
    value = separability(part, table_tasks(part.wells)[task], test).accuracy
    assert value is not None
    return value


def test_the_tasks_are_the_rows_of_table_1() -> None:
    names = [task.name for task in table_tasks(fields(1).wells)]
    assert names == ["C+ vs C-", "HRCE vs VERO", "C+ vs C- (HRCE only)", "C+ vs C- (VERO only)"]


def test_without_any_effect_only_the_held_out_ways_are_at_chance() -> None:
    noise = fields(effect=0.0)
    assert accuracy(noise, Test.EXPERIMENT) < 0.65
    assert accuracy(noise, Test.PLATE) < 0.65
    # Other images of the same well are in the training set, so that wells are recognised.
    assert accuracy(noise, Test.UNGROUPED) > 0.7
    # With more features than wells, everything can be separated in-sample.
    assert accuracy(fields(effect=0.0, features=120), Test.IN_SAMPLE) > 0.95


def test_a_clear_effect_is_seen_in_all_ways() -> None:
    clear = fields(effect=4.0)
    assert {round(accuracy(clear, test), 2) for test in Test} == {1.0}


def test_no_experiment_names_mean_no_number_for_unseen_experiments() -> None:
    part = fields(effect=1.0)
    bare = [Well(**{**vars(well), "metadata": {}}) for well in part.wells]
    without = FieldVectors(wells=bare, well=part.well, vectors=part.vectors)
    result = separability(without, table_tasks(bare)[0], Test.EXPERIMENT)
    assert (result.accuracy, result.images, result.wells) == (None, 288, 96)
