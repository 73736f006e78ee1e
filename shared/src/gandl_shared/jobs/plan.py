"""Planning a screen: its images are found and checked before anything is written.

All files that are missing are reported together, then all headers that do not fit.

Only decoding can show some problems, such as damaged pixels behind a good header. The worker parks those sites.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gandl_shared.db import ModelUse, NewScreen
from gandl_shared.errors import BadInput, Invalid, Problem, raise_if
from gandl_shared.files.keys import IMAGE_SUFFIXES, is_hierarchy, is_remote
from gandl_shared.files.objects import is_object, list_objects
from gandl_shared.files.references import parse_reference
from gandl_shared.files.stamps import Stamp, stamps
from gandl_shared.imaging import (
    MAX_SAMPLED_SITES,
    PixelSample,
    Preprocessing,
    evenly_spread,
    misfit,
    read_site,
    sample_pixels,
    split_sites,
    with_levels,
)
from gandl_shared.jobs.headers import channels_text, check_headers
from gandl_shared.models import ModelCard
from gandl_shared.plates import ImageSurvey, PlateMap, Site, survey_images
from gandl_shared.schemas.choice import ImageChoice, Reduction
from gandl_shared.schemas.image_layout import ChannelUse, ImageLayout
from gandl_shared.schemas.limits import IntensityLimits, PlateIntensities
from gandl_shared.schemas.screen import ScreenRequest

MIN_SITES_PER_BATCH, MAX_SITES_PER_BATCH = 8, 64
"""Sites per batch: few in a small screen, so that workers share it and little is done twice; more in a large one,
because each batch costs a message, a lease and a file, about 10 ms in all."""
_BATCHES_PER_SCREEN = 100  # batches grow beyond the minimum in screens that would have more than so many
CLIPPING_REMEDY = (
    "use the percentiles of the plate (--limits plate), or allow it (--allow-clipping, `allow_clipping` in a request)"
)
"""What to do where limits do not fit the images of a plate."""


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
    survey = survey_images(
        images,
        plate_map,
        request.pattern,
        channels=request.channels,
        inputs=card.inputs,
        choice=request,
    )
    sites = with_levels(split_sites(survey.sites), card.pixel_size_um)
    complete = [site for site in sites if site.is_complete]
    problems, headers = check_headers(
        _sample(complete, max_headers),
        card,
        mixed_sizes=request.mixed_sizes,
        order_by_user=request.channels is not None,
    )
    problems += _check_limits(request, card)
    raise_if(problems, Invalid, f"the images in {images} cannot be used")
    limits, intensities = _limits(request, complete, card)
    new = NewScreen(
        name=request.name or images.name,
        # Workers may run in another folder, where a relative path would lead elsewhere.
        images=images if is_remote(images) else images.resolve(),
        model=ModelUse(name=card.name, id=model_id, size=card.size, downscale=card.downscale),
        request=request,
        plate_map=survey.plate_map,
        limits=limits,
        intensities=intensities,
        layout=layout_of(survey, card, request),
        sites=sites,
        notes=survey.plate_map.notes,
        stamps=_stamps(images, sites),
        sites_per_batch=sites_per_batch(len(sites)),
    )
    return ScreenPlan(new, headers)


def _stamps(images: Path, sites: Sequence[Site]) -> dict[Path, Stamp]:
    files = {site.root / parse_reference(name).file for site in sites for name in site.names}
    if is_object(images):
        # The list of a folder has the stamps of all its objects, and one object alone costs a request.
        folders = {file.parent for file in files if file.name.lower().endswith(IMAGE_SUFFIXES)}
        entries = ((folder / entry.name, entry.stamp) for folder in folders for entry in list_objects(folder))
        return {file: each for file, each in entries if each is not None and file in files}
    # An archive or a URL is no folder of files.
    if is_hierarchy(images):
        return {}
    return stamps(files)


def sites_per_batch(sites: int) -> int:
    """Return how many sites one worker embeds at once in a screen of so many."""
    return min(MAX_SITES_PER_BATCH, max(MIN_SITES_PER_BATCH, sites // _BATCHES_PER_SCREEN))


def layout_of(survey: ImageSurvey, card: ModelCard, choice: ImageChoice) -> ImageLayout:
    """Return what decided how the images were read, as it is stored with the screen."""
    uses = zip(card.channels, survey.names, strict=False)
    return ImageLayout(
        layout=survey.layout,
        channels=tuple(
            ChannelUse(input=channel.name, stain=channel.stain, channel=each.token, channel_name=each.name)
            for channel, each in uses
        ),
        channel_order=survey.channels.reason,
        reduction=choice.reduction,
        pixel_size_um=survey.pixel_size_um,
        skipped=survey.skipped,
        incomplete=len(survey.incomplete),
    )


def preprocessing_of(limits: IntensityLimits, model: ModelUse, reduction: Reduction) -> Preprocessing:
    """Return how a worker prepares the images of a plate for the model."""
    return Preprocessing(limits=limits, size=model.size, downscale=model.downscale, reduction=reduction)


def _sample(sites: Sequence[Site], max_headers: int | None) -> list[Site]:
    """Return as many whole sites as `max_headers` files allow, at least one, spread evenly over the screen."""
    if max_headers is None:
        return list(sites)
    # A service reads headers before it answers, and the client should not wait for all files of a large screen.
    return evenly_spread(sites, max(1, max_headers // len(sites[0].names)))


def _check_limits(request: ScreenRequest, card: ModelCard) -> list[Problem]:
    limits = request.limits
    if isinstance(limits, IntensityLimits) and len(limits.low) != len(card.channels):
        detail = f"limits for {len(limits.low)} channels; model {card.name} takes {channels_text(card)}"
        return [Problem(detail, field="limits")]
    return []


def _limits(
    request: ScreenRequest, sites: Sequence[Site], card: ModelCard
) -> tuple[dict[str, IntensityLimits], dict[str, PlateIntensities]]:
    """Return the limits of each plate, and how its pixels lie in them.

    Explicit limits and those of the card are the same for all plates. Raises Invalid where those of the card do not fit
    a plate; explicit ones are the user's own decision.
    """
    by_plate: dict[str, list[Site]] = {}
    for site in sites:
        by_plate.setdefault(site.plate, []).append(site)
    # Staining and illumination differ between plates, so each plate is sampled for itself.
    limits: dict[str, IntensityLimits] = {}
    intensities: dict[str, PlateIntensities] = {}
    problems: list[Problem] = []
    for plate, plate_sites in by_plate.items():
        sample = _plate_sample(plate_sites, card.downscale, request.reduction)
        limits[plate] = _shared_limits(request, card) or sample.limits
        intensities[plate] = sample.intensities(limits[plate], [channel.name for channel in card.channels])
        reason = misfit(intensities[plate], limits[plate]) if request.limits == "card" else None
        if reason is not None and not request.allow_clipping:
            problems.append(Problem(f"plate {plate}: {reason}; {CLIPPING_REMEDY}", field="limits"))
    raise_if(problems, Invalid, "the intensity limits do not fit the images")
    return limits, intensities


def _shared_limits(request: ScreenRequest, card: ModelCard) -> IntensityLimits | None:
    """Return the limits that are the same for all plates, or None where each plate has its own."""
    if isinstance(request.limits, IntensityLimits):
        return request.limits
    return card.limits if request.limits == "card" else None


def _plate_sample(sites: Sequence[Site], downscale: int, reduction: Reduction) -> PixelSample:
    """Return the pixels of a sample. A damaged image of the sample is skipped; the worker will park its site."""
    sample = evenly_spread(sites, MAX_SAMPLED_SITES)
    try:
        return sample_pixels([site.stacks for site in sample], downscale=downscale, reduction=reduction)
    except BadInput:
        # Damaged images are rare, so only an error is a reason to test each file of the sample.
        readable = [site.stacks for site in sample if _is_readable(site, reduction)]
        if not readable:
            raise
        return sample_pixels(readable, downscale=downscale, reduction=reduction)


def _is_readable(site: Site, reduction: Reduction) -> bool:
    try:
        read_site(site.stacks, reduction)
    except BadInput:
        return False
    return True
