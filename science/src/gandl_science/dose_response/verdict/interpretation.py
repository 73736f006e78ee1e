"""What a fitted curve means: its summary and its tests, judged by the rules of `classification`."""

from __future__ import annotations

from dataclasses import dataclass

from gandl_science.dose_response.records.fit import CurveFit
from gandl_science.dose_response.records.inputs import ResponseScale
from gandl_science.dose_response.records.vocabulary import Flag, Verdict
from gandl_science.dose_response.verdict.classification import CurveClassifier, ReportedConcentration, TherapeuticWindow
from gandl_science.dose_response.verdict.summary import CurveSummary, summarise_curve

_ACTIVE = (Verdict.ACTIVE, Verdict.ACTIVE_BIPHASIC)
VERDICTS_WITH_EC50 = (*_ACTIVE, Verdict.TOXIC)
"""The verdicts for which an EC50 is reported."""


@dataclass(frozen=True, kw_only=True)
class InterpretationRules:
    """The thresholds of a verdict.

    A compound with q <= `alpha` has a significant effect. `scale` None: the responses of the controls are unknown, and
    any change counts. `min_effect`: a change within the tested doses below this share of the span between the controls
    is no activity, however significant.
    """

    alpha: float = 0.05
    scale: ResponseScale | None = None
    min_effect: float = 0.1


@dataclass(frozen=True, kw_only=True)
class Interpretation:
    """The meaning of a curve: its verdict, the reasons for it, and the numbers that are reported."""

    verdict: Verdict
    flags: tuple[Flag, ...]
    ec50: ReportedConcentration
    loss_ec50: ReportedConcentration | None
    midpoint_crossing: float | None
    emax_fitted: float
    emax_observed: float
    emax_at: float
    auc: float | None
    window: TherapeuticWindow | None


def interpret_curve(
    fit: CurveFit,
    q_value: float | None,
    rules: InterpretationRules,
    off_axis_onset: float | None = None,
    summary: CurveSummary | None = None,
    *,
    equal_scatter_q: float | None = None,
    cautious_q: float | None = None,
) -> Interpretation:
    """Return the meaning of one curve.

    `q_value` None: the compound was not tested. `off_axis_onset`: the lowest dose from which the wells deviate from
    both controls. `summary` is that of the fit, where it was computed before. `equal_scatter_q` and `cautious_q` are
    the q-values of `equal_scatter_p` and `cautious_p` of the fit, None if they are `q_value`.
    """
    summary = summary or summarise_curve(fit, rules.scale)
    classifier = CurveClassifier(
        summary=summary,
        tested=q_value is not None,
        significant=_is_significant(q_value, rules),
        depends_on_scatter=_is_significant(equal_scatter_q, rules)
        or (_is_significant(fit.equal_scatter_p, rules) and not _is_significant(fit.p_value, rules)),
        assumes_equal_scatter=fit.assumes_equal_scatter
        or (cautious_q is not None and not _is_significant(cautious_q, rules)),
        large=summary.is_large(rules.min_effect),
        off_axis_onset=off_axis_onset,
    )
    verdict = classifier.verdict()
    has_ec50 = verdict in VERDICTS_WITH_EC50
    ec50 = classifier.ec50() if has_ec50 else ReportedConcentration()
    loss_ec50 = classifier.loss_ec50() if has_ec50 else None
    best = fit.doses[summary.best_dose]
    return Interpretation(
        verdict=verdict,
        flags=classifier.flags(verdict, ec50),
        ec50=ec50,
        loss_ec50=loss_ec50,
        midpoint_crossing=summary.midpoint_crossing(),
        emax_fitted=summary.peak,
        emax_observed=best.mean,
        emax_at=best.concentration,
        auc=summary.area(),
        window=classifier.window(ec50, loss_ec50) if verdict in _ACTIVE else None,
    )


def _is_significant(p_value: float | None, rules: InterpretationRules) -> bool:
    return p_value is not None and p_value <= rules.alpha
