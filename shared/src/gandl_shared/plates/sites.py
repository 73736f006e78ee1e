"""The image files of each well: which layout the folder has, which files are chosen, and in which order the channels
feed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gandl_shared.errors import BadInput, Invalid, NotFound, Problem, raise_if
from gandl_shared.files.keys import ARCHIVES, is_remote
from gandl_shared.plates.layouts.detect import read_inventory
from gandl_shared.plates.layouts.file_columns import channel_number, file_columns, inside, read_file_columns
from gandl_shared.plates.layouts.images import ChannelName, ImageFile, Inventory
from gandl_shared.plates.layouts.listing import list_folder
from gandl_shared.plates.plate_map import PlateMap
from gandl_shared.plates.selection.channels import ChannelOrder, ModelInput, channel_names, order_channels
from gandl_shared.plates.selection.choice import ChosenFiles, choose_files
from gandl_shared.plates.selection.plate_names import assign_plates
from gandl_shared.plates.site import Site
from gandl_shared.plates.well import Well
from gandl_shared.schemas.choice import ImageChoice


@dataclass(frozen=True, kw_only=True)
class ImageSurvey:
    """What was found in a folder of images: the layout, the sites in the order of the plate map, and the channels in
    the order in which they feed the model. `incomplete` are the sites that lack a channel, where the user skips
    them."""

    layout: str
    sites: tuple[Site, ...]
    channels: ChannelOrder
    pixel_size_um: float | None
    skipped: Mapping[str, int]
    incomplete: tuple[Problem, ...] = ()


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
    skip_incomplete: bool = False,
) -> ImageSurvey:
    """Find the images of all wells that are not empty.

    `pattern` is the name of a preset or a pattern. Without one, columns of the plate map that name files are used
    (`channel_…`, `FileName_…`, `file_…`; several sites of a well separated by `;`), or else the layout of the folder.
    `inputs` are the channels of the model, and `channels` selects and orders the channels by their token or name.
    `choice` decides between several files of one site and channel. A site that lacks a channel is refused, or left
    out and listed if `skip_incomplete`.

    Raises NotFound (no folder), BadInput (no image in it, no layout fits), or Invalid with one problem for every well
    without images, every file that is missing or outside the folder, and every choice that is open.
    """
    root = _folder(images)
    columns = file_columns(plate_map) if pattern is None else []
    if columns:
        inventory = read_file_columns(root, plate_map, columns)
    else:
        inventory = read_inventory(list_folder(root), pattern=pattern, wells={well.well for well in plate_map.used})
    files = assign_plates(inventory.files, plate_map.plates)
    wells = {(well.plate, well.well) for well in plate_map.used}
    choices = choose_files([f for f in files if (f.plates[0], f.well) in wells], choice or ImageChoice())
    order = _order(inventory, choices, inputs, channels)
    builder = _SiteBuilder(root, plate_map.source, order.tokens, choices)
    sites = [site for well in plate_map.used for site in builder.sites(well)]
    problems = builder.problems + ([] if skip_incomplete else builder.incomplete)
    raise_if(problems, Invalid, f"images of {plate_map.source} cannot be used")
    return ImageSurvey(
        layout=inventory.layout,
        sites=tuple(sites),
        channels=order,
        pixel_size_um=inventory.pixel_size_um,
        skipped=inventory.skipped,
        incomplete=tuple(builder.incomplete),
    )


def _folder(images: Path) -> Path:
    if is_remote(images) or (images.is_file() and images.name.lower().endswith(ARCHIVES)):
        return images
    if not images.exists():
        raise NotFound(f"folder {images} is not there")
    if not images.is_dir():
        raise BadInput(f"{images} is not a folder; give the folder of the images, or an archive or URL of OME-Zarr")
    return images


def _order(
    inventory: Inventory, choices: ChosenFiles, inputs: Sequence[ModelInput], selection: Sequence[str] | None
) -> ChannelOrder:
    tokens = list(dict.fromkeys(channel for _, _, _, channel in choices.files))
    channels = channel_names(tokens, inventory.channels)
    numbers = {channel.token: channel_number(channel) for channel in channels}
    if all(number is not None for number in numbers.values()):
        # Columns such as `channel_2_dna` have a number besides their name; names of the model still come first.
        return _order_by_numbers(channels, numbers, inputs, selection)
    return order_channels(channels, inputs, selection)


def _order_by_numbers(
    channels: Sequence[ChannelName],
    numbers: Mapping[str, int | None],
    inputs: Sequence[ModelInput],
    selection: Sequence[str] | None,
) -> ChannelOrder:
    columns = {str(number): token for token, number in numbers.items()}
    numbered = [ChannelName(token=str(numbers[c.token]), name=c.name) for c in channels]
    tokens = None if selection is None else [str(numbers[name]) if name in numbers else name for name in selection]
    order = order_channels(numbered, inputs, tokens)
    return ChannelOrder(tokens=tuple(columns[token] for token in order.tokens), reason=order.reason)


class _SiteBuilder:
    """Put the chosen files of each well together; `problems` and `incomplete` collect what is wrong."""

    def __init__(self, root: Path, source: str, tokens: Sequence[str], choices: ChosenFiles) -> None:
        self._root, self._source, self._tokens = root, source, tokens
        self._wells: dict[tuple[str, str], dict[str, dict[str, tuple[ImageFile, ...]]]] = defaultdict(dict)
        for (plate, well, site, channel), files in choices.files.items():
            self._wells[plate, well].setdefault(site, {})[channel] = files
        self.problems: list[Problem] = []
        self.incomplete: list[Problem] = []

    def sites(self, well: Well) -> list[Site]:
        """Return the complete sites of a well, in the order of their numbers."""
        fields = self._wells.get((well.plate, well.well))
        if not fields:
            detail = f"no image of well {well.well} of plate {well.plate} fits the layout"
            self.problems.append(Problem(detail, file=self._source, row=well.table_row, field="well"))
            return []
        sites = (self._site(well, site, fields[site]) for site in sorted(fields, key=_natural))
        return [site for site in sites if site is not None]

    def _site(self, well: Well, site: str, files: Mapping[str, tuple[ImageFile, ...]]) -> Site | None:
        absent = [token for token in self._tokens if token not in files]
        if absent:
            detail = f"site {site} of well {well.well} of plate {well.plate} lacks channel {', '.join(absent)}"
            name = next(iter(files.values()))[0].name
            self.incomplete.append(
                Problem(f"{detail}; add the file, or give --missing skip", file=name, field="channel")
            )
            return None
        planes = tuple(len(files[token]) for token in self._tokens)
        names = tuple(file.name for token in self._tokens for file in files[token])
        links = [name for name in names if inside(self._root, name) is None]
        self.problems += [Problem(f"{name} is a link out of the images folder", file=name) for name in links]
        reduced = planes if max(planes) > 1 else ()
        return Site(plate=well.plate, well=well.well, site=site, root=self._root, names=names, planes=reduced)


def _natural(text: str) -> tuple[int, int, str]:
    return (0, int(text), text) if text.isdigit() else (1, 0, text)
