"""The source of a training: a folder of plates with its plate map, or images of single cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from gandl_shared.errors import BadInput
from gandl_shared.imaging import split_sites
from gandl_shared.plates import (
    EVERY_CONTROL,
    ImageSurvey,
    ModelInput,
    PlateMap,
    Site,
    Well,
    plate_map_of_names,
    read_plate_map,
    single_cells,
    survey_images,
)
from gandl_shared.schemas.choice import ImageChoice

from gandl_training.data.field_store import FieldRecord


@dataclass(frozen=True)
class Source:
    """The input of `pack`: a folder of plates and its plate map.

    `pattern` is the pattern of the file names (None: it is found from the files). `channels` are the channels of the
    images in the order of the card, and `channel_names` go on the card; without `channels` these names decide the
    order, or else numbers. `choice` decides between several images of one site and channel.
    `sheet` is that of a plate map in a workbook (None: the first one). Without a plate map (None) the names of RxRx
    images tell plates, wells and cell types. With `single_cells`, each file is the image of one cell with all channels,
    there is no plate map, and one pair of limits per channel holds for all images.
    """

    images: Path
    platemap: Path | None
    downscale: int = 1
    pattern: str | None = None
    channel_names: tuple[str, ...] | None = None
    channels: tuple[str, ...] | None = None
    choice: ImageChoice = field(default_factory=ImageChoice)
    sheet: str | None = None
    single_cells: bool = False

    def check(self) -> None:
        """Raise BadInput where single cells come with an option that belongs to plates."""
        if not self.single_cells:
            return
        options = {
            "--platemap": self.platemap is not None,
            "--sheet": self.sheet is not None,
            "--pattern": self.pattern is not None,
            "--channels": self.channels is not None,
            "an option that chooses between images": self.choice != ImageChoice(),
        }
        present = [name for name, value in options.items() if value]
        if present:
            raise BadInput(
                f"{' and '.join(present)} cannot be given with --single-cells: each file is one cell with all channels"
            )


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a source holds: its sites with their records, the names that the images give their channels (None where they
    give none), and the name of the source for messages."""

    sites: tuple[Site, ...]
    records: tuple[FieldRecord, ...]
    channel_names: tuple[str, ...] | None
    name: str


def content_of(source: Source) -> Content:
    """Return what the images and the plate map hold now. Raises NotFound and BadInput as their readers do."""
    if source.single_cells:
        cells = split_sites(single_cells(source.images))
        records = (FieldRecord(plate="", well="", site=cell.names[0], role="", cell_line="") for cell in cells)
        return Content(sites=cells, records=tuple(records), channel_names=None, name=str(source.images))
    plate_map, survey = _survey(source)
    return Content(
        sites=survey.sites,
        records=_records(survey.sites, plate_map),
        channel_names=survey.input_names,
        name=f"{source.images} with {plate_map.source}",
    )


def _survey(source: Source) -> tuple[PlateMap, ImageSurvey]:
    """Return the plate map and its images; sites that lack a channel are left out where the user skips them."""
    plate_map = plate_map_of(source)
    survey = survey_images(
        source.images,
        plate_map,
        source.pattern,
        channels=source.channels,
        inputs=[ModelInput(name=name) for name in source.channel_names or ()],
        choice=source.choice,
    )
    return survey.plate_map, replace(survey, sites=split_sites([site for site in survey.sites if site.is_complete]))


def plate_map_of(source: Source) -> PlateMap:
    """Return the plate map of the images: the user's table, or what the names of RxRx images tell."""
    if source.platemap is None:
        return plate_map_of_names(source.images)
    return read_plate_map(source.platemap, controls=False, sheet=source.sheet, positive=EVERY_CONTROL)


def _records(sites: Sequence[Site], plate_map: PlateMap) -> tuple[FieldRecord, ...]:
    wells = {(w.plate, w.well): w for w in plate_map.wells}
    return tuple(_record(site, wells[site.plate, site.well]) for site in sites)


def _record(site: Site, well: Well) -> FieldRecord:
    return FieldRecord(
        plate=site.plate,
        well=site.well,
        site=site.site,
        role=well.role.value,
        cell_line=well.cell_line,
        experiment=well.experiment,
    )
