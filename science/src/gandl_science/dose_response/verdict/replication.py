"""The hit probability: how often a compound would be a hit again, by the rules of the verdict.

docs/dose-response.md says what it can and cannot tell.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gandl_science.arrays import Float, Mask
from gandl_science.dose_response.records.fit import Replications
from gandl_science.dose_response.records.inputs import ResponseScale
from gandl_science.dose_response.verdict.interpretation import InterpretationRules


def largest_hit_p(q_values: Sequence[float | None], alpha: float) -> float:
    """Return the largest p-value of a hit in a family of compounds with these q-values (None: not tested).

    With k hits among m compounds it is alpha k / m, the line of Benjamini and Hochberg (1995); with none, that of the
    first hit.
    """
    tested = [q for q in q_values if q is not None]
    hits = sum(q <= alpha for q in tested)
    return alpha * max(hits, 1) / max(len(tested), 1)


def hit_probability(
    replications: Replications | None,
    largest_p: float,
    rules: InterpretationRules,
    off_axis_onset: float | None = None,
) -> float | None:
    """Return the share of new experiments whose verdict is active or biphasic; None where nothing was tested.

    `largest_p` is that of `largest_hit_p`. The onset of off-axis deviation is taken to be the same in every experiment.
    """
    if replications is None:
        return None
    shows_effect = (replications.p <= largest_p) & replications.is_described
    scale = rules.scale
    if scale is None:
        is_hit = shows_effect
    else:
        large = shows_effect & (np.abs(replications.change) >= rules.min_effect * abs(scale.span))
        right_way = np.sign(replications.change) == np.sign(scale.span)
        is_hit = np.where(large, right_way, _is_plateau(replications, scale))
    if off_axis_onset is not None:
        is_hit = is_hit & (_first_effect(replications, shows_effect) < off_axis_onset)
    return int(np.count_nonzero(is_hit)) / is_hit.size


def _is_plateau(replications: Replications, scale: ResponseScale) -> Mask:
    """Return where every dose mean is beyond the midpoint, and the curve at the lowest dose by two standard errors."""
    sign = np.sign(scale.span)
    weakest = replications.lowest_mean if sign > 0 else replications.highest_mean
    excess = (replications.base - scale.midpoint) * sign
    return np.asarray(((weakest - scale.midpoint) * sign > 0) & (excess > 2 * replications.base_error))


def _first_effect(replications: Replications, shows_effect: Mask) -> Float:
    """Return the EC50; a compound that is active at all doses has its effect below any."""
    return np.where(shows_effect, replications.ec50, 0.0)
