"""What a picture is about: a screen with its channels and limits, and a site of it with its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gandl_shared.db import Database, ScreenRecord, SiteRecord
from gandl_shared.errors import Forbidden, NotFound
from gandl_shared.imaging import Preprocessing
from gandl_shared.jobs import preprocessing_of
from gandl_shared.models import ModelCard
from gandl_shared.plates import SiteId
from gandl_shared.schemas.choice import Reduction
from gandl_shared.schemas.limits import IntensityLimits
from gandl_shared.store import Store

from gandl_analysis.figures.pixels.colours import PictureChannel, channel_colours
from gandl_analysis.formats.store_layout import read_card
from gandl_analysis.service.screen_ids import require_screen_id


@dataclass(frozen=True, kw_only=True)
class ScreenSubject:
    """A screen with its channels in the order of the model."""

    record: ScreenRecord
    channels: tuple[PictureChannel, ...]

    @property
    def reduction(self) -> Reduction:
        """How focal planes became one image."""
        return Reduction.NONE if self.record.layout is None else self.record.layout.reduction

    def limits(self, plate: str) -> IntensityLimits:
        """Return the intensity limits of a plate. Raises NotFound if none of its images could be read."""
        limits = self.record.limits.get(plate)
        if limits is None:
            raise NotFound(f"screen '{self.record.id}' has no images of plate '{plate}'")
        return limits

    def preprocessing(self, plate: str) -> Preprocessing:
        """Return how the images of a plate were prepared for the model. Raises NotFound as `limits` does."""
        return preprocessing_of(self.limits(plate), self.record.model, self.reduction)


class Subjects:
    """Screens and sites by their names. `image_root` is the folder below which images may be read."""

    def __init__(self, database: Database, store: Store, image_root: Path) -> None:
        self._database, self._store, self._image_root = database, store, image_root

    def screen(self, screen_id: str) -> ScreenSubject:
        """Return a screen. Raises NotFound, also for a screen without images."""
        require_screen_id(screen_id)
        record = self._database.screens.get(screen_id)
        card = read_card(self._store, screen_id)
        names: Sequence[tuple[str, str | None]] = ()
        if isinstance(card, ModelCard):
            names = [(channel.name, channel.stain) for channel in card.channels]
        elif record.layout is not None:
            names = [(use.input, use.stain) for use in record.layout.channels]
        elif record.limits:
            first = next(iter(record.limits.values()))
            names = [(f"channel {number}", None) for number in range(1, len(first.low) + 1)]
        if not names:
            raise NotFound(f"screen '{screen_id}' was made from a table of features, so it has no images")
        colours = channel_colours(names)
        channels = tuple(
            PictureChannel(number=number, name=name, stain=stain, colour=colour)
            for number, ((name, stain), colour) in enumerate(zip(names, colours, strict=True), start=1)
        )
        return ScreenSubject(record=record, channels=channels)

    def site(self, screen_id: str, site: SiteId) -> SiteRecord:
        """Return a site with its files. Raises NotFound naming the sites of the well."""
        sites = self.sites(screen_id, site.plate, site.well)
        for record in sites:
            if record.site.site == site.site:
                return record
        names = ", ".join(record.site.site for record in sites)
        raise NotFound(f"well {site.well} of plate '{site.plate}' has no site '{site.site}'; it has {names}")

    def sites(self, screen_id: str, plate: str, well: str | None = None) -> tuple[SiteRecord, ...]:
        """Return the sites of a plate or of a well. Raises NotFound if there are none."""
        sites = self.stored_sites(screen_id, plate, well)
        if not sites:
            raise no_images(screen_id, plate, well)
        return sites

    def stored_sites(self, screen_id: str, plate: str, well: str | None = None) -> tuple[SiteRecord, ...]:
        """Return the sites of a plate or of a well that the database knows. A screen that was opened from a folder of
        results has none, and may have thumbnails all the same."""
        return self._database.screens.sites(screen_id, plate, well)

    def remedy(self, record: ScreenRecord) -> str:
        """Return how images that are no longer there can be shown again. Raises Forbidden as `check_root`."""
        self.check_root(record)
        folder = record.images.resolve().relative_to(self._image_root.resolve())
        own = f"put the images back into '{folder}' below the image folder of this service"
        opened = record.request.plate_map == record.request.images
        return (
            f'{own}, or open the folder of results again on "New screen" with the folder of its images'
            if opened
            else own
        )

    def check_root(self, record: ScreenRecord) -> None:
        """Raise Forbidden if the images of a screen are not below the configured root."""
        # A screen may have been made by another program or under other settings, which allow this service nothing.
        if not record.images.resolve().is_relative_to(self._image_root.resolve()):
            raise Forbidden(f"the images of screen '{record.id}' are outside the image folder of this service")


def no_images(screen_id: str, plate: str, well: str | None) -> NotFound:
    """Return the error of a plate or a well without any site."""
    of_well = f" of well '{well}'" if well is not None else ""
    return NotFound(f"screen '{screen_id}' has no images{of_well} on plate '{plate}'")
