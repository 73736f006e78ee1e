"""The off-axis distances of held-out controls: what a well that is like a control of its class is compared with.

Distances are positive, and their scatter is a share of their size, so they are compared by their logarithm. Each class
of controls has its own typical distance and its own scatter, because positive controls often vary more, or are fewer,
than negative ones.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from scipy.special import stdtr

from gandl_science.arrays import Float, Index
from gandl_science.assay.spread import MAD_TO_SD

_WIDTH = 3.0
"""Three robust standard deviations, the conservative cut for outliers of Leys et al. (2013)."""
_MIN_CONTROLS = 4
_PRIOR_WELLS = 4.0
"""The variance of a class is steadied by the variance of both classes, which counts as this many wells."""
_WITHIN = 2.5
"""A mean efficacy that is nearer to the pole of a class than so many standard errors may be that of the class."""
_TINY = float(np.finfo(float).tiny)
_MIN_LOG_SD = 0.1
"""Distances in five directions scatter by 0.35 on the logarithmic scale, so that less than this is no measurement."""


@dataclass(frozen=True, kw_only=True)
class ClassDistances:
    """The distances of the `n` held-out controls of one class.

    `log_mean` and `log_sd` are the mean and the standard deviation of their logarithms, the latter with `degrees` of
    freedom. `limit` is the distance that a dose must exceed to deviate, however certain the difference is.
    `efficacy_sd` is the standard deviation of the controls' efficacies about the pole of their class.
    """

    n: int
    log_mean: float
    log_sd: float
    degrees: float
    limit: float
    efficacy_sd: float


@dataclass(frozen=True, kw_only=True)
class ControlDistances:
    """The distances of both classes of controls, between which a dose is placed by its efficacy."""

    negative: ClassDistances
    positive: ClassDistances

    def limit(self, efficacy: Float) -> float:
        """Return the limit for the mean distance of a dose whose wells have these efficacies (N,).

        It is on the straight line between the limits of both classes: that of the negative controls at the efficacy -1
        or below, that of the positive ones at +1 or above, and the mean of both for wells without an efficacy (NaN).
        Where the dose cannot be told from a class along the axis, it is at least the limit of that class.
        """
        return max(
            float(_between(self.negative.limit, self.positive.limit, share).mean()) for share in self._shares(efficacy)
        )

    def p_value(self, distances: Float, efficacy: Float) -> float:
        """Return the one-sided p-value that the wells of a dose, N `distances` and efficacies, are off the axis.

        Their mean logarithm is compared with that of held-out controls at the same efficacy by the prediction interval
        of Student's t: the error of the controls' own mean counts, so that few controls never make a small p-value.
        Where the dose cannot be told from a class of controls along the axis, the p-value is at least that of a
        comparison with this class alone: a compound that does what the positive control does is as far out as they are.
        """
        logs = np.log(np.maximum(distances, _TINY))
        return max(self._tail(logs, share) for share in self._shares(efficacy))

    def _shares(self, efficacy: Float) -> list[Float]:
        """Return how far (N,) the wells are on the way from the negative (0) to the positive controls (1).

        There are several answers where the dose may as well belong to the class on whose side of the midpoint it is.
        """
        finite = efficacy[np.isfinite(efficacy)]
        shares = [(np.clip(np.nan_to_num(efficacy), -1, 1) + 1) / 2]
        if finite.size:
            mean, width = float(finite.mean()), _WITHIN / math.sqrt(finite.size)
            if mean > 0 and mean >= 1 - width * self.positive.efficacy_sd:
                shares.append(np.ones(len(efficacy)))
            if mean < 0 and mean <= -1 + width * self.negative.efficacy_sd:
                shares.append(np.zeros(len(efficacy)))
        return shares

    def _tail(self, logs: Float, share: Float) -> float:
        low, high = self.negative, self.positive
        low_typical, high_typical = math.exp(low.log_mean), math.exp(high.log_mean)
        typical = _between(low_typical, high_typical, share)
        deviation, at = float((logs - np.log(typical)).mean()), float(share.mean())
        # The share of either class in the expectation decides how much of its error the expectation has.
        weight = float((share / typical).mean()) * high_typical
        variance = (1 - at) * low.log_sd**2 + at * high.log_sd**2
        of_means = (1 - weight) ** 2 * low.log_sd**2 / low.n + weight**2 * high.log_sd**2 / high.n
        degrees = (1 - at) * low.degrees + at * high.degrees
        # The upper tail of Student's t by the lower one; scipy.stats checks its arguments for ten times as long.
        return float(stdtr(degrees, -deviation / math.sqrt(variance / len(logs) + of_means)))

    def record(self) -> str:
        """Return the numbers as text, as they are stored with an axis."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def parse(cls, text: str) -> ControlDistances:
        """Read what `record` gives. Raises ValueError, KeyError or TypeError for anything else."""
        fields = json.loads(text)
        distances = cls(**{name: _class(fields[name]) for name in ("negative", "positive")})
        for side in (distances.negative, distances.positive):
            numbers = np.array([side.log_mean, side.limit, side.efficacy_sd, side.n, side.log_sd, side.degrees])
            if not np.isfinite(numbers).all() or (numbers[3:] <= 0).any():
                raise ValueError(f"distances of controls are not usable: {side}")
        return distances


