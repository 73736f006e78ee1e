"""Warnings of a run in words, each with its remedy: too few data, a constant channel, a game that one side has won."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping

import numpy as np

from gandl_training.config import TrainConfig
from gandl_training.data.crops import MIN_STDDEV
from gandl_training.data.field_store import FieldStore, Uint8

MIN_TILES = 1000
"""With fewer tiles' worth of pixels a warning is due. Networks learned from the 2,400 of BBBC013 and the 3,277 cells of
MitoCheck; nobody has measured where it ends."""
MAX_CONSTANT_SHARE = 0.99
"""A channel is constant where at least this share of the tiles has no contrast in it."""
WINDOW_KIMG, SETTLED_KIMG = 2.0, 4.0
"""Losses are judged by their mean over a window, and only after the first thousands of images."""
WON_LOSS, WON_DISTANCE = 0.1, 8.0
"""The discriminator has won where its loss is below, and its mean scores of real and generated tiles are this far
apart. The distance of a healthy run stays below 4."""
GUESS_LOSS, LOST_LOSS = 2 * math.log(2), 2.0
"""A discriminator that guesses has the first loss. One above the second is worse than a guess, as it happens where the
weight of R1 or the learning rate is far too high."""
BLIND_DISTANCE = 0.02
"""The discriminator is blind where the mean scores of real and generated tiles are no further apart. This happened with
an R1 γ of 300 on tiles of 16 pixels, and with a learning rate of 0.05; more R1 makes it worse than a guess instead."""


def data_warnings(store: FieldStore, config: TrainConfig, tiles: Uint8) -> Iterator[str]:
    """Yield what is wrong with the data of a run: their size, and channels without contrast in `tiles` [N, C, S, S]."""
    fields, _, height, width = store.fields.shape
    size = config.network.resolution
    count = fields if store.index.single_cells else round(fields * height * width / size**2)
    if count < MIN_TILES:
        kind = "images of single cells" if store.index.single_cells else f"times the area of a tile of {size} pixels"
        few = f"warning: the data are few, {count} {kind}, and a discriminator learns so few by heart"
        remedy = "add images" if config.augment.adaptive else "add images, or give --augment"
        # Without a generator there are no scores, and nothing is augmented adaptively.
        yield (
            f"{few}; add images"
            if config.loss.gan == "none"
            else f"{few}; {remedy}. With --holdout 0.1 the log shows it: score_training rises above score_held_out"
        )
    blank = (tiles.std(axis=(2, 3)) < MIN_STDDEV).mean(axis=0)
    for number, (name, share) in enumerate(zip(store.index.channels, blank.tolist(), strict=True), start=1):
        if share >= MAX_CONSTANT_SHARE:
            yield (
                f"warning: channel {name} (number {number}) is constant in {share:.0%} of the tiles, so that it "
                "teaches the network nothing; look at its images, or leave it out by --channels"
            )


class GameJudge:
    """Judges the losses of a run: has the discriminator won, lost or gone blind? Each warning is given once."""

    def __init__(self, config: TrainConfig, start_kimg: float) -> None:
        self._config = config
        self._start = start_kimg
        self._window: deque[tuple[float, float, float]] = deque()
        self._warned: set[str] = set()

    def judge(self, kimg: float, losses: Mapping[str, float]) -> str | None:
        """Return a warning for the mean losses of a report at `kimg`, or None."""
        if not {"d", "real", "fake"} <= losses.keys():
            return None
        self._window.append((kimg, losses["d"], losses["real"] - losses["fake"]))
        while kimg - self._window[0][0] > WINDOW_KIMG:
            self._window.popleft()
        if kimg < SETTLED_KIMG or kimg - self._start < WINDOW_KIMG:
            return None
        loss, distance = np.mean([values[1:] for values in self._window], axis=0).tolist()
        name = self._problem(loss, distance)
        if name is None or name in self._warned:
            return None
        self._warned.add(name)
        gamma = self._config.r1_gamma
        return f"warning: at {kimg:.1f} kimg {_WORDS[name]}".format(
            loss=loss,
            distance=distance,
            gamma=gamma,
            rate=self._config.learning_rate,
            # There is no tenfold of 0.
            more_r1=f"a tenfold --r1-gamma (now {gamma:g})" if gamma else "an --r1-gamma such as 10 (now 0)",
            less_r1=f"a tenth of the --r1-gamma (now {gamma:g}) or " if gamma else "",
        )

    def _problem(self, loss: float, distance: float) -> str | None:
        # Only the logistic loss has a scale: the scores of Wasserstein critics may lie anywhere.
        if self._config.loss.gan != "logistic":
            return None
        if loss < WON_LOSS and distance > WON_DISTANCE:
            return "won"
        if loss > LOST_LOSS:
            return "lost"
        if abs(distance) < BLIND_DISTANCE and abs(loss - GUESS_LOSS) < BLIND_DISTANCE:
            return "blind but for the contrast" if self._config.loss.contrast_weight else "blind"
        return None


_WORDS = {
    "blind but for the contrast": (
        "the discriminator gives real and generated tiles the same score ({distance:.2g} apart, loss {loss:.2f}), so "
        "that it learns from the contrastive term only. A new run with {less_r1}a lower --learning-rate (now {rate:g}) "
        "may let it learn from both"
    ),
    "won": (
        "the discriminator has won: its loss is {loss:.2g}, and its scores of real and generated tiles are "
        "{distance:.1f} apart. It learns nothing more about cells. Start a run in a new folder with {more_r1} or a "
        "lower --learning-rate (now {rate:g})"
    ),
    "lost": (
        "the discriminator is worse than a guess: its loss is {loss:.2g}, where a guess has 1.4. Its steps are too "
        "large. Start a run in a new folder with {less_r1}a tenth of the --learning-rate (now {rate:g})"
    ),
    "blind": (
        "the discriminator has collapsed: it gives real and generated tiles the same score ({distance:.2g} apart, loss "
        "{loss:.2f}). Start a run in a new folder with {less_r1}a lower --learning-rate (now {rate:g})"
    ),
}
