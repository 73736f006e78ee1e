"""Images without a plate map: the files that make one image, by their channels or by the layout of their folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gandl_shared.errors import BadInput, Invalid, NotFound, Problem, raise_if
from gandl_shared.files.keys import is_hierarchy
from gandl_shared.imaging import read_header, split_sites
from gandl_shared.plates import ModelInput, Site, order_of, single_cells
from gandl_shared.plates.layouts import ImageFile, Inventory, Listing, list_folder, read_inventory
from gandl_shared.plates.selection import assemble, choose_files, files_by_field
from gandl_shared.schemas.choice import ImageChoice, MissingChannels

from gandl.screening.image_options import ImageOptions

_ALL_CHANNELS = ""
"""The channel token of layouts without channels: each file holds all of them."""


@dataclass(frozen=True, kw_only=True)
class ImageSites:
    """The images, how their channels were ordered (None where each file holds all), and what was left out."""

    sites: tuple[Site, ...]
    channel_order: str | None = None
    incomplete: tuple[Problem, ...] = ()


def image_sites(
    paths: Sequence[Path],
    inputs: Sequence[ModelInput],
    *,
    pattern: str | None = None,
    channels: Sequence[str] | None = None,
    choice: ImageChoice | None = None,
) -> ImageSites:
    """Return all images of these files and folders for a model with these `inputs`.

    Without a pattern, a file with all channels is one image, or several where it holds several fields of view: `plate`
    is its folder and `site` its name. Otherwise the layout of the folder says which files make an image. Raises
    NotFound, BadInput, and Invalid naming every incomplete image and every choice that is open.
    """
    choice = choice or ImageChoice()
    parts = [_sites_of_folder(listing, inputs, pattern, channels, choice) for listing in _listings(paths)]
    incomplete = tuple(problem for part in parts for problem in part.incomplete)
    sites = tuple(site for part in parts for site in part.sites)
    if choice.missing is MissingChannels.REFUSE or not sites:
        raise_if(incomplete, Invalid, "incomplete images")
    orders = dict.fromkeys(part.channel_order for part in parts if part.channel_order)
    return ImageSites(sites=sites, channel_order="; ".join(orders) or None, incomplete=incomplete)


def single_cell_sites(paths: Sequence[Path], options: ImageOptions) -> ImageSites:
    """Return the images of single cells in these files and folders, each file with all channels.

    Raises BadInput for options that say how several files make an image, and NotFound.
    """
    if options != ImageOptions():
        raise BadInput(
            "with --single-cells each file is one image with all channels, so that options which choose or combine "
            "files have no effect: leave them out"
        )
    return ImageSites(sites=split_sites([site for path in paths for site in single_cells(path)]))


def _listings(paths: Sequence[Path]) -> list[Listing]:
    """Return the images of each folder, sorted. A file counts under its own folder."""
    listings: dict[Path, Listing] = {}
    files: dict[Path, list[str]] = defaultdict(list)
    for path in paths:
        if not is_hierarchy(path) and not path.exists():
            raise NotFound(f"image or folder {path} is not there")
        if is_hierarchy(path) or path.is_dir():
            listings[path] = list_folder(path)
        else:
            files[path.parent].append(path.name)
    return [*listings.values(), *(Listing(root, tuple(names), (), {}) for root, names in files.items())]


def _sites_of_folder(
    listing: Listing,
    inputs: Sequence[ModelInput],
    pattern: str | None,
    channels: Sequence[str] | None,
    choice: ImageChoice,
) -> ImageSites:
    root, names = listing.root, listing.images
    # The first file decides, because the files of one folder come from one instrument.
    if names and pattern is None and channels is None and _channels(root / names[0]) == len(inputs):
        whole = [Site(plate=str(Path(n).parent), well="", site=Path(n).name, root=root, names=(n,)) for n in names]
        return ImageSites(
            sites=tuple(replace(site, site=Path(site.names[0]).name) for site in split_sites(whole)),
        )
    inventory = _inventory(listing, pattern, len(inputs))
    choices = choose_files([replace(file, plates=(_plate(file),)) for file in inventory.files], choice)
    order = order_of(inventory, choices, inputs, channels)
    _check_width(root / inventory.files[0].name, order.tokens, inputs)
    fields = sorted(files_by_field(choices.files).items(), key=lambda entry: (entry[0].plate, entry[0].well))
    assembled = [assemble(root, field, files, order.tokens) for field, files in fields]
    raise_if([link for each in assembled for link in each.links], Invalid, "images cannot be used")
    uses = ", ".join(f"{token} → {each.name}" for token, each in zip(order.tokens, inputs, strict=False))
    return ImageSites(
        sites=split_sites([each.site for each in assembled if each.lack is None]),
        channel_order=None if order.tokens == (_ALL_CHANNELS,) else f"channels {uses}; {order.reason}",
        incomplete=tuple(each.lack for each in assembled if each.lack is not None),
    )


def _inventory(listing: Listing, pattern: str | None, width: int) -> Inventory:
    try:
        return read_inventory(listing, pattern=pattern)
    except BadInput as error:
        if pattern is not None or not listing.images:
            raise
        name = listing.images[0]
        channels = _channels(listing.root / name)
        raise Invalid(f"{name} has {channels} channels, the model takes {width}, and {error.detail}") from error


def _plate(file: ImageFile) -> str:
    return file.plates[0] if file.plates else ""


def _channels(path: Path) -> int:
    """Return the number of channels of the first image in a file."""
    return read_header(path.with_name(f"{path.name}#image=1")).channels


def _check_width(path: Path, tokens: Sequence[str], inputs: Sequence[ModelInput]) -> None:
    """Raise Invalid if the files of an image do not have the channels of the model."""
    if tokens == (_ALL_CHANNELS,):
        channels = _channels(path)
        if channels != len(inputs):
            raise Invalid(f"{path.name} has {channels} channels; the model takes {len(inputs)}")
    elif len(tokens) != len(inputs):
        listed = ", ".join(tokens)
        raise Invalid(
            f"the images in {path.parent} have channels {listed}; the model takes {len(inputs)}: see --channels"
        )
