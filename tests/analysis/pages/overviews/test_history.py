"""Values of several screens in the order of time."""

from __future__ import annotations

from statistics import fmean

import pytest
from gandl_analysis.pages.overviews.history import ScreenRecord, control_charts, repeated_compounds, screen_record
from gandl_shared.schemas.screen import ScreenState
from gandl_shared.schemas.vocabulary import Role

from tests.analysis.example.screen import example_analysis
from tests.analysis.pages.example_reader import screen_status

ANALYSIS = example_analysis()
STATUS = screen_status("one", ScreenState.DONE, version=1)
RECORD = screen_record(STATUS, ANALYSIS, "HRCE")


def with_ec50(**values: float) -> ScreenRecord:
    return ScreenRecord(screen="s", name="s", plates=(), ec50_um=values)


def test_a_record_has_the_metrics_of_its_plates_and_estimates_only() -> None:
    assert [plate.plate for plate in RECORD.plates] == ["HRCE-1", "HRCE-2", "HRCE-3", "HRCE-4"]
    first = RECORD.plates[0]
    assert first.z_prime == ANALYSIS.quality.plates["HRCE-1"].z_prime
    wells = [w for w in ANALYSIS.wells if w.plate == "HRCE-1" and w.role is Role.POSITIVE and w.efficacy is not None]
    assert first.positive == pytest.approx(fmean(w.efficacy or 0.0 for w in wells))
    assert RECORD.ec50_um["Remdesivir"] == 0.12
    assert not {"Nelfinavir mesylate", "Pacritinib", "Bortezomib"} & set(RECORD.ec50_um)


def test_charts_need_enough_values_for_limits() -> None:
    few, many = control_charts([RECORD], "Remdesivir"), control_charts([RECORD, RECORD], None)
    assert [len(chart.values) for chart in few] == [4, 4, 4, 4, 1]
    assert all(chart.limits is None for chart in few)
    assert [len(chart.values) for chart in many] == [8, 8, 8, 8]
    assert all(chart.limits is not None for chart in many)
    assert control_charts([RECORD], "unknown")[-1].title != "EC50 of unknown (µM)"


def test_compounds_differ_only_beyond_the_ratio() -> None:
    steady = {f"c{k}": 1.0 + 0.1 * k for k in range(8)}
    records = [with_ec50(**steady, shifted=1.0), with_ec50(**{k: v * 1.02 for k, v in steady.items()}, shifted=40.0)]
    ratio, compounds = repeated_compounds(records)
    assert ratio is not None
    assert compounds[0].compound == "shifted"
    assert {c.compound: c.differs for c in compounds[1:]} == dict.fromkeys(steady, False)
    few, undecided = repeated_compounds([with_ec50(a=1.0), with_ec50(a=100.0)])
    assert few is None
    assert [compound.differs for compound in undecided] == [None]
