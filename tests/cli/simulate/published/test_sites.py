"""A data set in Recursion's form is written complete or not at all, with its addresses as published."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from gandl.simulate.published.sites import DrawnSite, PublishedForm, PublishedSite, write_published
from gandl_shared.errors import Conflict, GandlError
from PIL import Image

SITE = PublishedSite(experiment="HRCE-1", plate=2, well="AA02", site=3)


@dataclass(frozen=True)
class OneWell:
    """A well with one field of two channels, which may be impossible to draw."""

    broken: bool = False

    def draw(self) -> Iterator[DrawnSite]:
        if self.broken:
            raise OSError("disk full")
        image = np.stack([np.full((8, 8), value, np.uint16) for value in (5, 250)])
        yield DrawnSite(site=SITE, image=image, vector=np.array([0.123456789, 2], np.float32))

    def rows(self) -> Iterator[Sequence[str]]:
        yield [SITE.site_id, SITE.well_id]


def write_truth(path: Path) -> None:
    path.write_text("truth")


def write(out: Path, *wells: OneWell) -> int:
    form = PublishedForm(
        title="RxRx19a",
        columns=["site_id", "well_id"],
        truth=write_truth,
        features=2,
    )
    return write_published(out, form, wells, processes=1, on_progress=lambda done, total: None)


def test_addresses_are_those_of_the_publisher() -> None:
    assert (SITE.site_id, SITE.well_id) == ("HRCE-1_2_AA02_3", "HRCE-1_2_AA02")
    assert SITE.file(1) == "HRCE-1/Plate2/AA02_s3_w1.png"


def test_images_metadata_and_vectors_are_written(tmp_path: Path) -> None:
    assert write(tmp_path / "out", OneWell()) == 1
    assert (tmp_path / "out/metadata.csv").read_text() == "site_id,well_id\nHRCE-1_2_AA02_3,HRCE-1_2_AA02\n"
    vectors = "site_id,feature_0,feature_1\nHRCE-1_2_AA02_3,0.12346,2\n"
    assert (tmp_path / "out/embeddings.csv").read_text() == vectors
    assert np.asarray(Image.open(tmp_path / "out/images" / SITE.file(2))).max() == 250
    assert "simulated by gandl" in (tmp_path / "out/SIMULATED.txt").read_text()


def test_nothing_half_written_stays_and_nothing_is_overwritten(tmp_path: Path) -> None:
    with pytest.raises(GandlError, match="was not simulated: disk full"):
        write(tmp_path / "out", OneWell(), OneWell(broken=True))
    assert not (tmp_path / "out").exists()
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(Conflict, match="not an empty folder"):
        write(tmp_path, OneWell())
