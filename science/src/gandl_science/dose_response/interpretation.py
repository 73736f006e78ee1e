"""What a fitted curve means: EC50 with its relation, Emax, area, verdict and flags. Rules: docs/dose-response.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from scipy.optimize import brentq

from gandl_science.dose_response.models import Floats
from gandl_science.dose_response.results import CONSTANT, CurveFit, Location

_Response = TypeVar("_Response", float, Floats)

_SAMPLES = 400
_TOP_REACHED = 0.8
_SINGLE_DOSE = 0.25
_SINGLE_DOSE_Z = 4.0
_LACK_OF_FIT = 0.01
_FEW_DOSES = 5


@dataclass(frozen=True)
class ResponseScale:
    """Responses of the two controls, where known: they give the wanted direction, the midpoint and the unit of area."""

    negative: float = -1.0
    positive: float = 1.0

    def __post_init__(self) -> None:
        if not (np.isfinite([self.negative, self.positive]).all() and self.negative != self.positive):
            raise ValueError(f"controls must be two different numbers, got {self.negative} and {self.positive}")

    @property
    def midpoint(self) -> float:
        return (self.negative + self.positive) / 2

    @property
    def span(self) -> float:
        return self.positive - self.negative


@dataclass(frozen=True)
class ReadingRules:
    """`alpha` level of q; `scale` None: unit unknown, any change counts; `minimum_effect`: a change within the tested
    doses below this share of the span between the controls is no activity, however significant."""

    alpha: float = 0.05
    scale: ResponseScale | None = None
    minimum_effect: float = 0.1


@dataclass(frozen=True)
class Reported:
    """A concentration as it is told: value with relation and interval; all None where there is none."""

    value: float | None = None
    relation: str | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Window:
    """From EC50 (`low`) to toxicity (`high`). `relation` is `>` where the window is at least that: no toxicity is seen
    up to `high`, the highest dose, or the EC50 lies below `low`."""

    low: float
    high: float
    relation: str
    limited_by: str


@dataclass(frozen=True)
class Reading:
    """The curve in words and the numbers people ask for."""

    verdict: str
    flags: tuple[str, ...]
    ec50: Reported
    loss_ec50: Reported | None
    crosses_midpoint_at: float | None
    emax_fitted: float
    emax_observed: float
    emax_at: float
    auc: float | None
    window: Window | None


def read_curve(fit: CurveFit, q_value: float | None, rules: ReadingRules, departs_at: float | None = None) -> Reading:
    """Read one curve. `q_value` None: not tested. `departs_at`: lowest dose that leaves the controls off the axis."""
    view = _View(fit, rules, q_value is not None and q_value <= rules.alpha, departs_at)
    verdict = view.verdict(q_value is not None)
    acts = verdict in ("active", "active_biphasic", "toxic")
    ec50 = view.ec50() if acts else Reported()
    loss = view.reported(fit.loss_ec50) if acts and fit.loss_ec50 is not None and not view.flat_and_active else None
    at = view.best_dose
    return Reading(
        verdict=verdict,
        flags=view.flags(verdict, ec50),
        ec50=ec50,
        loss_ec50=loss,
        crosses_midpoint_at=view.crossing(),
        emax_fitted=view.peak,
        emax_observed=fit.doses[at].mean,
        emax_at=fit.doses[at].concentration,
        auc=view.area(),
        window=view.window(ec50, loss) if verdict in ("active", "active_biphasic") else None,
    )


class _View:
    """A fit, looked at once: the sampled curve within the tested doses, its direction and size."""

    def __init__(self, fit: CurveFit, rules: ReadingRules, significant: bool, departs_at: float | None) -> None:
        self.fit, self.rules, self.significant, self.departs_at = fit, rules, significant, departs_at
        self.concentrations = np.array([d.concentration for d in fit.doses])
        self.means = np.array([d.mean for d in fit.doses])
        self.counts = np.array([d.n_wells for d in fit.doses])
        self.x, self.y = sampled(fit, _SAMPLES)
        self.wanted = 1.0 if rules.scale is None else float(np.sign(rules.scale.span))
        self.direction = self._direction()
        at_doses = fit.predict(self.concentrations)
        self.peak = float(at_doses[(self.direction * at_doses).argmax()])
        self.best_dose = int((self.direction * self.means).argmax())
        self.base = float(at_doses[0])

    def _direction(self) -> float:
        if self.fit.model == CONSTANT:
            return self.wanted
        if self.fit.model == "hill":
            return 1.0 if self.fit.rising else -1.0
        return 1.0 if self.fit.params["top"].estimate >= self.fit.params["bottom"].estimate else -1.0

    @property
    def range(self) -> tuple[float, float]:
        """Lowest and highest dose above zero."""
        positive = self.concentrations[self.concentrations > 0]
        return (float(positive.min()), float(positive.max())) if positive.size else (0.0, 0.0)

    @property
    def large_enough(self) -> bool:
        scale = self.rules.scale
        return scale is None or abs(self.peak - self.base) >= self.rules.minimum_effect * abs(scale.span)

    @property
    def active_at_lowest(self) -> bool:
        """The lowest dose of the fit lies beyond the midpoint by two standard errors."""
        scale = self.rules.scale
        if scale is None or self.fit.sigma is None:
            return False
        return bool(self._beyond(self.base) > 2 * self.fit.sigma / np.sqrt(self.counts[0]))

    @property
    def always_active(self) -> bool:
        """So it does, and every dose mean lies beyond the midpoint."""
        return self.active_at_lowest and bool((self._beyond(self.means) > 0).all())

    @property
    def flat_and_active(self) -> bool:
        """Always active, and what still changes is no change, or too small to be the curve of the effect."""
        return self.always_active and (self.unchanging or not self.large_enough)

    @property
    def unchanging(self) -> bool:
        return not self.significant or self.fit.model == CONSTANT

    def _beyond(self, response: _Response) -> _Response:
        """How far on the positive control's side of the midpoint; only where controls are told."""
        scale = self.rules.scale
        assert scale is not None
        return (response - scale.midpoint) * float(np.sign(scale.span))

    def verdict(self, tested: bool) -> str:
        """The first rule that holds, in the order of docs/dose-response.md."""
        departs, lowest = self.departs_at is not None, self.range[0]
        wrong_way = self.rules.scale is not None and self.direction != self.wanted
        if not tested:
            return "undetermined"
        if self.flat_and_active:
            return "toxic" if self.departs_by(lowest) else "active"
        if not self.significant or not self.large_enough:
            return "toxic" if departs else "inactive"
        if self.fit.model == CONSTANT:
            return "toxic" if departs else "undetermined"
        # An effect whose EC50 is not known cannot be shown to come before the toxicity.
        if wrong_way or self.departs_by(self._reference_ec50()) or (departs and self.ec50().value is None):
            return "toxic"
        return "active_biphasic" if self.fit.model == "gain_loss" else "active"

    def departs_by(self, concentration: float) -> bool:
        """Whether wells have left the controls off the axis at this concentration or below."""
        return self.departs_at is not None and self.departs_at <= concentration

    def _reference_ec50(self) -> float:
        told = self.ec50()
        return told.value if told.value is not None else self.fit.params["ec50"].estimate

    def ec50(self) -> Reported:
        if self.flat_and_active:
            return Reported(self.range[0], "<", None, self.range[0])
        return Reported() if self.fit.ec50 is None else self.reported(self.fit.ec50)

    def reported(self, found: Location) -> Reported:
        """`=` only for an estimate within the tested doses whose interval is closed; else the end that is certain."""
        low, high = found.low, found.high
        lowest, highest = self.range
        if low is None and high is None:
            return Reported()
        if low is not None and (high is None or found.estimate > highest):
            # "Above a dose lower than any tested" says nothing.
            return Reported(low, ">", low, high) if low >= lowest else Reported()
        if high is not None and (low is None or found.estimate < lowest):
            return Reported(high, "<", low, high) if high <= highest else Reported()
        return Reported(found.estimate, "=", low, high)

    def crossing(self) -> float | None:
        """Lowest tested concentration where the curve passes the midpoint of the controls; None if unknown or never."""
        scale = self.rules.scale
        if scale is None:
            return None
        above = self.y > scale.midpoint
        turns = np.flatnonzero(above[1:] != above[:-1])
        if turns.size == 0:
            return None
        left, right = np.log10(self.x[turns[0]]), np.log10(self.x[turns[0] + 1])
        gap = lambda u: float(self.fit.predict(np.array([10.0**u]))[0]) - scale.midpoint  # noqa: E731
        return float(10.0 ** brentq(gap, left, right))

    def area(self) -> float | None:
        """Mean of the curve over log concentration; in units of the span between the controls where it is known. None
        with fewer than two doses above zero: there is nothing to take it over."""
        if self.y.size < 2:
            return None
        scale = self.rules.scale
        level = float(np.trapezoid(self.y, np.linspace(0.0, 1.0, self.y.size)))
        return level if scale is None else (level - scale.negative) / scale.span

    def window(self, ec50: Reported, loss: Reported | None) -> Window | None:
        """`>` where the EC50 is a bound that can only widen it; none where the loss is one that can only narrow it."""
        if ec50.value is None or ec50.relation == ">" or (loss is not None and loss.relation == "<"):
            return None
        ends = [(self.range[1], ">", "top_dose")]
        if loss is not None and loss.value is not None and loss.relation is not None:
            ends.append((loss.value, ">" if loss.relation == ">" else "=", "loss"))
        if self.departs_at is not None:
            ends.append((self.departs_at, "=", "off_axis"))
        high, relation, limited_by = min(ends[1:] or ends, key=lambda end: end[0])
        relation = ">" if ec50.relation == "<" else relation
        return Window(ec50.value, high, relation, limited_by) if high > ec50.value else None

    def flags(self, verdict: str, ec50: Reported) -> tuple[str, ...]:
        fit = self.fit
        curved = fit.model != CONSTANT and self.significant
        found = {
            "inactive": verdict == "inactive",
            "active_at_all_doses": self.always_active and verdict != "undetermined",
            "active_at_lowest_dose": self.active_at_lowest and not self.always_active and verdict != "undetermined",
            "ec50_above_range": ec50.relation == ">",
            "ec50_below_range": ec50.relation == "<",
            "top_not_reached": curved and self._covered() < _TOP_REACHED,
            "biphasic_toxic_drop": curved and fit.model == "gain_loss" and self.direction == self.wanted,
            "single_dose_activity": self.significant and self._single_dose(),
            "negative_direction": curved and self.direction != self.wanted,
            "high_off_perturbation": self.departs_at is not None,
            "lack_of_fit": fit.lack_of_fit_p is not None and fit.lack_of_fit_p < _LACK_OF_FIT,
            "low_replicates": float(np.median(self.counts)) < 2,
            "few_doses": int((self.concentrations > 0).sum()) < _FEW_DOSES,
            "outliers_downweighted": bool((fit.weights < 1).any()),
            "slope_at_bound": any("slope" in name and p.at_bound for name, p in fit.params.items()),
        }
        return tuple(name for name, present in found.items() if present)

    def _covered(self) -> float:
        """Share of the way from plateau to plateau that the curve goes within the tested doses."""
        bottom, top = self.fit.params["bottom"].estimate, self.fit.params["top"].estimate
        far = top if self.direction > 0 or self.fit.model == "gain_loss" else bottom
        start = bottom + top - far
        return float((self.peak - start) / (far - start)) if far != start else 1.0

    def _single_dose(self) -> bool:
        """Exactly one dose is clearly off the rest."""
        if self.fit.model == CONSTANT:
            error = (self.fit.sigma or 0.0) / np.sqrt(self.counts)
            off = np.abs(self.means - np.median(self.means)) > _SINGLE_DOSE_Z * error
            return int(off.sum()) == 1
        effect = self.peak - self.base
        return effect != 0 and int(((self.means - self.base) / effect > _SINGLE_DOSE).sum()) == 1


def sampled(fit: CurveFit, n: int) -> tuple[Floats, Floats]:
    """The fitted curve at n concentrations, even in logarithm, over the tested doses above zero."""
    positive = np.array([d.concentration for d in fit.doses if d.concentration > 0])
    if positive.size == 0:
        x = np.zeros(1)
    elif positive.size == 1:
        x = positive
    else:
        x = np.geomspace(positive[0], positive[-1], n)
        x[0], x[-1] = positive[0], positive[-1]
    return x, fit.predict(x)
