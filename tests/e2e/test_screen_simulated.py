"""`gandl screen` on a simulated screen: what was put in comes out."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from gandl.screening.run import ScreenJob, run
from gandl.simulate import preset, simulate_screen
from gandl.simulate.truth import Recovery, compare, read_truth
from gandl_analysis.pipeline.ranking import rank_compounds
from gandl_embedding.engine import Engine
from gandl_shared.schemas.screen import Progress

Run = Callable[..., "subprocess.CompletedProcess[str]"]
MODEL = Path(__file__).parents[2] / "models" / "gandl-sim5-64.onnx"


@pytest.fixture(scope="module", params=["demo", pytest.param("screen-24", marks=pytest.mark.slow)])
def recoveries(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Recovery]:
    """12 curves; slow: 24 of four replicates. docs/recovery.md has 200 compounds."""
    root = tmp_path_factory.mktemp("simulated")
    simulated = simulate_screen(root / "screen", preset(request.param), processes=2)
    progress: list[Progress] = []
    job = ScreenJob(images=simulated.images, plate_map=simulated.platemap, out=root / "out")
    analysis = run(job, Engine.load(MODEL), on_progress=progress.append)
    assert progress[-1].done == progress[-1].sites
    return compare(read_truth(simulated.truth), analysis.curves)


def test_ec50s_are_right(recoveries: list[Recovery]) -> None:
    wrong = [f"{j.truth.compound} {j.truth.cell_line}: {j.curve.ec50}" for j in recoveries if not j.is_right]
    assert len(wrong) <= 2, wrong


def test_what_is_inert_is_called_inactive(recoveries: list[Recovery]) -> None:
    inert = [j.curve.verdict for j in recoveries if j.truth.behaviour == "inert"]
    assert inert
    assert set(inert) == {"inactive"}


def test_a_poison_is_no_hit(recoveries: list[Recovery]) -> None:
    toxins = {j.truth.compound for j in recoveries if j.truth.behaviour == "toxin"}
    assert toxins
    ranked = [hit.compound for hit in rank_compounds(j.curve for j in recoveries) if hit.rank is not None]
    assert ranked
    assert not toxins & set(ranked)
