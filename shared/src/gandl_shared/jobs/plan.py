"""Planning a screen: its images are found and checked before anything is written.

All files that are missing are reported together, then all headers that do not fit.

Only decoding can show some problems, such as damaged pixels behind a good header. The worker parks those sites.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from gandl_shared.db import ModelUse, NewScreen
from gandl_shared.errors import BadInput, GandlError, Invalid, Problem, raise_if
from gandl_shared.files.keys import is_remote
from gandl_shared.imaging import (
    MAX_SAMPLED_SITES,
    Header,
    Preprocessing,
    evenly_spread,
    limits_of_sites,
    read_header,
    read_site,
    split_sites,
    with_levels,
)
from gandl_shared.models import ModelCard
from gandl_shared.plates import PlateMap, Site, find_sites
from gandl_shared.schemas.limits import IntensityLimits
from gandl_shared.schemas.screen import ScreenRequest

MIN_SITES_PER_BATCH, MAX_SITES_PER_BATCH = 8, 64
"""Sites per batch: few in a small screen, so that workers share it and little is done twice; more in a large one,
because each batch costs a message, a lease and a file."""
_BATCHES_PER_SCREEN = 500  # batches grow beyond the minimum in screens that would have more than so many
_READERS = 8


@dataclass(frozen=True)
class ScreenPlan:
    """A checked screen, ready for `submit`. `headers` is the number of files whose headers were read."""

    screen: NewScreen
    headers: int

    @property
    def sites(self) -> tuple[Site, ...]:
        """The fields of view, in plate map order."""
        return self.screen.sites


def plan_screen(
    request: ScreenRequest,
    *,
    images: Path,
    plate_map: PlateMap,
    card: ModelCard,
    model_id: str,
    max_headers: int | None = None,
) -> ScreenPlan:
    """Find and check the images of a screen, and determine the intensity limits of each plate.

    `images` is the folder, which the caller has allowed. The headers of at most `max_headers` files (None means all),
    spread evenly over the screen, are read. Raises NotFound, BadInput, or Invalid with one problem per file or row.
    """
    sites = split_sites(find_sites(images, plate_map, request.pattern, channels=request.channels))
    sites = with_levels(sites, card.pixel_size_um)
    problems, headers = _check_headers(_sample(sites, max_headers), card)
    problems += _check_limits(request, card)
    raise_if(problems, Invalid, f"the images in {images} cannot be used")
    new = NewScreen(
        name=request.name or images.name,
        # Workers may run in another folder, where a relative path would lead elsewhere.
        images=images if is_remote(images) else images.resolve(),
        model=ModelUse(name=card.name, id=model_id, size=card.size, downscale=card.downscale),
        request=request,
        plate_map=plate_map,
        limits=_limits(request, sites, card),
        sites=sites,
        sites_per_batch=min(MAX_SITES_PER_BATCH, max(MIN_SITES_PER_BATCH, len(sites) // _BATCHES_PER_SCREEN)),
    )
    return ScreenPlan(new, headers)


def preprocessing_of(limits: IntensityLimits, model: ModelUse) -> Preprocessing:
    """Return how a worker prepares the images of a plate for the model."""
    return Preprocessing(limits=limits, size=model.size, downscale=model.downscale)


def _sample(sites: Sequence[Site], max_headers: int | None) -> list[Site]:
    """Return as many whole sites as `max_headers` files allow, at least one, spread evenly over the screen."""
    if max_headers is None:
        return list(sites)
    # A service reads headers before it answers, and the client should not wait for all files of a large screen.
    return evenly_spread(sites, max(1, max_headers // len(sites[0].names)))


def _check_headers(sites: Sequence[Site], card: ModelCard) -> tuple[list[Problem], int]:
    """Return one problem per file or per site with a wrong number of files, and the number of files that were read."""
    # Reading waits for the disk, so several threads do it.
    with ThreadPoolExecutor(_READERS) as pool:
        by_site = list(pool.map(lambda site: _check_site(site, card), sites))
    return [problem for problems in by_site for problem in problems], sum(len(site.names) for site in sites)


def _check_site(site: Site, card: ModelCard) -> list[Problem]:
    n_channels = len(card.channels)
    if len(site.names) not in (1, n_channels):
        detail = (
            f"{len(site.names)} files per site, but model {card.name} takes {_channels(card)}; choose with channels"
        )
        return [Problem(detail, file=site.names[0], field="channel")]
    problems: list[Problem] = []
    headers: list[tuple[str, Header]] = []
    for name, path in zip(site.names, site.files, strict=True):
        try:
            headers.append((name, read_header(path)))
        except GandlError as error:
            problems.append(Problem(error.detail, file=name))
    per_file = n_channels if len(site.names) == 1 else 1
    for name, header in headers:
        problems += _check_header(name, header, per_file, card)
    # A file that cannot be used by itself should be reported once and not again as different from the others.
    return problems or _unequal_headers(headers)


def _check_header(name: str, header: Header, channels: int, card: ModelCard) -> list[Problem]:
    # The model sees the field after downscaling, so the file must be larger by this factor.
    need = card.size * card.downscale
    if header.channels != channels:
        expected = _channels(card) if channels > 1 else "one channel per file"
        return [Problem(f"the image has {header.channels} channels; model {card.name} takes {expected}", file=name)]
    if min(header.height, header.width) < need:
        detail = f"the image is {header.height}×{header.width} pixels; model {card.name} needs {need}×{need}"
        return [Problem(detail, file=name)]
    return []


def _unequal_headers(headers: Sequence[tuple[str, Header]]) -> list[Problem]:
    first, reference = headers[0]
    return [
        Problem(
            f"{h.height}×{h.width} {h.dtype}, but {first} is {reference.height}×{reference.width} {reference.dtype}",
            file=n,
        )
        for n, h in headers
        if h != reference
    ]


def _channels(card: ModelCard) -> str:
    return f"{len(card.channels)} ({', '.join(channel.name for channel in card.channels)})"


def _check_limits(request: ScreenRequest, card: ModelCard) -> list[Problem]:
    limits = request.limits
    if isinstance(limits, IntensityLimits) and len(limits.low) != len(card.channels):
        detail = f"limits for {len(limits.low)} channels; model {card.name} takes {_channels(card)}"
        return [Problem(detail, field="limits")]
    return []


def _limits(request: ScreenRequest, sites: Sequence[Site], card: ModelCard) -> dict[str, IntensityLimits]:
    """Return the limits of each plate: explicit limits and those of the card are the same for all plates."""
    by_plate: dict[str, list[Site]] = {}
    for site in sites:
        by_plate.setdefault(site.plate, []).append(site)
    if isinstance(request.limits, IntensityLimits):
        return dict.fromkeys(by_plate, request.limits)
    if request.limits == "card":
        return dict.fromkeys(by_plate, card.limits)
    # Staining and illumination differ between plates, so each plate has its own percentiles.
    return {plate: _plate_limits(plate_sites, card.downscale) for plate, plate_sites in by_plate.items()}


def _plate_limits(sites: Sequence[Site], downscale: int) -> IntensityLimits:
    """Return the percentiles of a plate. A damaged image of the sample is skipped; the worker will park its site."""
    sample = evenly_spread(sites, MAX_SAMPLED_SITES)
    try:
        return limits_of_sites([site.files for site in sample], downscale=downscale)
    except BadInput:
        # Damaged images are rare, so only an error is a reason to test each file of the sample.
        readable = [site.files for site in sample if _is_readable(site)]
        if not readable:
            raise
        return limits_of_sites(readable, downscale=downscale)


def _is_readable(site: Site) -> bool:
    try:
        read_site(site.files)
    except BadInput:
        return False
    return True
