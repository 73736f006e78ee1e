"""The image files of each well: which layout the folder has, which files are chosen, and in which order the channels
feed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gandl_shared.errors import BadInput, Invalid, NotFound, Problem, raise_if
from gandl_shared.files.keys import is_hierarchy
from gandl_shared.plates.layouts.detect import read_inventory
from gandl_shared.plates.layouts.file_columns import channel_number, file_columns, read_file_columns
from gandl_shared.plates.layouts.images import ChannelName, ImageFile, Inventory
from gandl_shared.plates.layouts.listing import list_folder
from gandl_shared.plates.plate_map import PlateMap
from gandl_shared.plates.selection.assembly import AssembledSite, assemble, files_by_field
from gandl_shared.plates.selection.channels import ChannelOrder, ModelInput, channel_names, order_channels
from gandl_shared.plates.selection.choice import ChosenFiles, choose_files, plates_in_two_folders
from gandl_shared.plates.selection.coverage import wells_with_images
from gandl_shared.plates.selection.links import LinkCheck
from gandl_shared.plates.selection.pixel_sizes import check_pixel_sizes
from gandl_shared.plates.selection.plate_names import assign_plates
from gandl_shared.plates.site import Site
from gandl_shared.schemas.choice import ImageChoice, MissingChannels

UNMAPPED = "images of plates or wells that the plate map does not have"
"""Why images are left out that fit the layout."""


@dataclass(frozen=True, kw_only=True)
class ImageSurvey:
    """What is in a folder of images: the layout, the sites in the order of the plate map, and the channels in the order
    in which they feed the model.

    Sites that lack a channel are among `sites` only where the user skips them or the data set is a published one;
    `incomplete` says what each lacks. `plate_map` is that of the user, or the part of a published one that has images.
    """

    plate_map: PlateMap
    layout: str
    sites: tuple[Site, ...]
    channels: ChannelOrder
    names: tuple[ChannelName, ...]
    pixel_size_um: float | None
    skipped: Mapping[str, int]
    incomplete: tuple[Problem, ...] = ()

    @property
    def input_names(self) -> tuple[str, ...] | None:
        """The names that the images give their channels, None where some have only a number or share a name.

        A model that takes its channels by these names gets them in the right order from other images too.
        """
        names = [channel.name or channel.token for channel in self.names]
        if any(not name or name.isdigit() for name in names) or len(set(names)) < len(names):
            return None
        return tuple(names)


def find_sites(
    images: Path,
    plate_map: PlateMap,
    pattern: str | None = None,
    *,
    channels: Sequence[str] | None = None,
    inputs: Sequence[ModelInput] = (),
    choice: ImageChoice | None = None,
) -> tuple[Site, ...]:
    """Return all sites of all wells that are not empty, in the order of the plate map. See `survey_images`."""
    survey = survey_images(images, plate_map, pattern, channels=channels, inputs=inputs, choice=choice)
    return survey.sites


def survey_images(
    images: Path,
    plate_map: PlateMap,
    pattern: str | None = None,
    *,
    channels: Sequence[str] | None = None,
    inputs: Sequence[ModelInput] = (),
    choice: ImageChoice | None = None,
) -> ImageSurvey:
    """Find the images of all wells that are not empty.

    `pattern` is the name of a preset or a pattern. Without one, columns of the plate map that name files are used
    (`channel_…`, `FileName_…`, `file_…`; several sites of a well separated by `;`), or else the layout of the folder.
    `inputs` are the channels of the model, and `channels` selects and orders the channels by their token or name.
    `choice` decides between several files of one site and channel, and about sites that lack a channel.

    Of the table of a published data set, plates and wells without images are left out.

    Raises NotFound (no folder), BadInput (no image in it, no layout fits), or Invalid with one problem for every well
    without images, every file that is missing or outside the folder, and every choice that is open.
    """
    choice = choice or ImageChoice()
    inventory = plate_inventory(images, plate_map, pattern)
    if plate_map.is_published:
        plate_map = wells_with_images(plate_map, inventory.files)
    wells = {(well.plate, well.well) for well in plate_map.used}
    files = assign_plates(inventory.files, list(dict.fromkeys(well.plate for well in plate_map.used)))
    choices = choose_files([file for file in files if (file.plates[0], file.well) in wells], choice)
    # A pattern, or a plate map that names the files, says which folders belong together.
    if pattern is None and not file_columns(plate_map):
        images_of_wells = [file for group in choices.files.values() for file in group]
        raise_if(plates_in_two_folders(images_of_wells), Invalid, "a plate has images of two folders")
    order = order_of(inventory, choices, inputs, channels)
    sites, problems, incomplete = _sites_of_wells(images, plate_map, order.tokens, choices)
    if not skips_incomplete(inventory, choice) or not any(site.is_complete for site in sites):
        problems = problems + incomplete
    raise_if(problems, Invalid, f"images of {plate_map.source} cannot be used")
    return ImageSurvey(
        plate_map=plate_map,
        layout=inventory.layout,
        sites=tuple(sites),
        channels=order,
        names=tuple(channel_names(order.tokens, inventory.channels)),
        pixel_size_um=check_pixel_sizes(choices.files),
        skipped={**inventory.skipped, **_unmapped(inventory, files, plate_map)},
        incomplete=tuple(incomplete),
    )


def skips_incomplete(inventory: Inventory, choice: ImageChoice) -> bool:
    """Return whether sites without all channels are left out and reported, and are no reason to refuse the images."""
    return inventory.is_published or choice.missing is MissingChannels.SKIP


def _unmapped(inventory: Inventory, files: Sequence[ImageFile], plate_map: PlateMap) -> dict[str, int]:
    """Count the images of plates and wells that the plate map lacks; those of its empty wells are left out on
    purpose."""
    wells = {(well.plate, well.well) for well in plate_map.wells}
    count = len(inventory.files) - sum((file.plates[0], file.well) in wells for file in files)
    return {UNMAPPED: count} if count else {}


def part_with_images(images: Path, plate_map: PlateMap, pattern: str | None = None) -> PlateMap:
    """Return the part of a published data set that a folder holds, and any other plate map as it is.

    A check of controls before the images are read needs this. Raises as `survey_images` does for a folder that cannot
    be read, and as `wells_with_images`.
    """
    if not plate_map.is_published:
        return plate_map
    return wells_with_images(plate_map, plate_inventory(images, plate_map, pattern).files)


def plate_inventory(images: Path, plate_map: PlateMap | None, pattern: str | None) -> Inventory:
    """Return all images of a folder: as the plate map names them, or by a pattern, or by the layout of the folder."""
    root = _folder(images)
    columns = file_columns(plate_map) if plate_map is not None and pattern is None else []
    if plate_map is not None and columns:
        return read_file_columns(root, plate_map, columns)
    wells = {well.well for well in plate_map.used} if plate_map is not None else set()
    return read_inventory(list_folder(root), pattern=pattern, wells=wells)


def order_of(
    inventory: Inventory, choices: ChosenFiles, inputs: Sequence[ModelInput], selection: Sequence[str] | None
) -> ChannelOrder:
    """Return the order of the channels of the chosen files, as `order_channels` does."""
    tokens = list(dict.fromkeys(channel for _, _, _, channel in choices.files))
    channels = channel_names(tokens, inventory.channels)
    numbers = {channel.token: number for channel in channels if (number := channel_number(channel)) is not None}
    if len(numbers) < len(channels):
        return order_channels(channels, inputs, selection)
    # Columns such as `channel_2_dna` have a number besides their name, and the user may give column, number or name.
    columns = {str(number): token for token, number in numbers.items()}
    numbered = [ChannelName(token=str(numbers[c.token]), name=c.name) for c in channels]
    by_number = None if selection is None else [str(numbers.get(name, name)) for name in selection]
    order = order_channels(numbered, inputs, by_number)
    return ChannelOrder(tokens=tuple(columns[token] for token in order.tokens), reason=order.reason)


def _sites_of_wells(
    root: Path, plate_map: PlateMap, tokens: Sequence[str], choices: ChosenFiles
) -> tuple[list[Site], list[Problem], list[Problem]]:
    """Return the sites of all wells, the problems of wells and links, and what each incomplete site lacks."""
    by_well: dict[tuple[str, str], list[AssembledSite]] = defaultdict(list)
    links = LinkCheck(root)
    for field, files in files_by_field(choices.files).items():
        by_well[field.plate, field.well].append(assemble(root, field, files, tokens, links))
    problems = [
        Problem(
            f"no image of well {well.well} of plate {well.plate} fits the layout",
            file=plate_map.source,
            row=well.table_row,
            field="well",
        )
        for well in plate_map.used
        if (well.plate, well.well) not in by_well
    ]
    sites = [each for well in plate_map.used for each in by_well.get((well.plate, well.well), [])]
    problems += [link for each in sites for link in each.links]
    return [each.site for each in sites], problems, [each.lack for each in sites if each.lack is not None]


def _folder(images: Path) -> Path:
    if is_hierarchy(images):
        return images
    if not images.exists():
        raise NotFound(f"folder {images} is not there")
    if not images.is_dir():
        raise BadInput(f"{images} is not a folder; give the folder of the images, or an archive or URL of OME-Zarr")
    return images
