"""A screen in one process: everything is checked first, and a failure leaves nothing behind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from gandl.screening.run import WORK_FOLDER, ScreenJob, check_output_folder, run
from gandl_shared.errors import BadInput, Invalid
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.screen import Progress
from gandl_shared.testing import FakeEmbedder, Layout, PlateFolder, fake_card, write_plate

from tests.cli.command_line import Gandl

FILES = {
    "axes",
    "dose_response.csv",
    "dose_response_covariances.csv",
    "dose_response_lines.csv",
    "dose_response_wells.csv",
    "embeddings.parquet",
    "images.parquet",
    "quality.json",
    "report.html",
    "sites.csv",
    "thumbnails.parquet",
    "wells.csv",
}


@pytest.fixture
def plate(tmp_path: Path) -> PlateFolder:
    return write_plate(tmp_path / "plate", Layout(rows="ABCD", columns=6))


def job_of(plate: PlateFolder, out: Path) -> ScreenJob:
    return ScreenJob(images=plate.images, plate_map=plate.platemap, out=out, name="s", limits="card")


def embedder() -> FakeEmbedder:
    return FakeEmbedder(fake_card(features=8))


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_all_files_are_written_and_the_work_folder_is_removed(plate: PlateFolder, tmp_path: Path) -> None:
    steps: list[str] = []
    progress: list[Progress] = []
    analysis = run(job_of(plate, tmp_path / "out"), embedder(), on_progress=progress.append, on_step=steps.append)
    assert names(tmp_path / "out") == FILES
    assert len(analysis.wells) == 24
    assert (progress[-1].done, progress[-1].sites) == (24, 24)
    assert steps == ["checking images", "embedding", "analysing", "writing"]


def test_the_request_says_the_same_as_the_job(plate: PlateFolder, tmp_path: Path) -> None:
    parameters = AnalysisParameters(seed=9)
    job = replace(job_of(plate, tmp_path), pattern="gandl", channels=("1", "2"), parameters=parameters)
    request = job.request
    assert (request.name, request.pattern, request.channels, request.limits) == ("s", "gandl", ("1", "2"), "card")
    assert (request.images, request.plate_map) == (str(plate.images), str(plate.platemap))
    assert request.analysis == parameters


def test_axes_that_cannot_be_fitted_are_refused_before_embedding(plate: PlateFolder, tmp_path: Path) -> None:
    axis = {"name": "a", "positive": {"compound": ["Y"]}, "negative": {"role": ["negative_control"]}}
    job = replace(job_of(plate, tmp_path / "out"), parameters=AnalysisParameters.model_validate({"axes": [axis]}))
    fake = embedder()
    with pytest.raises(Invalid, match="0 wells have compound in"):
        run(job, fake)
    assert fake.calls == 0
    assert not (tmp_path / "out").exists()


def test_a_failure_removes_a_new_folder(plate: PlateFolder, tmp_path: Path) -> None:
    def fail(_step: str) -> None:
        if _step == "analysing":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(job_of(plate, tmp_path / "out"), embedder(), on_step=fail)
    assert not (tmp_path / "out").exists()


def test_a_failure_leaves_an_old_folder_as_it_was(plate: PlateFolder, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / WORK_FOLDER).mkdir(parents=True)  # as a killed run leaves it
    (out / "notes.txt").write_text("of the user")

    def fail(step: str) -> None:
        if step == "writing":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(job_of(plate, out), embedder(), on_step=fail)
    assert names(out) == {"notes.txt"}


def test_an_output_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(BadInput, match="out is a file; give a folder to write to"):
        check_output_folder(tmp_path / "out")
    check_output_folder(tmp_path)
    check_output_folder(tmp_path / "new")


def test_analysed_again_with_the_same_parameters_it_is_the_same(
    plate: PlateFolder, tmp_path: Path, gandl: Gandl
) -> None:
    parameters = AnalysisParameters(normalisation="standardise", whitening="none", seed=5)
    run(replace(job_of(plate, tmp_path / "out"), parameters=parameters), embedder())
    (tmp_path / "p.json").write_text(parameters.model_dump_json())
    options = ["--parameters", tmp_path / "p.json", "--out", tmp_path / "again"]
    assert gandl("analyse", tmp_path / "out", *options).code == 0
    for path in (tmp_path / "out").rglob("*.*"):
        assert (tmp_path / "again" / path.relative_to(tmp_path / "out")).read_bytes() == path.read_bytes()
