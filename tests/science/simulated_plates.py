"""Simulated control plates with known truth, for the tests of axes and quality."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Plate:
    """`vectors` [N, F] of tiles, `well` [N], `labels` [W] as the fit sees them (0: not labelled), `truth` [W] as it is,
    `names` [W]."""

    vectors: NDArray[np.float32]
    well: NDArray[np.intp]
    labels: NDArray[np.intp]
    truth: NDArray[np.intp]
    names: list[str]

    @property
    def plates(self) -> list[str]:
        return ["P1"] * len(self.names)


@dataclass(frozen=True)
class Design:
    """`controls` labelled wells in two columns and `unseen` further wells of each class, `tiles` a well. Classes lie
    `effect` apart along one direction; wells of a class differ by `well_sd` in every direction, tiles by 1."""

    controls: int = 16
    unseen: int = 8
    features: int = 32
    tiles: int = 9
    effect: float = 3.0
    well_sd: float = 0.5


def draw(design: Design, rng: np.random.Generator) -> Plate:
    """One plate."""
    half = design.controls // 2
    truth = np.r_[np.tile([1, -1], half), np.repeat([1, -1], design.unseen)].astype(np.intp)
    direction = np.ones(design.features) / np.sqrt(design.features)
    centres = truth[:, None] * direction * design.effect / 2
    centres = centres + rng.normal(size=centres.shape) * design.well_sd
    vectors = centres[:, None] + rng.normal(size=(len(truth), design.tiles, design.features))
    labels = np.where(np.arange(len(truth)) < design.controls, truth, 0).astype(np.intp)
    names = [f"{_row(i // 2)}{1 + i % 2 + 2 * (i // 2 // 16):02d}" for i in range(len(truth))]
    return Plate(
        vectors.reshape(-1, design.features).astype(np.float32),
        np.repeat(np.arange(len(truth)), design.tiles),
        labels,
        truth,
        names,
    )


def _row(i: int) -> str:
    return "ABCDEFGHIJKLMNOP"[i % 16]