def control_distances(distances: Float, labels: Index, efficacy: Float) -> ControlDistances | None:
    """Return the distances of the held-out controls; None with fewer than four controls, or fewer than two of a class.

    `distances` (N,) are those of wells with `labels` (N,), +1 and -1 for the two classes of controls, and an `efficacy`
    (N,); other wells (0) and distances that are not finite and positive do not count. Controls that are farther from
    the median of their class than three robust standard deviations count as if they were there, so that one spoilt
    control does not hide toxic wells.
    The limit of a class is (1 + 3 x 1.4826 x MAD) times its median, where MAD is the median absolute deviation of all
    controls, each relative to the median of its class.
    """
    usable = np.isfinite(distances) & (distances > 0)
    classes = [np.flatnonzero(usable & (labels == side)) for side in (-1, 1)]
    if min(map(len, classes)) < 2 or sum(map(len, classes)) < _MIN_CONTROLS:
        return None
    logs = [np.log(distances[wells]) for wells in classes]
    scatter = [_about(efficacy[wells], pole) for wells, pole in zip(classes, (-1, 1), strict=True)]
    within, medians = _without_extremes(logs), [float(np.median(values)) for values in logs]
    squares = [float(((values - values.mean()) ** 2).sum()) for values in within]
    degrees = [len(values) - 1 for values in within]
    pooled = sum(squares) / sum(degrees)
    typical = [math.exp(median) for median in medians]
    relative = np.concatenate([distances[wells] / middle - 1 for wells, middle in zip(classes, typical, strict=True)])
    width = 1 + _WIDTH * MAD_TO_SD * float(np.median(np.abs(relative)))
    negative, positive = (
        ClassDistances(
            n=len(values),
            log_mean=median + float(values.mean()),
            log_sd=max(math.sqrt(_steadied(pooled, own, k)), _MIN_LOG_SD),
            degrees=float(k + min(_PRIOR_WELLS, sum(degrees) - k)),
            limit=width * middle,
            efficacy_sd=sd,
        )
        for values, median, middle, own, k, sd in zip(within, medians, typical, squares, degrees, scatter, strict=True)
    )
    return ControlDistances(negative=negative, positive=positive)


def _about(efficacy: Float, pole: float) -> float:
    """Return the standard deviation of efficacies about the pole of their class; 0 without any."""
    finite = efficacy[np.isfinite(efficacy)]
    return float(np.sqrt(np.mean((finite - pole) ** 2))) if finite.size else 0.0


def _without_extremes(logs: Sequence[Float]) -> list[Float]:
    """Return the deviations of both classes from their medians, cut at three robust standard deviations of both."""
    deviations = [values - np.median(values) for values in logs]
    cut = _WIDTH * MAD_TO_SD * float(np.median(np.abs(np.concatenate(deviations))))
    # Where more than half of the distances are equal there is no scale to cut by.
    return [np.clip(values, -cut, cut) if cut > 0 else values for values in deviations]


def _steadied(pooled: float, squares: float, degrees: int) -> float:
    """Return the variance of a class, steadied by the pooled one and never below it."""
    # A class that seems to scatter less than both together does so by chance more often than not.
    return max(pooled, (_PRIOR_WELLS * pooled + squares) / (_PRIOR_WELLS + degrees))


def _between(negative: float, positive: float, share: Float) -> Float:
    """Return the values (N,) on the straight line between those of the two classes."""
    values: Float = (1 - share) * negative + share * positive
    return values


def _class(fields: dict[str, float]) -> ClassDistances:
    return ClassDistances(
        n=int(fields["n"]),
        log_mean=float(fields["log_mean"]),
        log_sd=float(fields["log_sd"]),
        degrees=float(fields["degrees"]),
        limit=float(fields["limit"]),
        efficacy_sd=float(fields["efficacy_sd"]),
    )
