"""The files of a simulated screen: complete or absent, the same bytes for a seed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from gandl.simulate import Effects, SimulatedScreen, simulate_screen
from gandl_shared.errors import Conflict, GandlError
from gandl_shared.imaging import read_header, read_site
from gandl_shared.plates import find_sites, read_plate_map

from tests.cli.simulate.tiny import TINY, digests, read_rows


@pytest.fixture(scope="module")
def counts() -> list[tuple[int, int]]:
    """What was told while `tiny` was simulated."""
    return []


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory, counts: list[tuple[int, int]]) -> SimulatedScreen:
    """TINY by one process, in an empty folder that was there before."""
    folder = tmp_path_factory.mktemp("tiny") / "s"
    folder.mkdir()
    return simulate_screen(folder, TINY, processes=1, on_progress=lambda *progress: counts.append(progress))


def test_same_seed_same_bytes_whatever_the_number_of_processes(tiny: SimulatedScreen, tmp_path: Path) -> None:
    one = tiny
    two = simulate_screen(tmp_path / "two", TINY, processes=2)
    other = simulate_screen(tmp_path / "other", TINY, seed=6)
    assert one.files == two.files == 96 * 5
    assert digests(one.folder) == digests(two.folder)
    same = digests(one.folder).items() & digests(other.folder).items()
    assert {name for name, _ in same} == {"truth.csv"}


def test_the_files_are_what_a_screen_reads(tmp_path: Path) -> None:
    screen = simulate_screen(tmp_path / "s", replace(TINY, sites=2, bits=8))
    wells = read_plate_map(screen.platemap)
    sites = find_sites(screen.images, wells)
    assert len(sites) == 2 * len(wells.used) == 2 * (4 + 4 + 2 * 3)
    assert read_site(sites[0].files).shape == (5, 64, 64)
    assert read_header(sites[0].files[0]).dtype == "uint8"
    assert {site.well for site in sites} == {well.well for well in wells.used}


def test_one_tiff_a_site_holds_the_same_pixels(tiny: SimulatedScreen, tmp_path: Path) -> None:
    joined = simulate_screen(tmp_path / "joined", replace(TINY, multichannel=True))
    name = "VERO-like-1/A01_s1"
    files = [tiny.images / f"{name}_w{c}.tif" for c in range(1, 6)]
    assert (read_site(files) == read_site([joined.images / f"{name}.tif"])).all()
    assert joined.files == 96


def test_an_existing_folder_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "keep.txt").write_text("mine")
    with pytest.raises(Conflict, match="not an empty folder") as caught:
        simulate_screen(tmp_path, TINY)
    assert caught.value.exit_code == 2
    assert digests(tmp_path).keys() == {"keep.txt"}


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail(done: int, total: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(GandlError, match="No space left"):
        simulate_screen(tmp_path / "s", TINY, on_progress=fail)
    assert list(tmp_path.iterdir()) == []


def test_progress_counts_every_well(tiny: SimulatedScreen, counts: list[tuple[int, int]]) -> None:
    assert counts == [(k, 96) for k in range(1, 97)]


def test_empty_wells_are_imaged_without_cells(tmp_path: Path) -> None:
    screen = simulate_screen(tmp_path / "s", replace(TINY, effects=Effects().scaled(0)))
    brightest: dict[str, list[float]] = {"empty": [], "positive_control": []}
    for well in read_rows(screen.platemap):
        if well["role"] in brightest:
            nuclei = read_site([screen.images / well["plate"] / f"{well['well']}_s1_w1.tif"])
            brightest[well["role"]].append(float(nuclei.max()))
    assert max(brightest["empty"]) < 0.2 * min(brightest["positive_control"])


def test_an_empty_folder_is_filled(tiny: SimulatedScreen) -> None:
    assert tiny.files == 96 * 5
    assert [p.name for p in tiny.folder.parent.iterdir()] == ["s"]
