"""Pixels at full resolution are those that the worker prepared, in whatever form the files hold them."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import tifffile
from gandl_analysis.figures.pixels.colours import RGB, Colour, PictureChannel
from gandl_analysis.service.pixels import images
from gandl_analysis.service.pixels.images import ImageRequest, SiteImages
from gandl_analysis.service.pixels.requests import Crop, view_of
from gandl_analysis.service.pixels.subjects import ScreenSubject, Subjects
from gandl_shared.db import Database, ModelUse, ScreenRecord, SiteRecord
from gandl_shared.errors import Forbidden, Full, Invalid, TooLarge
from gandl_shared.imaging import prepare_field, read_site
from gandl_shared.plates import Site, SiteId
from gandl_shared.schemas.choice import Reduction
from gandl_shared.schemas.image_layout import ImageLayout
from gandl_shared.schemas.limits import IntensityLimits
from gandl_shared.schemas.screen import ScreenRequest, ScreenState
from gandl_shared.store import Store
from gandl_shared.testing import ome_tiff
from gandl_worker.sites import SiteTiles, load
from PIL import Image

LIMITS = IntensityLimits(low=(100.0, 0.0), high=(60_000.0, 50_000.0))
PIXELS = np.random.default_rng(1000).integers(0, 65_535, (3, 40, 48), np.uint16)
CHANNELS = tuple(PictureChannel(number=n, name=f"c{n}", stain=None, colour=RGB[Colour.GREEN]) for n in (1, 2))


@dataclass
class OneSite(Subjects):
    """A screen with one site, without a database."""

    root: Path
    record: SiteRecord | None = field(default=None)

    def __post_init__(self) -> None:
        super().__init__(Database.__new__(Database), Store(self.root), self.root)

    def site(self, screen_id: str, site: SiteId) -> SiteRecord:
        assert self.record is not None
        return self.record


def subject(folder: Path, reduction: Reduction = Reduction.NONE) -> ScreenSubject:
    record = ScreenRecord(
        id="s",
        name="s",
        state=ScreenState.DONE,
        images=folder,
        model=ModelUse(name="m", id="0" * 64, size=16, downscale=1),
        request=ScreenRequest(images="images", plate_map="map.csv"),
        limits={"P": LIMITS},
        layout=ImageLayout(layout="l", channels=(), channel_order="", reduction=reduction),
        error=None,
        analysis_version=None,
    )
    return ScreenSubject(record=record, channels=CHANNELS)


def write_site(folder: Path, form: str) -> Site:
    """Write two channels in one of the forms in which files hold them."""
    names: tuple[str, ...] = ("a.tif", "b.tif")
    planes: tuple[int, ...] = ()
    if form == "one file for all channels":
        names = ("all.ome.tif",)
        (folder / names[0]).write_bytes(ome_tiff(PIXELS[:2]))
    elif form == "png":
        names = ("a.png", "b.png")
        for name, channel in zip(names, PIXELS, strict=False):
            Image.fromarray(channel).save(folder / name)
    elif form == "focal planes":
        names, planes = ("a.tif", "z.tif", "b.tif"), (2, 1)
        for name, channel in zip(names, PIXELS, strict=True):
            tifffile.imwrite(folder / name, channel)
    else:
        for name, channel in zip(names, PIXELS, strict=False):
            tifffile.imwrite(folder / name, channel)
    return Site(plate="P", well="A01", site="1", root=folder, names=names, planes=planes)


@pytest.mark.parametrize("form", ["one file per channel", "one file for all channels", "png", "focal planes"])
def test_the_pixels_are_those_that_the_worker_prepared(tmp_path: Path, form: str) -> None:
    site = write_site(tmp_path, form)
    reduction = Reduction.MAX if form == "focal planes" else Reduction.NONE
    screen = subject(tmp_path, reduction)
    preparation = screen.preprocessing("P")
    loaded = load(site, preparation, screen.record.model.id, None)
    assert isinstance(loaded, SiteTiles)
    door = SiteImages(OneSite(tmp_path, SiteRecord(site=site, batch=0, key=loaded.key, error=None)))
    expected = prepare_field(read_site(site.stacks, reduction), preparation)
    for number in (1, 2):
        request = ImageRequest(view=view_of(CHANNELS, [str(number)]))
        picture = door.picture(screen, site.id, request)
        np.testing.assert_array_equal(_pixels(picture.render()), expected[number - 1])
    assert door.shape(screen, site) == (40, 48)


def test_a_part_is_cut_before_it_is_halved_and_must_be_inside(tmp_path: Path) -> None:
    site = write_site(tmp_path, "one file per channel")
    door = SiteImages(OneSite(tmp_path))
    part = door.field(subject(tmp_path), site, "k", [1], Crop(x=5, y=3, width=6, height=4), 1)
    np.testing.assert_allclose(part[0], PIXELS[1, 3:7, 5:11].reshape(2, 2, 3, 2).mean(axis=(1, 3)), rtol=1e-6)
    with pytest.raises(Invalid, match="48 pixels wide and 40 high"):
        door.field(subject(tmp_path), site, "k", [1], Crop(x=40, y=0, width=9, height=1), 0)


def test_more_pixels_than_allowed_are_refused_before_they_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = write_site(tmp_path, "one file per channel")
    monkeypatch.setattr(images, "MAX_SOURCE_PIXELS", 40 * 48 - 1)
    with pytest.raises(TooLarge, match="use its thumbnail"):
        SiteImages(OneSite(tmp_path)).content_key(
            subject(tmp_path), SiteRecord(site=site, batch=0, key=None, error=None)
        )
    monkeypatch.setattr(images, "MAX_SOURCE_PIXELS", 40 * 48)
    monkeypatch.setattr(images, "MAX_PICTURE_PIXELS", 100)
    with pytest.raises(TooLarge, match="take a higher level"):
        SiteImages(OneSite(tmp_path)).field(subject(tmp_path), site, "k", [0], None, 0)


def test_many_clients_at_once_wait_and_are_then_told_to_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = write_site(tmp_path, "one file per channel")
    door = SiteImages(OneSite(tmp_path))
    monkeypatch.setattr(images, "_PATIENCE", 0.01)
    with door._decoding(), door._decoding(), pytest.raises(Full, match="try again"):
        door.field(subject(tmp_path), site, "k", [0], None, 0)
    assert door.field(subject(tmp_path), site, "k", [0], None, 0).shape == (1, 40, 48)


def test_a_folder_outside_the_root_is_forbidden(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    site = write_site(folder, "one file per channel")
    (tmp_path / "root").mkdir()
    with pytest.raises(Forbidden, match="outside the image folder"):
        SiteImages(OneSite(tmp_path / "root")).shape(subject(folder), site)


def _pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))
