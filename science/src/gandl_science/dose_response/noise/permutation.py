"""The permutation test of a dose effect: the check of designs with one well per dose, and an option for all designs.

Without replicates the noise is known from the curve alone, and the test of normal errors has no other support. With
heavy tails (Student's t with three degrees of freedom) it calls an effect at p = 0.001 three to ten times too often. If
the compound does nothing, the wells may be exchanged between the doses, whatever the form of the noise (Fisher 1935),
so the share that the best Hill curve explains is compared with that of exchanged wells. Below the range of the draws
its tail is continued as an exponential in -ln(1 - share), which is its form for normal errors (Pickands 1975).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np

from gandl_science.arrays import Float
from gandl_science.dose_response.significance.f_tests import anova_p
from gandl_science.dose_response.significance.null import ActivityNull, share_p
from gandl_science.dose_response.significance.shares import best_shares
from gandl_science.dose_response.solver.means import DoseMeans, dose_means

_MAX_ENUMERATED = 7
"""Up to so many wells all orders are compared (5,040 of seven), and p is exact."""
_DRAWS = 2000
_TAIL_SHARE = 0.05
"""The part of the draws from which the tail is continued."""
_ROUNDING = 1e-9


def permutation_p(x: Float, responses: Float, grids: Float, rng: np.random.Generator) -> float:
    """Return the probability that exchanged wells follow a Hill curve as closely as these.

    x (D,) is log10 dose, `responses` (D,) one well per dose, and `grids` (1, D, G) the Hill bases of the activity test.
    """
    if responses.size <= _MAX_ENUMERATED:
        orders = responses[np.array(list(permutations(range(responses.size))))]
        score = _score(x, orders, grids)
        # The first order is that of the data. Rounding must not make an equal order seem worse.
        return float(np.mean(score >= score[0] - _ROUNDING))
    draws = rng.permuted(np.broadcast_to(responses, (_DRAWS, responses.size)), axis=1)
    score = _score(x, np.concatenate([responses[None], draws]), grids)
    return _tail_p(score)


def _tail_p(score: Float) -> float:
    """Return the share of the draws that score at least as high as the data, score[0]; beyond them the tail goes on."""
    observed, null = float(score[0]), np.sort(score[1:])
    n_tail = round(_TAIL_SHARE * _DRAWS)
    edge = null[-n_tail - 1]
    scale = float(np.mean(null[-n_tail:] - edge))
    if observed <= edge or scale == 0:
        # The data count as one of the draws, so that p is never zero (Davison and Hinkley 1997).
        return float((np.sum(null >= observed - _ROUNDING) + 1) / (_DRAWS + 1))
    return float(_TAIL_SHARE * np.exp(-(observed - edge) / scale))


def _score(x: Float, responses: Float, grids: Float) -> Float:
    """Return -ln(1 - share) of the best Hill curve (N,) for responses (N, D)."""
    wells = responses[:, :, None]
    share = best_shares(dose_means(x, wells, np.ones_like(wells)), grids)
    return np.asarray(-np.log1p(-np.minimum(share, 1.0 - 1e-12)))


def replicate_permutation_p(
    x: Float, replicates: Sequence[Float], null: ActivityNull, grids: Float, rng: np.random.Generator
) -> float:
    """Return the probability that exchanged wells show an effect of dose as clear as these, in replicates.

    x (D,) is log10 dose, `replicates` has the wells of each dose, and `null` is that of the activity test for as many
    wells, with its Hill bases `grids` (1, D, G). An effect is as clear as the smaller p-value of the Hill test and of
    the analysis of variance.
    """
    responses = np.concatenate(list(replicates))
    dose = np.repeat(np.arange(x.size), [len(wells) for wells in replicates])
    draws = rng.permuted(np.broadcast_to(responses, (_DRAWS, responses.size)), axis=1)
    table = np.concatenate([responses[None], draws])
    counts = np.bincount(dose)
    mean = np.stack([table[:, dose == d].mean(axis=1) for d in range(x.size)], axis=1)
    pure = ((table - mean[:, dose]) ** 2).sum(axis=1)
    data = DoseMeans(x, np.broadcast_to(counts.astype(float), mean.shape), mean, pure)
    smaller = np.fmin(share_p(null, best_shares(data, grids)), anova_p(data))
    return _tail_p(-np.log(np.maximum(smaller, 1e-300)))
