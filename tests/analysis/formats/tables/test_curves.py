"""Tables of curves: columns, bounds, units, and further columns of the plate map."""

from __future__ import annotations

import csv
import io

from gandl_analysis.formats.tables.curves import (
    ASSESSMENT_COLUMNS,
    CURVE_COLUMNS,
    compound_csv,
    covariances_csv,
    curves_csv,
    lines_csv,
    points_csv,
)
from gandl_analysis.formats.tables.wells import hits_csv
from gandl_analysis.pipeline.ranking import rank_compounds
from gandl_shared.schemas.curve import (
    Curve,
    CurveArea,
    CurveCovariance,
    CurveEmax,
    CurveLocation,
    CurveModel,
    CurveParameter,
    CurvePoint,
    Relation,
)
from gandl_shared.schemas.vocabulary import Flag, Verdict

POINT = CurvePoint(concentration=0.1, efficacy=0.5, plate="P1", well="A01", weight=1.0, excluded=None)
CURVE = Curve(
    compound="X",
    cell_line="U2OS",
    screen="screen 1",
    model=CurveModel.HILL,
    aicc={},
    params={"slope": CurveParameter(estimate=2.5, se=0.1, at_bound=False)},
    ec50=CurveLocation(value=0.25, relation=Relation.ABOVE, low=0.25, high=None, unit="uM", method=""),
    loss_ec50=None,
    crosses_zero_at=None,
    emax=CurveEmax(fitted=0.9, observed=0.8, at=1.0),
    auc=None,
    p_value=1e-12,
    q_value=None,
    lack_of_fit_p=None,
    n_doses=6,
    n_wells=12,
    verdict=Verdict.ACTIVE,
    flags=(Flag.EC50_ABOVE_RANGE, Flag.TOP_NOT_REACHED),
    points=(POINT,),
    fitted=(),
)


def records(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_curve_has_its_verdict_bounds_and_flags() -> None:
    text = curves_csv([CURVE])
    assert text.splitlines()[0] == ",".join(CURVE_COLUMNS)
    (row,) = records(text)
    assert (row["ec50_um"], row["ec50_relation"], row["ec50_high_um"]) == ("0.25", ">", "")
    assert (row["slope"], row["top"], row["emax"], row["p_value"]) == ("2.5", "", "0.9", "1e-12")
    assert (row["verdict"], row["flags"]) == ("active", "ec50_above_range;top_not_reached")


def test_curves_of_several_screens_name_the_screen_first() -> None:
    text = compound_csv([CURVE])
    assert text.splitlines()[0] == ",".join(["screen", *CURVE_COLUMNS, *ASSESSMENT_COLUMNS])
    assert records(text)[0]["screen"] == "screen 1"


def test_points_name_their_curve() -> None:
    (row,) = records(points_csv([CURVE]))
    assert (row["screen"], row["compound"], row["well"]) == ("screen 1", "X", "A01")
    assert (row["concentration_um"], row["efficacy"], row["excluded"]) == ("0.1", "0.5", "")


def test_further_columns_of_the_plate_map_are_in_every_table_of_compounds() -> None:
    curve = CURVE.model_copy(update={"metadata": {"smiles": "CCO", "Metadata_batch": "b1; b2"}})
    (hit,) = rank_compounds([curve])
    for text in (curves_csv([curve, CURVE]), compound_csv([curve, CURVE]), hits_csv([hit])):
        row = next(csv.DictReader(io.StringIO(text)))
        assert (row["Metadata_smiles"], row["Metadata_batch"]) == ("CCO", "b1; b2")


def _certain(unit: str = "uM") -> Curve:
    absolute = CurveLocation(value=0.5, relation=Relation.EQUAL, low=0.4, high=0.7, unit=unit, method="")
    return CURVE.model_copy(
        update={
            "ec50": CURVE.ec50.model_copy(update={"unit": unit}),
            "params": {
                "ec50": CurveParameter(estimate=0.3, se=0.02, at_bound=False),
                "slope": CurveParameter(estimate=2.5, se=0.1, at_bound=False, low=2.2, high=2.8),
            },
            "absolute_level": 0.0,
            "absolute_ec50": absolute,
            "auc_interval": CurveArea(se=0.1, low=0.2, high=0.6),
            "sigma": 0.25,
            "points": (POINT.model_copy(update={"fitted": 0.25}),),
            "fitted": ((0.1, 0.0), (0.2, 0.1), (0.3, 0.2)),
            "band": ((-0.1, 0.1), (0.0, 0.2), (0.1, 0.3)),
            "covariance": CurveCovariance(parameters=("ec50", "slope"), matrix=((4.0, 1.0), (1.0, 9.0))),
        }
    )


def test_a_curve_has_its_errors_and_the_absolute_ec50_apart_from_the_relative_one() -> None:
    (row,) = records(curves_csv([_certain()]))
    assert list(row) == list(CURVE_COLUMNS)
    assert (row["ec50_um"], row["ec50_relation"], row["ec50_fitted_um"], row["ec50_se_um"]) == (
        "0.25",
        ">",
        "0.3",
        "0.02",
    )
    absolute = [row[f"absolute_ec50{name}"] for name in ("_um", "_relation", "_low_um", "_high_um")]
    assert absolute == ["0.5", "=", "0.4", "0.7"]
    assert [row[f"slope{name}"] for name in ("", "_se", "_low", "_high")] == ["2.5", "0.1", "2.2", "2.8"]
    assert (row["sigma"], row["auc_se"], row["auc_low"], row["auc_high"]) == ("0.25", "0.1", "0.2", "0.6")


def test_a_unit_in_a_name_is_the_unit_of_its_values() -> None:
    (row,) = records(curves_csv([_certain("nM")]))
    assert (row["ec50_nM"], row["absolute_ec50_low_nM"], row["ec50_se_nM"]) == ("0.25", "0.4", "0.02")
    assert not any(name.endswith("_um") for name in row)
    assert records(points_csv([_certain("nM")]))[0]["concentration_nM"] == "0.1"


def test_wells_have_residuals_and_lines_their_bands() -> None:
    (point,) = records(points_csv([_certain()]))
    assert (point["efficacy"], point["fitted"], point["residual"]) == ("0.5", "0.25", "0.25")
    lines = records(lines_csv([_certain()]))
    assert [(r["concentration_um"], r["fitted"], r["low"], r["high"]) for r in lines] == [
        ("0.1", "0.0", "-0.1", "0.1"),
        ("0.3", "0.2", "0.1", "0.3"),
    ]


def test_covariances_have_one_row_for_each_pair_of_parameters() -> None:
    rows = records(covariances_csv([_certain(), CURVE]))
    assert [(r["parameter"], r["other_parameter"], float(r["covariance"])) for r in rows] == [
        ("ec50", "ec50", 4.0),
        ("ec50", "slope", 1.0),
        ("slope", "slope", 9.0),
    ]
    assert [float(r["correlation"]) for r in rows] == [1.0, 1 / 6, 1.0]
