"""Everything that is wrong with a plate job is said before anything of it is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tifffile
from gandl_shared.errors import BadInput, GandlError, Invalid, InvalidImage, NotFound
from gandl_shared.imaging import sampled_limits
from gandl_shared.jobs import ScreenPlan, plan_screen
from gandl_shared.jobs.plan import sites_per_batch
from gandl_shared.models import ModelCard
from gandl_shared.plates import find_sites
from gandl_shared.schemas.limits import IntensityLimits
from gandl_shared.schemas.screen import ScreenRequest
from gandl_shared.testing import Layout, PlateFolder, fake_card, write_plate


@dataclass(frozen=True)
class Case:
    folder: PlateFolder
    card: ModelCard

    def plan(self, max_headers: int | None = None, **choices: object) -> ScreenPlan:
        request = ScreenRequest.model_validate({"images": "plate", "plate_map": "map.csv", **choices})
        return plan_screen(
            request,
            images=self.folder.images,
            plate_map=self.folder.plate_map,
            card=self.card,
            model_id="1" * 64,
            max_headers=max_headers,
        )

    def problems(self, **choices: object) -> list[tuple[str | None, str]]:
        with pytest.raises(Invalid) as caught:
            self.plan(**choices)  # type: ignore[arg-type]
        return [(p.file, p.detail) for p in caught.value.problems]


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """Two plates of 12 wells, two channels in files of their own."""
    return Case(write_plate(tmp_path, Layout(plates=("P1", "P2"))), fake_card())


def test_a_good_job(case: Case) -> None:
    plan = case.plan()
    assert plan.headers == 48
    assert plan.screen.name == "Images"
    assert [(s.plate, s.well) for s in plan.sites] == [(w.plate, w.well) for w in case.folder.plate_map.wells]
    assert (plan.screen.model.name, plan.screen.model.id, plan.screen.model.size) == ("fake", "1" * 64, 16)


def test_limits_are_each_plates_own_percentiles(case: Case) -> None:
    plan = case.plan()
    for plate in ("P1", "P2"):
        files = [s.files for s in find_sites(case.folder.images, case.folder.plate_map) if s.plate == plate]
        expected = sampled_limits(files, downscale=1)
        assert plan.screen.limits[plate] == IntensityLimits(low=expected.low, high=expected.high)
    assert plan.screen.limits["P1"] != plan.screen.limits["P2"]


def test_limits_of_the_card_and_explicit_ones(case: Case) -> None:
    assert case.plan(limits="card").screen.limits["P2"] == IntensityLimits(low=(0, 0), high=(255, 255))
    explicit = {"low": [1, 2], "high": [3, 4]}
    assert case.plan(limits=explicit).screen.limits["P1"] == IntensityLimits(low=(1, 2), high=(3, 4))
    (problem,) = case.problems(limits={"low": [1], "high": [3]})
    assert "limits for 1 channels; model fake takes 2 (c1, c2)" in problem[1]


def test_limits_of_the_card_that_do_not_fit_a_plate_are_refused_unless_that_is_allowed(case: Case) -> None:
    for path in (case.folder.images / "P2").iterdir():
        tifffile.imwrite(path, tifffile.imread(path).astype(np.uint16) * 16)
    (problem,) = case.problems(limits="card")
    assert "plate P2" in problem[1] and "of channel c1" in problem[1] and "12 bit" in problem[1]
    assert "--limits plate" in problem[1] and "--allow-clipping" in problem[1]
    screen = case.plan(limits="card", allow_clipping=True).screen
    assert {plate: measured.bits for plate, measured in screen.intensities.items()} == {"P1": 8, "P2": 12}
    assert screen.intensities["P2"].channels[0].above > 0.5
    assert case.plan(limits="plate").screen.intensities["P2"].channels[0].clipped < 0.01


def test_all_broken_files_are_named_at_once(case: Case) -> None:
    cut, text, empty = (case.folder.image(well) for well in ("A01", "B02", "C03"))
    cut.write_bytes(cut.read_bytes()[:-100])
    text.write_text("this is not an image")
    empty.write_bytes(b"")
    problems = case.problems()
    assert [file for file, _ in problems] == ["P1/A01_s1_w1.tif", "P1/B02_s1_w1.tif", "P1/C03_s1_w1.tif"]
    assert "truncated" in problems[0][1]


def test_a_missing_image_is_named(case: Case) -> None:
    case.folder.image("A02", plate="P2").unlink()
    with pytest.raises(Invalid, match=r"A02.*lacks channel 1"):
        case.plan()


def test_images_that_do_not_fit_the_model(case: Case) -> None:
    other = Case(case.folder, fake_card(3))
    assert len(other.problems()) == 24
    assert "2 files per site, but model fake takes 3 (c1, c2, c3)" in other.problems()[0][1]
    large = Case(case.folder, fake_card(2, size=24, downscale=2))
    assert "32×32 pixels; model fake needs 48×48" in large.problems()[0][1]
    tifffile.imwrite(case.folder.image("A01"), np.zeros((2, 32, 32), np.uint8))
    assert case.problems() == [("P1/A01_s1_w1.tif", "the image has 2 channels; model fake takes one channel per file")]


def test_one_file_of_all_channels(tmp_path: Path) -> None:
    folder = write_plate(tmp_path, Layout(channels=1, columns=2, rows="A"))
    for well in ("A01", "A02"):
        stacked = np.random.default_rng(0).integers(0, 255, (2, 32, 32)).astype(np.uint8)
        tifffile.imwrite(folder.image(well), stacked)
    assert Case(folder, fake_card()).plan().headers == 2
    assert "model fake takes 3 (c1, c2, c3)" in Case(folder, fake_card(3)).problems()[0][1]


def test_channels_of_a_site_must_be_alike(case: Case) -> None:
    tifffile.imwrite(case.folder.image("A01", channel=2), np.zeros((32, 40), np.uint16))
    ((file, detail),) = case.problems()
    assert (file, detail) == ("P1/A01_s1_w2.tif", "32×40 uint16, but P1/A01_s1_w1.tif is 32×32 uint8")


def test_channels_can_be_chosen(case: Case) -> None:
    plan = Case(case.folder, fake_card(1)).plan(channels=["2"])
    assert plan.sites[0].names == ("P1/A01_s1_w2.tif",)
    with pytest.raises(BadInput, match="channel '9'"):
        case.plan(channels=["9"])


def test_at_most_so_many_headers_are_read_spread_over_the_screen(case: Case) -> None:
    middle, last = case.folder.image("B02"), case.folder.image("D03", plate="P2")
    middle.write_text("no image")
    assert case.plan(10, limits="card").headers == 10
    last.write_text("no image")
    with pytest.raises(Invalid) as caught:
        case.plan(4, limits="card")
    assert [p.file for p in caught.value.problems] == ["P2/D03_s1_w1.tif"]


def test_damage_that_only_decoding_shows_does_not_stop_the_plan(case: Case) -> None:
    whole = np.random.default_rng(0).integers(0, 255, (32, 32)).astype(np.uint8)
    for path in sorted((case.folder.images / "P1").iterdir())[:3]:
        tifffile.imwrite(path, whole, compression="zlib")
        content = bytearray(path.read_bytes())
        with tifffile.TiffFile(path) as tiff:
            start = tiff.pages[0].dataoffsets[0]
        content[start : start + 200] = b"\xff" * 200
        path.write_bytes(content)
    plan = case.plan()
    assert set(plan.screen.limits) == {"P1", "P2"}


def test_a_plate_of_which_no_image_can_be_decoded_is_refused(tmp_path: Path) -> None:
    case = Case(write_plate(tmp_path, Layout(rows="A", columns=2)), fake_card())
    for path in (case.folder.images / "P1").iterdir():
        tifffile.imwrite(path, np.full((32, 32), np.nan, np.float32))
    with pytest.raises(InvalidImage, match="NaN"):
        case.plan()


@pytest.mark.parametrize(("make", "error"), [("missing", NotFound), ("empty", BadInput), ("file", BadInput)])
def test_folders_without_images(case: Case, tmp_path: Path, make: str, error: type[GandlError]) -> None:
    folder = tmp_path / make
    if make == "empty":
        folder.mkdir()
    elif make == "file":
        folder.write_text("x")
    request = ScreenRequest(images=make, plate_map="map.csv")
    with pytest.raises(error, match=make):
        plan_screen(request, images=folder, plate_map=case.folder.plate_map, card=case.card, model_id="1" * 64)


@pytest.mark.parametrize(("sites", "expected"), [(1, 8), (96, 8), (800, 8), (2_000, 20), (6_400, 64), (305_520, 64)])
def test_batches_grow_with_the_screen_within_limits(sites: int, expected: int) -> None:
    assert sites_per_batch(sites) == expected
