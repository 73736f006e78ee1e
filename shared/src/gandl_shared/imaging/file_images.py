"""Files with several images: each image of a file is a field of view of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from gandl_shared.errors import BadInput, Invalid, Problem, raise_if
from gandl_shared.files.references import image_name
from gandl_shared.imaging.limits import evenly_spread
from gandl_shared.imaging.readers import count_images
from gandl_shared.plates import Site

_SAMPLE = 16
_READERS = 8


def split_sites(sites: Sequence[Site]) -> tuple[Site, ...]:
    """Return one site per image, where the files of a screen hold several; other sites are returned as they are.

    The images of the only site of a well are its sites 1, 2, …; those of site 3 of several are 3.1, 3.2, …. A file
    that cannot be read counts as one image. Raises Invalid where the files of a site hold different numbers of images.
    """
    # One instrument writes all files of a screen, so a few show whether any has several images. A file that is not in
    # the sample is refused by its reader, which never takes one of several images by itself.
    if all(_count(site) == 1 for site in evenly_spread(sites, _SAMPLE)):
        return tuple(sites)
    with ThreadPoolExecutor(_READERS) as pool:
        counts = list(pool.map(_count, sites))
    problems = [_unequal(site) for site, count in zip(sites, counts, strict=True) if count == _UNEQUAL]
    raise_if(problems, Invalid, "images cannot be used")
    per_well = Counter((site.plate, site.well) for site in sites)
    return tuple(
        part
        for site, count in zip(sites, counts, strict=True)
        for part in _parts(site, count, alone=per_well[site.plate, site.well] == 1)
    )


_UNEQUAL = -1


def _count(site: Site) -> int:
    """Return the number of images in each file of a site, or _UNEQUAL."""
    try:
        counts = {count_images(path) for path in site.files}
    except BadInput:
        return 1  # the check of its header reports the file
    return counts.pop() if len(counts) == 1 else _UNEQUAL


def _unequal(site: Site) -> Problem:
    detail = f"the files of site {site.site} of well {site.well} of plate {site.plate} hold different numbers of images"
    return Problem(f"{detail}; give one file per image (field of view)", file=site.names[0])


def _parts(site: Site, count: int, *, alone: bool) -> list[Site]:
    if count == 1:
        return [site]
    return [
        replace(
            site,
            site=str(number) if alone else f"{site.site}.{number}",
            names=tuple(image_name(name, number, count) for name in site.names),
        )
        for number in range(1, count + 1)
    ]
