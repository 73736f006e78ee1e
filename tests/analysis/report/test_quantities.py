"""The quantities by which plates are coloured."""

from __future__ import annotations

from gandl_analysis.report.quantities import Scale, quantities

from tests.analysis.example.screen import example_analysis

ANALYSIS = example_analysis()


def test_quantities_that_the_screen_has_are_offered() -> None:
    by_name = {quantity.name: quantity for quantity in quantities(ANALYSIS)}
    assert list(by_name) == [
        "efficacy",
        "off_distance",
        "residual",
        "concentration_um",
        "n_tiles",
        "image_qc",
        "role",
    ]
    first = ANALYSIS.wells[0]
    assert by_name["efficacy"].values[first.plate, first.well] == first.efficacy
    assert by_name["image_qc"].values["HRCE-2", "B09"] == 1.0
    assert by_name["role"].categories == ("empty", "negative control", "positive control", "treatment")


def test_a_column_of_numbers_is_a_scale_and_another_one_categories() -> None:
    wells = tuple(
        well.model_copy(update={"metadata": {"cells": str(100 + k), "batch": "early" if k else "", "mixed": "7a"}})
        for k, well in enumerate(ANALYSIS.wells)
    )
    by_name = {quantity.name: quantity for quantity in quantities(ANALYSIS.model_copy(update={"wells": wells}))}
    cells = by_name["metadata:cells"]
    assert (cells.scale, cells.range) == (Scale.SEQUENTIAL, (100.0, 99.0 + len(wells)))
    batch = by_name["metadata:batch"]
    assert (batch.scale, batch.categories) == (Scale.CATEGORY, ("early",))
    assert batch.values[wells[0].plate, wells[0].well] is None
    assert by_name["metadata:mixed"].scale is Scale.CATEGORY
