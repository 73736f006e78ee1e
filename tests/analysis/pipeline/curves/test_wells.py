"""Which wells belong to a curve, which of them are fitted, and which doses are one."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from gandl_analysis.pipeline.curves.wells import CompoundWells, CurveWell, group_by_compound
from gandl_shared.schemas.vocabulary import Flag


def well(dose: float | None, response: float | None = 0.0, *, compound: str = "a", cell_line: str = "U") -> CurveWell:
    return CurveWell(compound=compound, cell_line=cell_line, concentration=dose, response=response)


def group(*wells: CurveWell) -> CompoundWells:
    (compound,) = group_by_compound(wells)
    return compound


def test_a_compound_in_two_cell_lines_is_two_curves_in_order_of_appearance() -> None:
    wells = [well(1, compound="b"), well(1), well(2, compound="b"), well(1, compound="b", cell_line="V")]
    groups = group_by_compound(wells)
    assert [(g.name, g.cell_line, len(g.wells)) for g in groups] == [("b", "U", 2), ("a", "U", 1), ("b", "V", 1)]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (well(1.0, None), "no response"),
        (well(1.0, math.nan), "no response"),
        (well(None), "no concentration"),
        (well(math.inf), "no concentration"),
        (replace(well(None), excluded="out of focus"), "out of focus"),
    ],
)
def test_a_well_that_cannot_be_fitted_stays_with_its_reason(wrong: CurveWell, reason: str) -> None:
    compound = group(well(1.0), wrong)
    assert compound.exclusions == [None, reason]
    assert compound.fitted_wells == [well(1.0)]
    assert compound.data.concentration.tolist() == [1.0]


def test_doses_within_measurement_are_one() -> None:
    doses = [w.concentration for w in group(well(1.0125), well(2.0), well(0.9975), well(1.0), well(0.0)).wells]
    assert doses == [1.0, 2.0, 1.0, 1.0, 0.0]


def test_doses_that_differ_by_more_are_two() -> None:
    assert [w.concentration for w in group(well(1.0), well(1.2)).wells] == [1.0, 1.2]


PASTED = [(1.0, 0.0), (1.0, 0.1), (1.0, 0.0), (1.0, 0.1), (3.0, 0.7), (3.0, 0.7)]
EQUAL = [(1.0, 0.0), (1.0, 0.0), (3.0, 1.0), (3.0, 1.0), (3.0, 1.0)]
REAL = [(1.0, 0.0), (1.0, 0.0), (3.0, 50.0), (3.0, 52.0)]
CONSTANT = [(1.0, 0.0), (1.0, 0.0), (3.0, 0.0), (3.0, 0.0)]
SINGLE = [(1.0, 0.0), (3.0, 1.0)]


@pytest.mark.parametrize(
    ("pairs", "is_equal"), [(PASTED, True), (EQUAL, True), (REAL, False), (CONSTANT, False), (SINGLE, False)]
)
def test_equal_replicates_at_every_dose_of_a_changing_curve_are_a_flag(
    pairs: list[tuple[float, float]], is_equal: bool
) -> None:
    compound = group(*(well(dose, response) for dose, response in pairs))
    assert (Flag.EQUAL_REPLICATES in compound.flags) is is_equal
    if compound.equal_wells is not None:
        first, second = compound.equal_wells
        assert (first.response, first.concentration) == (second.response, second.concentration)


def empty(dose: float) -> CurveWell:
    return replace(well(dose), excluded="image QC: empty", is_empty=True, off_distance=9.0)


@pytest.mark.parametrize(("n_fitted", "n_empty", "counts"), [(3, 1, False), (2, 2, True), (0, 1, True)])
def test_empty_wells_count_off_the_axis_where_they_are_half_of_their_dose(
    n_fitted: int, n_empty: int, counts: bool
) -> None:
    compound = group(*[well(1.0)] * n_fitted, *[empty(1.0)] * n_empty, *[well(2.0)] * 3)
    off_axis = [w for w in compound.off_axis_wells if w.is_empty]
    assert len(off_axis) == (n_empty if counts else 0)
    assert compound.flags == (Flag.EMPTY_WELLS,)


def test_a_compound_without_empty_wells_has_no_flag() -> None:
    assert group(well(1.0)).flags == ()


def test_further_columns_are_joined_counted_or_left_out() -> None:
    wells = [
        replace(well(1.0), metadata={"smiles": "CCO", "batch": f"b{n % 2}", "volume": str(n), "channel_1": f"{n}.tif"})
        for n in range(6)
    ]
    assert group(*wells).metadata == {"smiles": "CCO", "batch": "b0; b1", "volume": "6 values"}
    prefixed = [replace(wells[0], metadata={"Metadata_batch": "b1"}), *wells[:1]]
    assert group(*prefixed).metadata["batch"] == "b1; b0"
