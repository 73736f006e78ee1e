"""Every cell of the example notebook runs on the output of `gandl screen`, from the first to the last."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pytest
from gandl.screening.run import ScreenJob, run
from gandl.simulate import Compound, Controls, DoseLadder, Response, ScreenDesign, simulate_screen
from gandl_embedding.engine import Engine

COMPOUNDS = (
    Compound("Rescuvir", Response(ec50_um=0.5, slope=1.5, max_rescue=0.95)),
    Compound("Inertol", Response()),
)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """The folder of a screen of one plate: two compounds, six doses, two replicates."""
    root = tmp_path_factory.mktemp("notebook")
    design = ScreenDesign(
        compounds=COMPOUNDS,
        cell_lines=("HRCE-like",),
        ladder=DoseLadder(count=6),
        replicates=2,
        replicates_per_plate=2,
        controls=Controls(positive=8, negative=8),
        size=128,
        multichannel=True,
        seed=1,
    )
    plate = simulate_screen(root / "plate", design)
    job = ScreenJob(images=plate.images, plate_map=plate.platemap, out=root / "out")
    run(job, Engine.load(repository / "models" / "gandl-sim5-64.onnx"))
    return root / "out"


def cells(notebook: Path, kind: str) -> list[str]:
    content = json.loads(notebook.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == kind]


def test_every_cell_runs(results: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANDL_RESULTS", str(results))
    monkeypatch.setattr("matplotlib.pyplot.show", lambda: None)
    mpl.use("Agg")
    names: dict[str, object] = {}
    notebook = repository / "examples" / "profiles_in_other_tools.ipynb"
    for number, source in enumerate(cells(notebook, "code"), start=1):
        exec(compile(source, f"cell {number}", "exec"), names)
    adata, replicates, curves = names["adata"], names["replicates"], names["curves"]
    assert adata.n_obs == 40  # type: ignore[attr-defined]
    assert isinstance(replicates, pd.DataFrame) and len(replicates) == 12
    assert isinstance(curves, pd.DataFrame) and set(curves.compound) == {"Rescuvir", "Inertol"}
    controls = adata.obs.groupby("Metadata_role", observed=True)["efficacy"].mean()  # type: ignore[attr-defined]
    assert controls["positive_control"] == pytest.approx(1, abs=1e-9)


def test_the_committed_outputs_are_those_of_one_run(repository: Path) -> None:
    """The outputs in the notebook are those of a run from top to bottom without an error."""
    content = json.loads((repository / "examples" / "profiles_in_other_tools.ipynb").read_text(encoding="utf-8"))
    code = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert all(output["output_type"] != "error" for cell in code for output in cell["outputs"])
