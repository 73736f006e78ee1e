"""All pictures of the service behind one door, with what they need of the database, the store and the image folder."""

from __future__ import annotations

from pathlib import Path

from gandl_shared.db import Database, SiteRecord
from gandl_shared.errors import Conflict, Forbidden, NotFound
from gandl_shared.plates import SiteId
from gandl_shared.schemas.answers import SpriteIndex
from gandl_shared.store import Store

from gandl_analysis.figures.pixels.encoding import PictureFormat
from gandl_analysis.figures.pixels.strips import Strips, report_strips
from gandl_analysis.report.compounds import drawn_curves
from gandl_analysis.report.render import render_report
from gandl_analysis.service.filters import WellFilter
from gandl_analysis.service.pixels.images import ImageRequest, Picture, SiteImages
from gandl_analysis.service.pixels.requests import ChannelView
from gandl_analysis.service.pixels.subjects import ScreenSubject, Subjects
from gandl_analysis.service.pixels.thumbnails import Part, SpriteRequest, Thumbnails
from gandl_analysis.service.results import Results, StoredAnalysis


class Pictures:
    """Pictures of the sites of screens. Methods raise NotFound where there is no such screen, plate, well or site."""

    def __init__(self, database: Database, store: Store, image_root: Path) -> None:
        self._database, self._store = database, store
        self._subjects = Subjects(database, store, image_root)
        self.images = SiteImages(self._subjects)
        self.thumbnails = Thumbnails(self._subjects, store)

    def screen(self, screen_id: str) -> ScreenSubject:
        """Return a screen with its channels and limits. Raises NotFound, also for a screen without images."""
        return self._subjects.screen(screen_id)

    def remedy(self, screen: ScreenSubject) -> str:
        """Return how images that are no longer there can be shown again."""
        return self._subjects.remedy(screen.record)

    def has_thumbnails(self, screen_id: str) -> bool:
        """Return whether any thumbnail of a screen is stored; an older version made none."""
        return self._store.has_thumbnails(screen_id)

    def site_records(self, screen_id: str, plate: str, well: str) -> tuple[SiteRecord, ...]:
        """Return the sites of a well with their files; an empty well has none."""
        return self._database.screens.sites(screen_id, plate, well)

    def unlisted_sites(self, screen: ScreenSubject, plate: str) -> tuple[SiteId, ...]:
        """Return the sites of a plate that have thumbnails, where the database knows no site of it; otherwise none."""
        if self._database.screens.sites(screen.record.id, plate):
            return ()
        try:
            return tuple(each.site for each in self.thumbnails.of_plate(screen, plate))
        except NotFound:
            return ()

    def image(self, screen: ScreenSubject, site: SiteId, request: ImageRequest) -> Picture:
        """Return a picture of a site from its files, as `SiteImages.picture`; the error says if a thumbnail is left."""
        try:
            return self.images.picture(screen, site, request)
        except (NotFound, Forbidden, Conflict) as error:
            if self.thumbnails.one(screen, site) is None:
                raise
            detail = f"{error.detail}. The thumbnail that was made when it was embedded is still there"
            raise type(error)(detail) from error

    def thumbnail(
        self, screen: ScreenSubject, site: SiteId, view: ChannelView, part: Part, kind: PictureFormat
    ) -> Picture:
        """Return the thumbnail of a site."""
        return self.thumbnails.picture(screen, site, view, part, kind)

    def sprite(self, screen: ScreenSubject, plate: str, request: SpriteRequest) -> Picture:
        """Return the thumbnails of all wells of a plate as one picture."""
        return self.thumbnails.sprite(screen, plate, request)

    def sprite_index(self, screen: ScreenSubject, plate: str, request: SpriteRequest) -> SpriteIndex:
        """Return where each well is in that picture."""
        return self.thumbnails.index(screen, plate, request)


def stored_report(results: Results, pictures: Pictures, stored: StoredAnalysis) -> str:
    """Return the report of an analysis as one file, with strips of tiles and with what people set beside curves."""
    strips = stored_strips(results, pictures, stored)
    drawings = results.drawings(stored.screen, stored.version)
    return render_report(stored.analysis, strips, results.screen_assessments(stored.screen), drawings)


def stored_strips(results: Results, pictures: Pictures, stored: StoredAnalysis) -> Strips:
    """Return the strips of tiles of the report of an analysis, from thumbnails; none where no thumbnail is stored."""
    ahead = results.strips(stored.screen, stored.version)
    if ahead is not None:
        return ahead
    analysis, screen = stored.analysis, stored.screen
    sites = results.sites(screen, stored.version, WellFilter())
    curves = drawn_curves(analysis.curves)
    return report_strips(analysis, curves, sites, lambda names: pictures.thumbnails.of_sites(screen, names))
