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


def test_what_was_put_in_comes_out(recoveries: list[Recovery]) -> None:
    """One test, because each process of the tests would simulate and screen the plate again for another."""
    wrong = [f"{r.truth.compound} {r.truth.cell_line}: {r.curve.ec50}" for r in recoveries if not r.is_right]
    assert len(wrong) <= 2, wrong
    inert = [r.curve.verdict for r in recoveries if r.truth.behaviour == "inert"]
    assert inert
    assert set(inert) == {"inactive"}
    toxins = {r.truth.compound for r in recoveries if r.truth.behaviour == "toxin"}
    ranked = {hit.compound for hit in rank_compounds(r.curve for r in recoveries) if hit.rank is not None}
    assert toxins
    assert ranked
    assert not toxins & ranked
