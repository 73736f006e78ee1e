"""The output folder: all files together, old axes away, and files of the user left alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gandl_analysis.formats import output_folder
from gandl_analysis.formats.output_folder import POTENCY, read_folder_thumbnails, write_files
from gandl_analysis.pipeline.analyse import analyse
from gandl_analysis.pipeline.inputs import ScreenInput
from gandl_analysis.pipeline.result import Analysed
from gandl_shared.plates import SiteId
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.curve import CurveChoice
from gandl_shared.store import GreyPicture, Thumbnail
from gandl_shared.testing import fake_card

from tests.analysis.simulated_screens import Simulated

FILES = [
    "axes",
    "dose_response.csv",
    "dose_response_covariances.csv",
    "dose_response_lines.csv",
    "dose_response_wells.csv",
    "embeddings.parquet",
    "quality.json",
    "report.html",
    "sites.csv",
    "wells.csv",
]


@pytest.fixture(scope="module")
def screen() -> ScreenInput:
    return Simulated().screen()


@pytest.fixture(scope="module")
def analysed(screen: ScreenInput) -> Analysed:
    return analyse(screen)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_all_files_are_written_and_nothing_else(analysed: Analysed, screen: ScreenInput, tmp_path: Path) -> None:
    write_files(analysed, screen.profiles, tmp_path / "out")
    assert names(tmp_path / "out") == FILES
    assert names(tmp_path / "out" / "axes") == ["E2-U2OS.npz"]


def test_axes_of_an_earlier_run_are_deleted_and_other_files_stay(
    analysed: Analysed, screen: ScreenInput, tmp_path: Path
) -> None:
    earlier = replace(analysed, fits={"E2-HRCE": analysed.fits["E2-U2OS"]})
    write_files(earlier, screen.profiles, tmp_path)
    (tmp_path / "axes" / "notes.npz").write_bytes(b"of the user")
    (tmp_path / "notes.txt").write_text("of the user")
    write_files(analysed, screen.profiles, tmp_path)
    assert names(tmp_path / "axes") == ["E2-U2OS.npz", "notes.npz"]
    assert names(tmp_path) == sorted([*FILES, "notes.txt"])


def test_a_failure_leaves_the_old_files_and_axes(
    analysed: Analysed, screen: ScreenInput, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = replace(analysed, fits={"E2-HRCE": analysed.fits["E2-U2OS"]})
    write_files(earlier, screen.profiles, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def fail(*_: object) -> str:
        raise RuntimeError("the report cannot be drawn")

    monkeypatch.setattr(output_folder, "render_report", fail)
    with pytest.raises(RuntimeError, match="cannot be drawn"):
        write_files(analysed, screen.profiles, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_thumbnails_are_a_file_of_the_folder_and_the_tiles_of_the_report(
    analysed: Analysed, screen: ScreenInput, tmp_path: Path
) -> None:
    picture = GreyPicture.of(np.full((2, 16, 16), 90, np.uint8))
    thumbnails = [
        Thumbnail(site=site, key="k", height=16, width=16, y=0, x=0, field=picture, tile=picture)
        for site in dict.fromkeys(SiteId(s.plate, s.well, s.site) for s in analysed.sites)
    ]
    card = fake_card(channels=2)
    provenance = analysed.analysis.provenance.model_copy(update={"model": card})
    with_card = replace(analysed, analysis=analysed.analysis.model_copy(update={"provenance": provenance}))
    write_files(with_card, screen.profiles, tmp_path, thumbnails=lambda: iter(thumbnails))
    assert names(tmp_path) == sorted([*FILES, "thumbnails.parquet"])
    assert list(read_folder_thumbnails(tmp_path)) == thumbnails
    assert (tmp_path / "report.html").read_text().count('<img src="data:image/webp;base64,') == len(
        analysed.analysis.curves
    )
    assert read_folder_thumbnails(tmp_path / "axes") == ()


def test_files_of_an_earlier_analysis_go_where_this_one_does_not_write_them(
    analysed: Analysed, screen: ScreenInput, tmp_path: Path
) -> None:
    parameters = AnalysisParameters(curves=CurveChoice(reference="X"))
    provenance = analysed.analysis.provenance.model_copy(update={"parameters": parameters})
    related = replace(analysed, analysis=analysed.analysis.model_copy(update={"provenance": provenance}))
    write_files(related, screen.profiles, tmp_path)
    assert (tmp_path / POTENCY).read_text().startswith("cell_line,reference,compound,ratio")
    (tmp_path / "thumbnails.parquet").write_bytes(b"of an earlier screen")
    (tmp_path / "retrieval.csv").write_text("cell_line,task,restriction,queries,map,recall_at_1,chance\n")
    (tmp_path / "features.csv").write_text("feature,column,left_out,missing_share,centre,spread\n")
    write_files(analysed, screen.profiles, tmp_path)
    assert names(tmp_path) == FILES
    (tmp_path / "features.csv").write_text("of the user")
    write_files(analysed, screen.profiles, tmp_path)
    assert names(tmp_path) == sorted([*FILES, "features.csv"])
