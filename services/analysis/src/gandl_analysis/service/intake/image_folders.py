"""Where the images of a folder of results are: only below the image root of the service, whatever the folder says."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

from gandl_shared.errors import InvalidTable, Problem, raise_if
from gandl_shared.jobs import resolve_folder
from gandl_shared.plates import SiteId
from gandl_shared.store import ImageFolder, SiteFiles

from gandl_analysis.formats.output_folder import IMAGES, read_folder_images

UNKNOWN = (
    "it does not say where its images are, as it comes from an older version of gandl or its images are in an object "
    "store, so its pages show thumbnails only; submit the images as a screen to see them at full resolution"
)
OUTSIDE = (
    "its images are not below the image folder of this service, so its pages show thumbnails only; move or mount them "
    'below it, and open the folder again on "New screen" with the folder of its images'
)
MOVED = (
    "its images were expected in '{}' below the image folder of this service and are not there, so its pages show "
    'thumbnails only; put them there, or open the folder again on "New screen" with the folder of its images'
)


@dataclass(frozen=True, kw_only=True)
class PlacedImages:
    """The folder of the images below the image root, None where it is not below it, and the files of the sites.

    `note` says why there are only thumbnails; it is None where the folder is there.
    """

    folder: Path | None
    sites: tuple[SiteFiles, ...] = ()
    note: str | None = None


def place_images(output: Path, image_root: Path, embedded: Container[SiteId], named: str | None = None) -> PlacedImages:
    """Return where the images of a folder of results are below the image root.

    `output` has no links, `embedded` are the sites with vectors, and `named` is the folder below the image root that a
    person named; without it, the folder of results says where it is. Raises Forbidden and NotFound for a named folder
    that is not below the root, Malformed for a damaged file, and Invalid for files that lead out of their folder.
    """
    choice = None if named is None else resolve_folder(image_root, named)
    images = read_folder_images(output)
    if images is None:
        return PlacedImages(folder=None, note=UNKNOWN)
    raise_if(_without_vectors(images, embedded), InvalidTable, f"{IMAGES} cannot be used")
    root = image_root.resolve()
    try:
        folder = choice or (output / images.folder).resolve()
    except (OSError, RuntimeError):  # the links form a circle
        return PlacedImages(folder=None, note=OUTSIDE)
    if not folder.is_relative_to(root):
        return PlacedImages(folder=None, note=OUTSIDE)
    note = None if folder.exists() else MOVED.format(folder.relative_to(root))
    return PlacedImages(folder=folder, sites=images.sites, note=note)


def _without_vectors(images: ImageFolder, embedded: Container[SiteId]) -> list[Problem]:
    missing = [(number, each.site) for number, each in enumerate(images.sites, start=1) if each.site not in embedded]
    return [
        Problem(f"site {site.site[:80]} of well {site.well[:8]} has no vectors", file=IMAGES, row=row)
        for row, site in missing
    ]
