"""Simulated control plates with known truth, for the tests of axes and quality."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from gandl_science.axis.folds import Folds, grouped_folds
from gandl_science.positions import Positions
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Plate:
    """`vectors` [N, F] of tiles and the `well` [N] of each; `labels` [W] are what the fit is given (0: not labelled),
    `truth` [W] is the real class, and `positions` [W] are the rows and columns on the plate P1."""

    vectors: NDArray[np.float32]
    well: NDArray[np.intp]
    labels: NDArray[np.intp]
    truth: NDArray[np.intp]
    positions: Positions

    @property
    def folds(self) -> Folds:
        """The folds of its labelled wells."""
        folds = grouped_folds(self.positions, self.labels)
        assert folds is not None
        return folds


@dataclass(frozen=True)
class Design:
    """`controls` labelled wells in two columns and `unseen` further wells of each class, with `tiles` per well. Classes
    are `effect` apart along one direction; wells of a class differ by `well_sd` in every direction, tiles by 1."""

    controls: int = 16
    unseen: int = 8
    features: int = 32
    tiles: int = 9
    effect: float = 3.0
    well_sd: float = 0.5


def draw(design: Design, rng: np.random.Generator) -> Plate:
    """Draw one plate."""
    half = design.controls // 2
    truth = np.r_[np.tile([1, -1], half), np.repeat([1, -1], design.unseen)].astype(np.intp)
    direction = np.ones(design.features) / np.sqrt(design.features)
    centres = truth[:, None] * direction * design.effect / 2
    centres = centres + rng.normal(size=centres.shape) * design.well_sd
    vectors = centres[:, None] + rng.normal(size=(len(truth), design.tiles, design.features))
    labels = np.where(np.arange(len(truth)) < design.controls, truth, 0).astype(np.intp)
    pair = np.arange(len(truth)) // 2
    positions = Positions(
        plates=["P1"] * len(truth), rows=pair % 16 + 1, columns=1 + np.arange(len(truth)) % 2 + 2 * (pair // 16)
    )
    return Plate(
        vectors=vectors.reshape(-1, design.features).astype(np.float32),
        well=np.repeat(np.arange(len(truth)), design.tiles),
        labels=labels,
        truth=truth,
        positions=positions,
    )
