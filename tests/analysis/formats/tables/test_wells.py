"""Tables of wells, sites and hits: columns, empty cells, numbers that read back, further columns of the map."""

from __future__ import annotations

import csv
import io

from gandl_analysis.formats.tables.wells import WELL_COLUMNS, hits_csv, sites_csv, wells_csv
from gandl_shared.schemas.screen import Hit, SiteScore, WellScore
from gandl_shared.schemas.vocabulary import Role

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
