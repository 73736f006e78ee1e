"""The input of an analysis: what it derives from its fields."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gandl_analysis.pipeline.inputs import limits_text
from gandl_shared.plates import Role
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.limits import IntensityLimits

from tests.analysis.simulated_screens import MODEL_ID, Simulated


def test_limits_are_compared_by_their_numbers() -> None:
    one, same, other = (IntensityLimits(low=(0.0,), high=(h,)) for h in (100.0, 100.0, 101.0))
    assert limits_text(one) == limits_text(same) != limits_text(other)
    assert limits_text("plate") == "plate"


def test_empty_wells_hold_no_cells() -> None:
    screen = Simulated().screen()
    first, *others = screen.wells
    with_empty = replace(screen, wells=[replace(first, role=Role.EMPTY), *others])
    assert with_empty.used_wells == others
    assert with_empty.well_index[first.plate, first.well] == 0


@pytest.mark.parametrize(("on_raw_vectors", "normalisation"), [(False, "align"), (True, "none")])
def test_provenance_tells_the_normalisation_of_the_vectors(on_raw_vectors: bool, normalisation: str) -> None:
    preparation = Simulated().screen(AnalysisParameters(normalisation="align")).preparation
    provenance = preparation.provenance(cell_line=None, on_raw_vectors=on_raw_vectors)
    assert (provenance.normalisation, provenance.model_id, provenance.cell_line) == (normalisation, MODEL_ID, None)
    assert str(provenance.preprocessing) == '{"downscale": 1, "limits": "plate", "size": 16}'
