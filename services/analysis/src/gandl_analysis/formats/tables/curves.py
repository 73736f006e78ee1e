"""Tables of dose-response curves as CSV: their parameters, wells, lines with bands, covariances and potency ratios."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict

from gandl_shared.schemas.curve import Curve, CurveAssessment, CurveLocation

from gandl_analysis.formats.tables.csv_text import csv_text
from gandl_analysis.formats.tables.metadata import metadata_columns, prefixed_metadata
from gandl_analysis.pipeline.curves.potency import PotencyRatio

CURVE_COLUMNS = (
    "compound",
    "cell_line",
    "model",
    "verdict",
    "ec50_um",
    "ec50_relation",
    "ec50_low_um",
    "ec50_high_um",
    "slope",
    "bottom",
    "top",
    "emax",
    "p_value",
    "q_value",
    "hit_probability",
    "off_axis_p_value",
    "off_axis_q_value",
    "flags",
    "n_doses",
    "n_wells",
    "aicc",
    "sigma",
    "residual_df",
    "lack_of_fit_p",
    "ec50_fitted_um",
    "ec50_se_um",
    "slope_se",
    "slope_low",
    "slope_high",
    "bottom_se",
    "top_se",
    "emax_se",
    "emax_low",
    "emax_high",
    "emax_observed",
    "emax_at_um",
    "auc",
    "auc_se",
    "auc_low",
    "auc_high",
    "absolute_level",
    "absolute_ec50_um",
    "absolute_ec50_relation",
    "absolute_ec50_low_um",
    "absolute_ec50_high_um",
    "crosses_zero_at_um",
    "loss_ec50_um",
    "loss_ec50_relation",
    "loss_ec50_low_um",
    "loss_ec50_high_um",
    "loss_slope",
    "loss_slope_se",
    "window_low_um",
    "window_high_um",
    "window_fold",
    "window_relation",
    "window_limited_by",
    "off_axis_from_um",
)
"""The columns of a table of curves, in every file and answer: the single definition of them."""
ASSESSMENT_COLUMNS = ("assessed_verdict", "assessed_ec50_um", "assessed_by", "assessed_because")
POINT_COLUMNS = (
    "screen",
    "compound",
    "cell_line",
    "plate",
    "well",
    "concentration_um",
    "efficacy",
    "weight",
    "excluded",
    "fitted",
    "residual",
    "is_vehicle",
)
LINE_COLUMNS = ("screen", "compound", "cell_line", "concentration_um", "fitted", "low", "high")
COVARIANCE_COLUMNS = ("screen", "compound", "cell_line", "parameter", "other_parameter", "covariance", "correlation")
POTENCY_COLUMNS = ("cell_line", "reference", "compound", "ratio", "low", "high", "parallel_p", "f", "df", "reason")
_LINE_STEP = 2
"""Every second point of the sampled curve is written, 41 of them: enough for a smooth line."""


def curve_records(curves: Sequence[Curve]) -> tuple[list[str], Iterator[Mapping[str, object]]]:
    """Return the columns of the table of the curves of a screen, whose doses are in µM, and its rows."""
    return [*CURVE_COLUMNS, *metadata_columns(curves)], map(_curve_record, curves)


def point_records(curves: Sequence[Curve]) -> tuple[list[str], Iterator[Mapping[str, object]]]:
    """Return the columns of the table of the wells behind the curves of a screen, and its rows."""
    return list(POINT_COLUMNS), (record for curve in curves for record in _point_records(curve))


def curves_csv(curves: Iterable[Curve]) -> str:
    """Return one row per compound and cell line; a number that does not exist is an empty cell.

    Further columns of the plate map come last, with pycytominer's prefix.
    """
    listed = list(curves)
    return _concentrations_csv((*CURVE_COLUMNS, *metadata_columns(listed)), map(_curve_record, listed), listed)


def compound_csv(curves: Iterable[Curve], assessments: Iterable[CurveAssessment] = ()) -> str:
    """Return the columns of `dose_response.csv` after the screen, one row per curve, and what people set beside it."""
    listed = list(curves)
    assessed = {(a.screen, a.compound, a.cell_line): a for a in assessments}
    records = (
        {
            "screen": curve.screen,
            **_curve_record(curve),
            **_assessment_record(assessed.get((curve.screen or "", curve.compound, curve.cell_line))),
        }
        for curve in listed
    )
    columns = ("screen", *CURVE_COLUMNS, *ASSESSMENT_COLUMNS, *metadata_columns(listed))
    return _concentrations_csv(columns, records, listed)


def points_csv(curves: Iterable[Curve]) -> str:
    """Return the wells behind the curves, one row per well: response, weight, fitted value and residual."""
    listed = list(curves)
    return _concentrations_csv(POINT_COLUMNS, (record for curve in listed for record in _point_records(curve)), listed)


def lines_csv(curves: Iterable[Curve]) -> str:
    """Return the fitted curves with their confidence bands, 41 rows per curve over the tested doses."""
    listed = list(curves)
    return _concentrations_csv(LINE_COLUMNS, (record for curve in listed for record in _line_records(curve)), listed)


def covariances_csv(curves: Iterable[Curve]) -> str:
    """Return the covariance and the correlation of the parameters of each curve, one row per pair of parameters."""
    return csv_text(COVARIANCE_COLUMNS, (record for curve in curves for record in _covariance_records(curve)))


def curve_files(curves: Sequence[Curve]) -> dict[str, str]:
    """Return the tables of curves by file name: the curves, their wells, their lines with bands, and covariances."""
    return {
        "dose_response.csv": curves_csv(curves),
        "dose_response_wells.csv": points_csv(curves),
        "dose_response_lines.csv": lines_csv(curves),
        "dose_response_covariances.csv": covariances_csv(curves),
    }


def potency_csv(ratios: Iterable[PotencyRatio]) -> str:
    """Return one row per compound that was compared with a reference; `reason` says why it has no ratio."""
    records = (
        {**asdict(ratio), "df": "" if ratio.df is None else ";".join(f"{n:g}" for n in ratio.df)} for ratio in ratios
    )
    return csv_text(POTENCY_COLUMNS, records)


def _curve_record(curve: Curve) -> dict[str, object]:
    aicc, window = curve.aicc.get(curve.model), curve.window
    record: dict[str, object] = {
        "compound": curve.compound,
        "cell_line": curve.cell_line,
        "model": curve.model,
        "verdict": curve.verdict,
        "emax": curve.emax.fitted,
        "emax_se": curve.emax.se,
        "emax_low": curve.emax.low,
        "emax_high": curve.emax.high,
        "emax_observed": curve.emax.observed,
        "emax_at_um": curve.emax.at,
        "p_value": curve.p_value,
        "q_value": curve.q_value,
        "hit_probability": curve.hit_probability,
        "off_axis_p_value": curve.off_axis.p_value,
        "off_axis_q_value": curve.off_axis.q_value,
        "flags": ";".join(curve.flags),
        "n_doses": curve.n_doses,
        "n_wells": curve.n_wells,
        "aicc": aicc,
        "sigma": curve.sigma,
        "residual_df": curve.residual_df,
        "lack_of_fit_p": curve.lack_of_fit_p,
        "auc": curve.auc,
        "absolute_level": curve.absolute_level,
        "crosses_zero_at_um": curve.crosses_zero_at,
        "off_axis_from_um": curve.off_axis.departs_at,
        **_location_record("ec50", curve.ec50),
        **_location_record("absolute_ec50", curve.absolute_ec50),
        **_location_record("loss_ec50", curve.loss_ec50),
        **_parameter_record(curve),
        **prefixed_metadata(curve),
    }
    if curve.auc_interval is not None:
        record |= {f"auc_{name}": value for name, value in curve.auc_interval.model_dump().items()}
    if window is not None:
        record |= {f"window_{name}": getattr(window, name) for name in ("fold", "relation", "limited_by")}
        record |= {"window_low_um": window.low, "window_high_um": window.high}
    return record


def _assessment_record(assessment: CurveAssessment | None) -> dict[str, object]:
    if assessment is None:
        return {}
    values = (assessment.verdict, assessment.ec50_um, assessment.author, assessment.reason)
    return dict(zip(ASSESSMENT_COLUMNS, values, strict=True))


def _location_record(name: str, location: CurveLocation | None) -> dict[str, object]:
    if location is None:
        return {}
    return {
        f"{name}_um": location.value,
        f"{name}_relation": location.relation,
        f"{name}_low_um": location.low,
        f"{name}_high_um": location.high,
    }


def _parameter_record(curve: Curve) -> dict[str, object]:
    record: dict[str, object] = {}
    for name, parameter in curve.params.items():
        if name == "ec50":
            record |= {"ec50_fitted_um": parameter.estimate, "ec50_se_um": parameter.se}
        elif name in CURVE_COLUMNS:
            record |= {name: parameter.estimate, f"{name}_se": parameter.se}
            record |= {f"{name}_low": parameter.low, f"{name}_high": parameter.high}
    return record


def _origin(curve: Curve) -> dict[str, object]:
    return {"screen": curve.screen, "compound": curve.compound, "cell_line": curve.cell_line}


def _point_records(curve: Curve) -> Iterator[Mapping[str, object]]:
    for point in curve.points:
        is_residual = point.fitted is not None and point.efficacy is not None
        residual = point.efficacy - point.fitted if is_residual else None  # type: ignore[operator]
        record = {**point.model_dump(), "concentration_um": point.concentration, "residual": residual}
        yield {**_origin(curve), **record}


def _line_records(curve: Curve) -> Iterator[Mapping[str, object]]:
    for index in range(0, len(curve.fitted), _LINE_STEP):
        concentration, fitted = curve.fitted[index]
        low, high = curve.band[index] if curve.band else (None, None)
        yield {**_origin(curve), "concentration_um": concentration, "fitted": fitted, "low": low, "high": high}


def _covariance_records(curve: Curve) -> Iterator[Mapping[str, object]]:
    if curve.covariance is None:
        return
    names, matrix = curve.covariance.parameters, curve.covariance.matrix
    for i, name in enumerate(names):
        for j in range(i, len(names)):
            scale = math.sqrt(matrix[i][i] * matrix[j][j])
            yield {
                **_origin(curve),
                "parameter": name,
                "other_parameter": names[j],
                "covariance": matrix[i][j],
                "correlation": matrix[i][j] / scale if scale > 0 else None,
            }


def _concentrations_csv(
    columns: Sequence[str], records: Iterable[Mapping[str, object]], curves: Sequence[Curve]
) -> str:
    """Return CSV whose columns of concentrations are named by the unit of the curves, `_um` for µM."""
    unit = curves[0].ec50.unit if curves else "uM"
    header = [
        f"{name.removesuffix('_um')}_{unit}" if name.endswith("_um") and unit != "uM" else name for name in columns
    ]
    return csv_text(columns, records, header)
