"""Groups of wells by columns of the plate map: names without prefix, doses by value, and problems by field."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gandl_analysis.pipeline.axes.definitions import axis_definition, axis_problems, well_table
from gandl_shared.schemas.analysis import AxisChoice

from tests.analysis.simulated_screens import Simulated

VEHICLE = {"role": ("negative_control",)}


def test_the_table_has_further_columns_by_plain_name_and_doses_in_the_shortest_form() -> None:
    wells = Simulated(metadata={"A04": {"Metadata_batch": "7"}}).wells()
    table = well_table(wells)
    assert list(table) == ["batch", "plate", "well", "role", "compound", "concentration_um", "cell_line"]
    row = {name: values[table["well"].index("A04")] for name, values in table.items()}
    assert (row["batch"], row["concentration_um"], row["compound"]) == ("7", "0.01", "X")
    assert table["concentration_um"][table["well"].index("A01")] == ""


@pytest.mark.parametrize("dose", ["10", "10.0", "1e1", "+10"])
def test_a_dose_may_be_written_in_any_way(dose: str) -> None:
    choice = AxisChoice(name="top", positive={"Metadata_concentration_um": (dose,)}, negative=VEHICLE)
    labels = axis_definition(choice).labels(well_table(Simulated().wells()))
    assert (labels == 1).sum() == 4


def test_a_metadata_column_does_not_hide_a_column_of_ours() -> None:
    wells = [replace(w, metadata={"role": "treatment"}) for w in Simulated().wells()]
    assert set(well_table(wells)["role"]) == {"positive_control", "negative_control", "treatment"}


def test_problems_name_the_group_and_the_column() -> None:
    wells = Simulated().wells()
    choices = [
        AxisChoice(name="a", positive={"batch": ("1",), "site": ("2",)}, negative=VEHICLE),
        AxisChoice(name="b", positive={"well": ("A04",)}, negative=VEHICLE),
        AxisChoice(name="c", positive={"cell_line": ("U2OS",)}, negative=VEHICLE),
    ]
    problems = axis_problems(choices, wells)
    assert [p.field for p in problems] == ["axes.0.positive.batch", "axes.0.positive.site", "axes.1.positive", "axes.2"]
    assert problems[2].detail == "1 wells have well in ['A04']; an axis needs at least 2 on each side"
    assert problems[3].detail == "axis c has wells on both sides; make the groups disjoint"
