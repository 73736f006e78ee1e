"""CSV tables: columns, empty cells, numbers that read back, and further columns of the plate map."""

from __future__ import annotations

import csv
import io

from gandl_analysis.formats.csv_tables import (
    CURVE_COLUMNS,
    WELL_COLUMNS,
    compound_csv,
    curves_csv,
    hits_csv,
    points_csv,
    sites_csv,
    wells_csv,
)
from gandl_analysis.pipeline.ranking import rank_compounds
from gandl_shared.schemas.curve import Curve, CurveEmax, CurveLocation, CurveModel, CurveParameter, CurvePoint, Relation
from gandl_shared.schemas.screen import Hit, SiteScore, WellScore
from gandl_shared.schemas.vocabulary import Flag, Role, Verdict

WELL = WellScore(
    plate="P1",
    well="A01",
    role=Role.TREATMENT,
    compound="X, the first",
    concentration_um=0.1,
    cell_line="U2OS",
    on=0.1 + 0.2,
    off=None,
    efficacy=-1.0,
    n_tiles=3,
    metadata={"Metadata_batch": "early"},
)
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


def test_wells_have_their_columns_in_order_and_numbers_keep_every_bit() -> None:
    text = wells_csv([WELL])
    assert text.splitlines()[0] == ",".join([*WELL_COLUMNS, "Metadata_batch"])
    (well,) = records(text)
    assert float(well["on"]) == 0.1 + 0.2
    assert (well["off"], well["role"], well["compound"]) == ("", "treatment", "X, the first")
    assert well["Metadata_batch"] == "early"


def test_a_well_without_a_further_column_has_an_empty_cell() -> None:
    plain = WELL.model_copy(update={"well": "A02", "metadata": {}})
    assert [w["Metadata_batch"] for w in records(wells_csv([WELL, plain]))] == ["early", ""]


def test_a_site_has_one_row() -> None:
    site = SiteScore(site="2", n_tiles=3, **WELL.model_dump(include=set(SiteScore.model_fields) - {"site", "n_tiles"}))
    (row,) = records(sites_csv([site]))
    assert (row["well"], row["site"], row["efficacy"], row["n_tiles"]) == ("A01", "2", "-1.0", "3")


def test_a_curve_has_its_verdict_bounds_and_flags() -> None:
    text = curves_csv([CURVE])
    assert text.splitlines()[0] == ",".join(CURVE_COLUMNS)
    (row,) = records(text)
    assert (row["ec50_um"], row["ec50_relation"], row["ec50_high_um"]) == ("0.25", ">", "")
    assert (row["slope"], row["top"], row["emax"], row["p_value"]) == ("2.5", "", "0.9", "1e-12")
    assert (row["verdict"], row["flags"]) == ("active", "ec50_above_range;top_not_reached")


def test_curves_of_several_screens_name_the_screen_first() -> None:
    text = compound_csv([CURVE])
    assert text.splitlines()[0] == ",".join(["screen", *CURVE_COLUMNS])
    assert records(text)[0]["screen"] == "screen 1"


def test_points_name_their_curve() -> None:
    (row,) = records(points_csv([CURVE]))
    assert (row["screen"], row["compound"], row["well"]) == ("screen 1", "X", "A01")
    assert (row["concentration_um"], row["efficacy"], row["excluded"]) == ("0.1", "0.5", "")


def test_hits_keep_their_order() -> None:
    values = {"cell_line": "U2OS", "verdict": "active", "ec50_um": 1.0, "ec50_relation": "=", "emax": 0.9}
    hits = [
        Hit.model_validate({**values, "rank": rank, "compound": name, "q_value": 0.01, "flags": ["few_doses"]})
        for rank, name in ((1, "B"), (2, "A"))
    ]
    assert [(row["rank"], row["compound"], row["flags"]) for row in records(hits_csv(hits))] == [
        ("1", "B", "few_doses"),
        ("2", "A", "few_doses"),
    ]


def test_further_columns_of_the_plate_map_are_in_every_table_of_compounds() -> None:
    curve = CURVE.model_copy(update={"metadata": {"smiles": "CCO", "Metadata_batch": "b1; b2"}})
    (hit,) = rank_compounds([curve])
    for text in (curves_csv([curve, CURVE]), compound_csv([curve, CURVE]), hits_csv([hit])):
        row = next(csv.DictReader(io.StringIO(text)))
        assert (row["Metadata_smiles"], row["Metadata_batch"]) == ("CCO", "b1; b2")
