"""How well a linear SVM tells two groups of control wells apart, under four ways to choose what it is tested on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from gandl_science.arrays import Index
from gandl_science.assay.accuracy import share_right, tile_accuracy_interval
from gandl_science.axis.cross_fit import AxisOptions, fit_linear_axis, held_out_scores
from gandl_science.axis.folds import Folds, plate_folds
from gandl_science.axis.scores import count_tiles_right
from gandl_shared.plates import Role, Well
from gandl_shared.schemas.analysis import AnalysisParameters

from gandl.paper.features import FieldVectors

_SIDES = {Role.POSITIVE: 1, Role.NEGATIVE: -1}


class Test(StrEnum):
    """What the images that are classified have in common with those that the SVM was fitted on."""

    __test__ = False

    EXPERIMENT = "unseen experiments"
    PLATE = "unseen plates"
    UNGROUPED = "unseen images of the same plates"
    IN_SAMPLE = "in-sample, as in the paper"


@dataclass(frozen=True, kw_only=True)
class Task:
    """A row of Table 1: its name as in the paper, and the group (+1, -1 or 0) of each well [W]."""

    name: str
    groups: Index


@dataclass(frozen=True, kw_only=True)
class Separability:
    """The share of images on the right side, with its 95 % interval over wells; None where no SVM can be tested."""

    accuracy: float | None
    low: float | None
    high: float | None
    images: int
    wells: int


def table_tasks(wells: Sequence[Well]) -> list[Task]:
    """Return the tasks of Table 1: controls, the first two cell lines by name, and controls of each cell line."""
    roles = np.array([_SIDES.get(well.role, 0) for well in wells], np.intp)
    lines = np.array([well.cell_line for well in wells], object)
    names = sorted(set(lines[roles != 0].tolist()))
    tasks = [Task(name="C+ vs C-", groups=roles)]
    if len(names) > 1:
        sides = (lines == names[1]).astype(np.intp) - (lines == names[0]).astype(np.intp)
        tasks.append(Task(name=f"{names[0]} vs {names[1]}", groups=sides * np.abs(roles)))
        tasks += [Task(name=f"C+ vs C- ({name} only)", groups=roles * (lines == name)) for name in names]
    return tasks


def separability(fields: FieldVectors, task: Task, test: Test, seed: int = 0) -> Separability:
    """Fit and test a linear SVM on the images of a task.

    In-sample means the preset `paper`: vectors as they are, and C = 1. All other ways whiten vectors within the
    classes, as gandl does, and hold out what the test says.
    """
    part = fields.of_wells(task.groups != 0)
    labels = task.groups[task.groups != 0]
    right = _right(part, labels, test)
    counts = np.bincount(part.well, minlength=len(labels))
    if right is None:
        return Separability(accuracy=None, low=None, high=None, images=len(part.well), wells=len(labels))
    interval = tile_accuracy_interval(right, counts, labels, np.random.default_rng(seed))
    low, high = interval or (None, None)
    accuracy = share_right(right, counts, labels != 0)
    return Separability(accuracy=accuracy, low=low, high=high, images=len(part.well), wells=len(labels))


def _right(part: FieldVectors, labels: Index, test: Test) -> Index | None:
    """Return the number of images on the right side per well [W], or None where no part can be held out."""
    if min(int(np.sum(labels == side)) for side in (1, -1)) == 0:
        return None
    if test is Test.IN_SAMPLE:
        paper = AnalysisParameters.model_validate({"preset": "paper"})
        options = AxisOptions(whitening=paper.whitening, regularisation=paper.regularisation)
        weights, bias = fit_linear_axis(part.vectors, labels[part.well], options).functional
        return count_tiles_right(part.vectors @ weights + bias, part.well, labels)
    if test is Test.UNGROUPED:
        return _right_by_image(part, labels)
    folds = _folds(part.wells, labels, test)
    return None if folds is None else held_out_scores(part.vectors, part.well, labels, folds).tiles_right


def _folds(wells: Sequence[Well], labels: Index, test: Test) -> Folds | None:
    if test is Test.PLATE:
        return plate_folds([well.plate for well in wells], labels)
    experiments = [well.experiment for well in wells]
    # Experiments are dealt to folds by the rule for plates; wells without an experiment cannot be.
    return plate_folds(experiments, labels) if all(experiments) else None


def _right_by_image(part: FieldVectors, labels: Index) -> Index | None:
    """Hold out images one by one, whatever well and plate they are from."""
    images = np.arange(len(part.well))
    folds = plate_folds([f"{i:09d}" for i in images.tolist()], labels[part.well])
    if folds is None:
        return None
    scores = held_out_scores(part.vectors, images, labels[part.well], folds)
    return count_tiles_right(scores.tile_on, part.well, labels)
