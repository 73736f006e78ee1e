"""The service with one large invented screen that is done: `python -m benchmarks.pages.stored FOLDER PORT`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
import uvicorn
from gandl_analysis.app import build
from gandl_analysis.figures.pixels.strips import report_strips
from gandl_analysis.formats.store_layout import write_analysis, write_card, write_drawings, write_sample, write_strips
from gandl_analysis.pipeline.result import Analysed, ScreenAnalysis
from gandl_analysis.report.compounds import drawn_curves
from gandl_analysis.report.drawings import draw_ahead
from gandl_analysis.settings import Settings
from gandl_shared.db import Database, ModelUse, NewScreen
from gandl_shared.imaging import Preprocessing, vector_key
from gandl_shared.models import ModelCard
from gandl_shared.plates import PlateMap, Site, SiteId, Well
from gandl_shared.schemas.screen import ScreenRequest, SiteScore
from gandl_shared.store import GreyPicture, Profiles, Store, Thumbnail

from benchmarks.pages.large import ScreenSize, large_analysis

SCREEN = "large"
TILES, FEATURES, EDGE = 18, 16, 512


@dataclass(frozen=True, kw_only=True)
class Silent:
    """A queue without workers: nothing is computed while pages are measured."""

    def batch_ready(self, batch_ids: Sequence[int]) -> None:
        """Do nothing."""

    def analysis_ready(self, analysis_id: int) -> None:
        """Do nothing."""


def store_screen(folder: Path, size: ScreenSize) -> None:
    """Store a screen of a size below the folder, as workers leave it: vectors, thumbnails, an image, and the result.

    All sites share one image and one thumbnail.
    """
    analysis = large_analysis(size)
    card = analysis.provenance.model
    assert isinstance(card, ModelCard)
    settings = settings_of(folder)
    contents = _write_image(settings.image_root, len(card.channels))
    limits = next(iter(analysis.provenance.limits.values()))
    preprocessing = Preprocessing(limits=limits, size=card.size, downscale=card.downscale)
    key = vector_key(contents, preprocessing, analysis.provenance.model_id)
    new = _new_screen(analysis, card, settings.image_root, key)
    with closing(Database.connect(settings.database)) as database:
        store = Store(settings.store)
        _write_store(store, analysis, card, new, key)
        database.screens.create_embedded(SCREEN, new)
        lease = database.analyses.lease("a benchmark", 600)
        assert lease is not None
        database.analyses.finish(lease)


def settings_of(folder: Path) -> Settings:
    """Return the settings of a service whose files are all below the folder."""
    return Settings(
        database_url=f"sqlite:///{folder / 'gandl.db'}", store=str(folder / "store"), image_root=folder / "images"
    )


def _write_image(root: Path, channels: int) -> list[bytes]:
    """Write an image with smooth structures for each channel; return the files."""
    root.mkdir(parents=True)
    y, x = np.mgrid[:EDGE, :EDGE] / 40
    for channel in range(channels):
        image = 2000 * (1 + np.sin(x + channel) * np.cos(y - channel))
        tifffile.imwrite(root / f"w{channel + 1}.tif", image.astype(np.uint16))
    return [(root / f"w{channel + 1}.tif").read_bytes() for channel in range(channels)]


def _new_screen(analysis: ScreenAnalysis, card: ModelCard, images: Path, key: str) -> NewScreen:
    names = tuple(f"w{number}.tif" for number in range(1, len(card.channels) + 1))
    wells = [
        Well(
            plate=well.plate,
            well=well.well,
            role=well.role,
            compound=well.compound,
            concentration_um=well.concentration_um,
            cell_line=well.cell_line,
            table_row=row,
        )
        for row, well in enumerate(analysis.wells, start=2)
    ]
    sites = tuple(Site(plate=well.plate, well=well.well, site="1", root=images, names=names) for well in wells)
    return NewScreen(
        name=analysis.provenance.screen_name,
        images=images,
        model=ModelUse(name=card.name, id=analysis.provenance.model_id, size=card.size, downscale=card.downscale),
        request=ScreenRequest(images="images", plate_map="platemap.csv"),
        plate_map=PlateMap(tuple(wells), "platemap.csv"),
        limits=dict(analysis.provenance.limits),
        sites=sites,
        keys={site.id: key for site in sites},
    )


def _write_store(store: Store, analysis: ScreenAnalysis, card: ModelCard, new: NewScreen, key: str) -> None:
    profiles = _profiles(new, key)
    efficacy = np.repeat([well.efficacy or 0.0 for well in analysis.wells], TILES)
    sites = tuple(
        SiteScore(**well.model_dump(include=set(SiteScore.model_fields) - {"site"}), site="1")
        for well in analysis.wells
    )
    positions = {"axis:C2": efficacy[::-1].copy(), "off": np.abs(efficacy)}
    analysed = Analysed(analysis=analysis, sites=sites, tile_efficacy=efficacy, fits={}, tile_positions=positions)
    store.put_vectors(SCREEN, 0, profiles)
    grey = np.full((len(card.channels), 96, 96), 90, np.uint8)
    grey[:, 20:60, 20:60] = 200
    picture = GreyPicture.of(grey)
    for start in range(0, len(new.sites), new.sites_per_batch):
        batch = new.sites[start : start + new.sites_per_batch]
        small = [
            Thumbnail(site=site.id, key=key, height=EDGE, width=EDGE, y=0, x=0, field=picture, tile=picture)
            for site in batch
        ]
        store.put_thumbnails(SCREEN, start // new.sites_per_batch, small)
    write_card(store, SCREEN, card)
    write_analysis(store, SCREEN, 1, analysed, profiles)
    write_drawings(store, SCREEN, 1, draw_ahead(analysis))
    write_sample(store, SCREEN, 1, analysed, profiles)
    curves = drawn_curves(analysis.curves)
    write_strips(store, SCREEN, 1, report_strips(analysis, curves, sites, lambda _: store.all_thumbnails(SCREEN)))


def _profiles(new: NewScreen, key: str) -> Profiles:
    ids = [SiteId(*site.id) for site in new.sites]
    n = len(ids) * TILES
    corner = np.tile(np.arange(TILES, dtype=np.int32), len(ids))
    return Profiles(
        plates=np.repeat(np.array([each.plate for each in ids], object), TILES),
        wells=np.repeat(np.array([each.well for each in ids], object), TILES),
        sites=np.full(n, "1", object),
        tiles=corner,
        y=corner // 3 * 64,
        x=corner % 3 * 128,
        keys=np.full(n, key, object),
        vectors=np.random.default_rng(0).normal(size=(n, FEATURES)).astype(np.float32),
    )


def main(folder: str, port: int) -> None:
    """Serve the pages of a stored screen until the process is stopped."""
    uvicorn.run(build(settings_of(Path(folder)), queue=Silent()), port=port, log_level="warning")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
