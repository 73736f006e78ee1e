"""Images of single cells: each file shows one cell with all channels, and there are no wells."""

from __future__ import annotations

from pathlib import Path

from gandl_shared.errors import BadInput, NotFound
from gandl_shared.plates.layouts.listing import list_folder
from gandl_shared.plates.site import Site


def single_cells(images: Path) -> tuple[Site, ...]:
    """Return one site for each image file below a folder, sorted by name, or the only one of a file.

    `site` is the name of the file relative to the folder; plate and well are empty. Raises NotFound where there is no
    such folder, and BadInput where it holds no images.
    """
    if not images.exists():
        raise NotFound(f"image or folder {images} is not there")
    if images.is_file():
        return (_site(images.parent, images.name),)
    names = list_folder(images).images
    if not names:
        raise BadInput(f"folder {images} holds no image files; give TIFF or PNG images of single cells")
    return tuple(_site(images, name) for name in names)


def _site(root: Path, name: str) -> Site:
    return Site(plate="", well="", site=name, root=root, names=(name,))
