"""`gandl screen` on a simulated screen: what was put in comes out."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from gandl.screening import ScreenJob, run
from gandl.simulate import preset, simulate_screen
from gandl.truth import Judged, judge, read_truth
from gandl_analysis.pipeline.ranking import rank_compounds
from gandl_embedding.engine import Engine
from gandl_shared.schemas.screen import Progress, ScreenRequest

Run = Callable[..., "subprocess.CompletedProcess[str]"]
MODEL = Path(__file__).parents[2] / "models" / "gandl-sim5-64.onnx"


@pytest.fixture(scope="module", params=["demo", pytest.param("screen-24", marks=pytest.mark.slow)])
def judged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Judged]:
    """12 curves; slow: 24 of four replicates. docs/recovery.md has 200 compounds."""
    root = tmp_path_factory.mktemp("simulated")
    simulated = simulate_screen(root / "screen", preset(request.param), processes=2)
    seen: list[Progress] = []
    asked = ScreenRequest(images=str(simulated.images), plate_map=str(simulated.platemap))
    job = ScreenJob(asked, simulated.images, simulated.platemap, root / "out")
    analysis = run(job, Engine.load(MODEL), on_progress=seen.append, on_step=lambda _: None)
    assert seen[-1].done == seen[-1].sites
    return judge(read_truth(simulated.truth), analysis.curves)


def test_ec50s_are_found(judged: list[Judged]) -> None:
    wrong = [f"{j.truth.compound} {j.truth.cell_line}: {j.curve.ec50}" for j in judged if not j.right]
    assert len(wrong) <= 2, wrong


def test_what_is_inert_is_called_inactive(judged: list[Judged]) -> None:
    inert = [j.curve.verdict for j in judged if j.truth.behaviour == "inert"]
    assert inert
    assert set(inert) == {"inactive"}


def test_a_poison_is_no_hit(judged: list[Judged]) -> None:
    toxins = {j.truth.compound for j in judged if j.truth.behaviour == "toxin"}
    assert toxins
    ranked = [hit.compound for hit in rank_compounds(j.curve for j in judged) if hit.rank is not None]
    assert ranked
    assert not toxins & set(ranked)
