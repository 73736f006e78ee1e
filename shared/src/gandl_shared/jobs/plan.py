"""Checking a plate job before anything of it is written: all that is wrong comes back at once.

What only decoding can show (a damaged stream behind a good header) is left to the worker, which parks that site.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gandl_shared.db import ModelUse, NewScreen
from gandl_shared.errors import BadInput, GandlError, Invalid, Problem, raise_if
from gandl_shared.imaging.fields import Header, Limits, Preprocessing, read_header, read_site, sampled_limits
from gandl_shared.models import ModelCard
from gandl_shared.plates import PlateMap, Site, find_sites
from gandl_shared.schemas.screen import ScreenLimits, ScreenRequest

LIMIT_SITES = 32
"""Sites of a plate that its intensity limits are taken from."""
FEWEST_A_BATCH, MOST_A_BATCH = 8, 64
"""Sites of a batch: few in a small screen, so that workers share it and little is done twice; more in a large one,
because each batch costs a message, a lease and a file."""
_READERS = 8


@dataclass(frozen=True)
class ScreenPlan:
    """A checked job, ready to be written by `submit`. `headers` is how many files were looked into."""

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
    """Find and check the images of a job, and fix the intensity limits of each plate.

    `images` is the folder itself, already allowed. The headers of up to `max_headers` files are read (None: all),
    spread evenly over the screen. Raises NotFound, BadInput, or Invalid with one problem a file or row.
    """
    sites = find_sites(images, plate_map, request.pattern, channels=request.channels)
    problems, headers = _check_headers(_spread(sites, max_headers), card)
    problems += _check_limits(request, card)
    raise_if(problems, Invalid, f"the images in {images} cannot be used")
    new = NewScreen(
        name=request.name or images.name,
        images=images.resolve(),
        model=ModelUse(name=card.name, id=model_id, size=card.size, downscale=card.downscale),
        request=request,
        plate_map=plate_map,
        limits=_limits(request, sites, card),
        sites=sites,
        sites_per_batch=min(MOST_A_BATCH, max(FEWEST_A_BATCH, len(sites) // 500)),
    )
    return ScreenPlan(new, headers)


def preprocessing_of(limits: ScreenLimits, model: ModelUse) -> Preprocessing:
    """What a worker does to the images of a plate before the model sees them."""
    return Preprocessing(Limits(limits.low, limits.high), model.size, model.downscale)


def _spread(sites: Sequence[Site], max_headers: int | None) -> list[Site]:
    """As many whole sites as `max_headers` files allow (at least one), first and last among them."""
    if max_headers is None:
        return list(sites)
    count = min(len(sites), max(1, max_headers // len(sites[0].names)))
    return [sites[i] for i in sorted({int(i) for i in np.linspace(0, len(sites) - 1, count)})]


def _check_headers(sites: Sequence[Site], card: ModelCard) -> tuple[list[Problem], int]:
    """One problem a file; a site whose number of files is wrong is one problem too. Reading waits on the disk, so it
    is done by several threads."""
    with ThreadPoolExecutor(_READERS) as pool:
        found = list(pool.map(lambda site: _check_site(site, card), sites))
    return [problem for problems in found for problem in problems], sum(len(site.names) for site in sites)


def _check_site(site: Site, card: ModelCard) -> list[Problem]:
    wanted = len(card.channels)
    if len(site.names) not in (1, wanted):
        detail = f"{len(site.names)} files a site, but model {card.name} takes {_channels(card)}; choose with channels"
        return [Problem(detail, file=site.names[0], row=None, field="channel")]
    problems: list[Problem] = []
    headers: list[tuple[str, Header]] = []
    for name, path in zip(site.names, site.files, strict=True):
        try:
            headers.append((name, read_header(path)))
        except GandlError as error:
            problems.append(Problem(error.detail, file=name))
    per_file = wanted if len(site.names) == 1 else 1
    for name, header in headers:
        problems += _check_header(name, header, per_file, card)
    return problems or _unequal(headers)


def _check_header(name: str, header: Header, channels: int, card: ModelCard) -> list[Problem]:
    need = card.size * card.downscale
    if header.channels != channels:
        wanted = _channels(card) if channels > 1 else "one channel a file"
        return [Problem(f"the image has {header.channels} channels; model {card.name} takes {wanted}", file=name)]
    if min(header.height, header.width) < need:
        detail = f"the image is {header.height}×{header.width} pixels; model {card.name} needs {need}×{need}"
        return [Problem(detail, file=name)]
    return []


def _unequal(headers: Sequence[tuple[str, Header]]) -> list[Problem]:
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
    given = request.limits
    if isinstance(given, ScreenLimits) and len(given.low) != len(card.channels):
        detail = f"limits for {len(given.low)} channels; model {card.name} takes {_channels(card)}"
        return [Problem(detail, field="limits")]
    return []


def _limits(request: ScreenRequest, sites: Sequence[Site], card: ModelCard) -> dict[str, ScreenLimits]:
    """Limits by plate. Explicit and card limits are the same for all; else each plate's own percentiles."""
    plates = dict.fromkeys(site.plate for site in sites)
    if isinstance(request.limits, ScreenLimits):
        return dict.fromkeys(plates, request.limits)
    if request.limits == "card":
        return dict.fromkeys(plates, _stored(Limits.of(card)))
    return {plate: _plate_limits([s for s in sites if s.plate == plate], card.downscale) for plate in plates}


def _plate_limits(sites: Sequence[Site], downscale: int) -> ScreenLimits:
    """A damaged image among the sample is passed over: the worker will park its site."""
    sample = [sites[i] for i in sorted({int(i) for i in np.linspace(0, len(sites) - 1, min(LIMIT_SITES, len(sites)))})]
    try:
        return _stored(sampled_limits([site.files for site in sample], downscale=downscale, most=LIMIT_SITES))
    except BadInput:
        readable = [site.files for site in sample if _readable(site)]
        if not readable:
            raise
        return _stored(sampled_limits(readable, downscale=downscale, most=LIMIT_SITES))


def _readable(site: Site) -> bool:
    try:
        read_site(site.files)
    except BadInput:
        return False
    return True


def _stored(limits: Limits) -> ScreenLimits:
    return ScreenLimits(low=limits.low, high=limits.high)
