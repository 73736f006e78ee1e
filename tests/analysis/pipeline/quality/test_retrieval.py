"""Replicates and mechanisms of action find each other where they are alike, under each restriction."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gandl_analysis.formats.profiles.read import TableOptions, read_profile_table
from gandl_analysis.formats.tables.wells import RETRIEVAL_COLUMNS, retrieval_csv
from gandl_analysis.pipeline.analyse import analyse
from gandl_analysis.pipeline.inputs import ScreenInput
from gandl_analysis.pipeline.quality.retrieval import retrieval_probes
from gandl_analysis.report.checks import checks_of
from gandl_shared.plates import Role
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.quality import RetrievalProbe

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


def rows(screen: ScreenInput, normalisation: str) -> dict[str, RetrievalProbe]:
    parameters = AnalysisParameters.model_validate({"normalisation": normalisation})
    (probes,) = retrieval_probes(replace(screen, parameters=parameters)).values()
    return {probe.restriction: probe for probe in probes}


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
    for probe in results.values():
        assert (probe.map or 0) > (probe.chance or 1)
    assert results["none"].queries == 36
    mechanisms = results["not the same compound and batch"]
    assert mechanisms.queries == 12
    assert (mechanisms.recall_at_1 or 0) > (mechanisms.chance or 1)


def test_without_mechanisms_only_replicates_are_listed(screen: ScreenInput) -> None:
    wells = [replace(w, metadata={}) for w in screen.wells]
    (probes,) = retrieval_probes(replace(screen, wells=wells)).values()
    assert {probe.task for probe in probes} == {"replicates"}


def test_one_plate_has_no_result_on_other_plates(screen: ScreenInput) -> None:
    wells = [w for w in screen.wells if w.plate == "BR1"]
    (probes,) = retrieval_probes(replace(screen, wells=wells)).values()
    alone = next(probe for probe in probes if probe.restriction == "not the same plate")
    assert (alone.queries, alone.map, alone.recall_at_1, alone.chance) == (0, None, None, None)


def test_an_analysis_has_the_protocols_that_it_asks_for(screen: ScreenInput) -> None:
    parameters = AnalysisParameters(retrieval=True)
    analysis = analyse(replace(screen, parameters=parameters)).analysis
    header, first, *others = retrieval_csv(analysis.quality).splitlines()
    assert header == ",".join(RETRIEVAL_COLUMNS)
    assert first.startswith("unspecified,replicates,none,36,")
    assert len(others) == 4
    (check,) = [c for c in checks_of(analysis.quality, "unspecified") if c.question.startswith("Do wells find")]
    assert "replicates, left out: not the same plate: mean average precision" in check.answer
