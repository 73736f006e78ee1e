"""The rules by which a curve gets its verdict, its flags, the EC50 that is reported and the therapeutic window.

They are those of docs/dose-response.md; docs/architecture.md says how to add a verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

import numpy as np

from gandl_science.dose_response.models import SLOPE_NAMES
from gandl_science.dose_response.records.fit import CurveFit, LocationEstimate
from gandl_science.dose_response.records.vocabulary import CurveModel, Flag, Relation, Verdict, WindowLimit
from gandl_science.dose_response.verdict.summary import CurveSummary

_TWO_LIMBS = (CurveModel.GAIN_LOSS, CurveModel.BRAIN_COUSENS)
_MIN_COVERED = 0.8
_MIN_PLATEAU = 0.5
"""The share of its amplitude that a gain-loss or Brain-Cousens curve must reach. With less, its two limbs overlap: the
plateau is an extrapolation, and so are the EC50s, which are half of the way to it."""
_LACK_OF_FIT_P = 0.01
_MIN_REPLICATES = 2
_MIN_DOSES = 5


@dataclass(frozen=True, kw_only=True)
class ReportedConcentration:
    """A concentration with its relation to the true one and its interval; all fields are None where there is none."""

    value: float | None = None
    relation: Relation | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class TherapeuticWindow:
    """The concentrations between the EC50 (`low`) and toxicity (`high`).

    `relation` is `>` where the window is at least so wide: there is no sign of toxicity up to `high`, the highest dose,
    or the EC50 is below `low`.
    """

    low: float
    high: float
    relation: Relation
    limited_by: WindowLimit


@dataclass(frozen=True, kw_only=True)
class CurveClassifier:
    """Decides what one curve means, from its summary and the results of its tests.

    `tested` and `significant` are about the activity test. `depends_on_scatter` is true if p or q is significant only
    while all doses scatter equally, although they evidently do not; `assumes_equal_scatter` if the doses may or may not
    do so. `large` is about the size of the effect; `off_axis_onset` is the lowest dose from
    which the wells deviate from both controls, None if there is none.
    """

    summary: CurveSummary
    tested: bool
    significant: bool
    depends_on_scatter: bool
    assumes_equal_scatter: bool
    large: bool
    off_axis_onset: float | None

    @property
    def fit(self) -> CurveFit:
        """The curve."""
        return self.summary.fit

    @property
    def has_curve(self) -> bool:
        """True if there is a significant effect and a model that describes it."""
        return self.significant and self.fit.model is not CurveModel.CONSTANT

    @property
    def shows_effect(self) -> bool:
        """True if the curve describes an effect that is significant and large enough to count."""
        return self.has_curve and self.large

    @property
    def is_overruled(self) -> bool:
        """True if there is a large effect that only unequal scatter keeps from being significant."""
        return self.depends_on_scatter and not self.significant and self.large

    @property
    def limbs_overlap(self) -> bool:
        """True for a curve of two limbs that cannot be told apart, so that it has no EC50."""
        return self.fit.model in _TWO_LIMBS and (self.summary.covered() < _MIN_PLATEAU or self._has_free_limbs())

    def _has_free_limbs(self) -> bool:
        """Return whether other limbs make the same curve at the doses, so that the EC50 has no standard error."""
        ec50 = self.fit.params["ec50"]
        return self.fit.model is CurveModel.GAIN_LOSS and ec50.se is None and not ec50.at_bound

    @property
    def is_plateau(self) -> bool:
        """True if the compound is active at all doses, and its response hardly changes with dose."""
        return self.summary.always_active and not self.shows_effect

    @property
    def goes_wrong_way(self) -> bool:
        """True if the controls are known and the curve goes away from the positive one."""
        return self.summary.scale is not None and self.summary.direction != self.summary.wanted_direction

    def is_off_axis_by(self, concentration: float) -> bool:
        """Return whether the wells deviate from both controls at this concentration or below."""
        return self.off_axis_onset is not None and self.off_axis_onset <= concentration

    def verdict(self) -> Verdict:
        """Return the verdict of the first rule that holds, in the order of docs/dose-response.md."""
        off_axis = self.off_axis_onset is not None
        lowest_dose = self.summary.dose_range[0]
        if not self.tested:
            return Verdict.UNDETERMINED
        # Before significance: a compound that is active at every dose shows no change with dose.
        if self.is_plateau:
            return Verdict.TOXIC if self.is_off_axis_by(lowest_dose) else Verdict.ACTIVE
        if not self.is_overruled and (not self.significant or not self.large):
            return Verdict.TOXIC if off_axis else Verdict.INACTIVE
        # An effect that may be scatter, or one of no known form: analysis of variance saw it, no model describes it.
        if self.is_overruled or self.fit.model is CurveModel.CONSTANT:
            return Verdict.TOXIC if off_axis else Verdict.UNDETERMINED
        if self.goes_wrong_way or self._is_off_axis_by_ec50():
            return Verdict.TOXIC
        return Verdict.ACTIVE_BIPHASIC if self.fit.model is CurveModel.GAIN_LOSS else Verdict.ACTIVE

    def _is_off_axis_by_ec50(self) -> bool:
        """Return whether the toxicity may come before the effect."""
        ec50 = self.ec50()
        # An effect comes before an upper bound of its EC50. The curve still says where half of it is reached.
        effect = self._effect_concentration() if self.limbs_overlap or ec50.relation is Relation.BELOW else None
        concentration = ec50.value if effect is None else effect
        if concentration is None:
            # An effect whose EC50 is unknown cannot be shown to come before the toxicity.
            return self.off_axis_onset is not None
        return self.is_off_axis_by(concentration)

    def _effect_concentration(self) -> float | None:
        """Return where the curve reaches the midpoint of the controls: the lowest dose if it begins beyond it."""
        return self.summary.dose_range[0] if self.summary.starts_active else self.summary.midpoint_crossing()

    def ec50(self) -> ReportedConcentration:
        """Return the EC50 of a compound that has an effect."""
        if self.is_plateau:
            lowest_dose = self.summary.dose_range[0]
            return ReportedConcentration(value=lowest_dose, relation=Relation.BELOW, low=None, high=lowest_dose)
        if self.fit.ec50 is None or self.limbs_overlap or self._is_too_wide("slope"):
            return ReportedConcentration()
        return self._report(self.fit.ec50)

    def loss_ec50(self) -> ReportedConcentration | None:
        """Return the concentration at which half of the effect is lost again, None for a curve without a loss."""
        if self.fit.loss_ec50 is None or self.is_plateau or self.limbs_overlap or self._is_too_wide("loss_slope"):
            return None
        return self._report(self.fit.loss_ec50)

    def _is_near_dose_limit(self, ec50: ReportedConcentration) -> bool:
        """Return whether the interval reaches between the two lowest or the two highest doses above zero."""
        doses = self.summary.concentrations[self.summary.concentrations > 0]
        return ec50.low is not None and ec50.high is not None and bool(ec50.low < doses[1] or ec50.high > doses[-2])

    def _is_too_wide(self, slope: str) -> bool:
        """Return whether a limb is wider than any curve that is searched.

        Its slope is at the lower bound, so its EC50 depends on that bound: two steps that are far apart, or a drift
        over all doses, look like this.
        """
        parameter = self.fit.params.get(slope)
        return parameter is not None and parameter.at_bound and parameter.estimate < 1.0

    def _report(self, location: LocationEstimate) -> ReportedConcentration:
        """Return the estimate where it is within the tested doses and its interval is closed, otherwise the sure bound.

        A bound has a level of its own (`intervals.locations`), and the interval ends there. A bound that excludes no
        tested dose (above a concentration lower than any dose, or below one higher) is not reported, because it says
        nothing.
        """
        low, high = location.low, location.high
        lowest, highest = self.summary.dose_range
        if low is None and high is None:
            return ReportedConcentration()
        # An estimate above the doses is an extrapolation, also where its interval is closed.
        if low is not None and (high is None or location.estimate > highest):
            low = location.above
            above = ReportedConcentration(value=low, relation=Relation.ABOVE, low=low, high=high)
            return above if low is not None and low >= lowest else ReportedConcentration()
        if high is not None and (low is None or location.estimate < lowest):
            high = location.below
            below = ReportedConcentration(value=high, relation=Relation.BELOW, low=low, high=high)
            return below if high is not None and high <= highest else ReportedConcentration()
        return ReportedConcentration(value=location.estimate, relation=Relation.EQUAL, low=low, high=high)

    def window(self, ec50: ReportedConcentration, loss: ReportedConcentration | None) -> TherapeuticWindow | None:
        """Return the window from the EC50 to the first sign of toxicity, or to the highest dose without any sign.

        It is `>` where the EC50 is an upper bound, which can only widen the window. There is none where a bound could
        only narrow it: an EC50 that is a lower bound, or a loss that is an upper bound.
        """
        if ec50.value is None or ec50.relation is Relation.ABOVE:
            return None
        if loss is not None and loss.relation is Relation.BELOW:
            return None
        ends = []
        if loss is not None and loss.value is not None and loss.relation is not None:
            ends.append((loss.value, loss.relation, WindowLimit.LOSS))
        if self.off_axis_onset is not None:
            ends.append((self.off_axis_onset, Relation.EQUAL, WindowLimit.OFF_AXIS))
        top_dose = (self.summary.dose_range[1], Relation.ABOVE, WindowLimit.TOP_DOSE)
        # The first sign of toxicity ends the window, whichever it is.
        high, relation, limited_by = min(ends, key=lambda end: end[0], default=top_dose)
        if high <= ec50.value:
            return None
        relation = Relation.ABOVE if ec50.relation is Relation.BELOW else relation
        return TherapeuticWindow(low=ec50.value, high=high, relation=relation, limited_by=limited_by)

    def flags(self, verdict: Verdict, ec50: ReportedConcentration) -> tuple[Flag, ...]:
        """Return the flags whose condition holds, in the order of `Flag`."""
        fit, summary = self.fit, self.summary
        decided = verdict is not Verdict.UNDETERMINED
        conditions = {
            Flag.INACTIVE: verdict is Verdict.INACTIVE,
            Flag.ACTIVE_AT_ALL_DOSES: summary.always_active and decided,
            Flag.ACTIVE_AT_LOWEST_DOSE: summary.starts_active and not summary.always_active and decided,
            Flag.EC50_ABOVE_RANGE: ec50.relation is Relation.ABOVE,
            Flag.EC50_BELOW_RANGE: ec50.relation is Relation.BELOW,
            Flag.EC50_NEAR_DOSE_LIMIT: ec50.relation is Relation.EQUAL and self._is_near_dose_limit(ec50),
            Flag.TOP_NOT_REACHED: self.shows_effect and not self.limbs_overlap and summary.covered() < _MIN_COVERED,
            Flag.BIPHASIC_TOXIC_DROP: self._rises_and_falls(),
            Flag.SINGLE_DOSE_ACTIVITY: self.significant and self.large and summary.has_single_active_dose(),
            Flag.NEGATIVE_DIRECTION: self.shows_effect and summary.direction != summary.wanted_direction,
            Flag.HIGH_OFF_PERTURBATION: self.off_axis_onset is not None,
            Flag.LACK_OF_FIT: self._lacks_fit(),
            Flag.LOW_REPLICATES: median(dose.n_wells for dose in fit.doses) < _MIN_REPLICATES,
            Flag.FEW_DOSES: np.count_nonzero(summary.concentrations) < _MIN_DOSES,
            Flag.OUTLIERS_DOWNWEIGHTED: bool(fit.weights.min() < 1),
            Flag.SLOPE_AT_BOUND: any(p.at_bound for name, p in fit.params.items() if name in SLOPE_NAMES),
            Flag.LIMBS_OVERLAP: self.shows_effect and self.limbs_overlap,
            Flag.UNEQUAL_SCATTER: (self.significant and fit.has_unequal_scatter) or self.is_overruled,
            Flag.ASSUMES_EQUAL_SCATTER: self.significant and self.assumes_equal_scatter,
            Flag.MANY_OUTLIERS: fit.has_many_outliers,
            Flag.CONFOUNDED_WITH_PLATE: fit.is_confounded,
        }
        return tuple(flag for flag, holds in conditions.items() if holds)

    def _lacks_fit(self) -> bool:
        """Return whether the curve misses the dose means; a compound that cannot be tested has no curve."""
        p = self.fit.lack_of_fit_p
        return p is not None and p < _LACK_OF_FIT_P and not self.fit.is_confounded

    def _rises_and_falls(self) -> bool:
        """Return whether the effect goes in the wanted direction and is lost again."""
        # A bell upside down is an effect in the unwanted direction, not a toxic drop.
        right_way = self.summary.direction == self.summary.wanted_direction
        return self.shows_effect and self.fit.model is CurveModel.GAIN_LOSS and right_way
