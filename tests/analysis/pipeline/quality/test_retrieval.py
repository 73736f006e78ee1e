"""Replicates and mechanisms of action find each other where they are alike, under each restriction."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gandl_analysis.formats.csv_tables import RETRIEVAL_COLUMNS, retrieval_csv
from gandl_analysis.formats.profiles.read import TableOptions, read_profile_table
from gandl_analysis.pipeline.inputs import ScreenInput
from gandl_analysis.pipeline.quality.retrieval import RetrievalRow, retrieval_rows
from gandl_shared.plates import Role
from gandl_shared.schemas.analysis import AnalysisParameters

from tests.analysis.formats.profiles.tables import profiles


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> ScreenInput:
    """Two plates on which doses of one compound are named as compounds; the three highest doses share a mechanism."""
    path = tmp_path_factory.mktemp("tables") / "p.parquet"
    profiles().to_parquet(path)
    table = read_profile_table(path, AnalysisParameters(), TableOptions()).screen
    wells = [
        replace(
            w,
            compound=f"Cmp{w.concentration_um:g}",
            metadata={"Metadata_moa": "inhibitor" if (w.concentration_um or 0) >= 1 else "none"},
        )
        if w.role is Role.TREATMENT
        else w
        for w in table.wells
    ]
    return replace(table, wells=wells)


def rows(screen: ScreenInput, normalisation: str) -> dict[str, RetrievalRow]:
    parameters = AnalysisParameters.model_validate({"normalisation": normalisation})
    return {row.restriction: row for row in retrieval_rows(replace(screen, parameters=parameters))}


@pytest.mark.parametrize("normalisation", ["none", "pca_mad"])
def test_wells_and_mechanisms_are_retrieved_better_than_by_chance(screen: ScreenInput, normalisation: str) -> None:
    results = rows(screen, normalisation)
    assert list(results) == [
        "none",
        "not the same plate",
        "not the same well position",
        "not the same compound",
        "not the same compound and batch",
    ]
    for row in results.values():
        assert row.result is not None
        assert row.result.mean_average_precision > row.result.chance
    assert results["none"].result is not None
    assert results["none"].result.queries == 36
    mechanisms = results["not the same compound and batch"].result
    assert mechanisms is not None
    assert mechanisms.queries == 12
    assert mechanisms.recall_at_1 > mechanisms.chance


def test_without_mechanisms_only_replicates_are_listed(screen: ScreenInput) -> None:
    wells = [replace(w, metadata={}) for w in screen.wells]
    assert {row.task for row in retrieval_rows(replace(screen, wells=wells))} == {"replicates"}


def test_one_plate_has_no_result_on_other_plates(screen: ScreenInput) -> None:
    wells = [w for w in screen.wells if w.plate == "BR1"]
    row = {r.restriction: r for r in retrieval_rows(replace(screen, wells=wells))}["not the same plate"]
    assert row.result is None
    header, line = retrieval_csv([row]).splitlines()
    assert header == ",".join(RETRIEVAL_COLUMNS)
    assert line == "unspecified,replicates,not the same plate,0,,,"
