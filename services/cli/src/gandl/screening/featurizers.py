"""The featurizer of a screen, with the tiles that a baseline needs: a model file brings their form on its card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from gandl_embedding.engine import Engine, Precision
from gandl_shared.errors import BadInput
from gandl_shared.imaging import evenly_spread, read_header
from gandl_shared.jobs import plan_screen, preprocessing_of
from gandl_shared.models import Channel, Embedder, ModelCard
from gandl_shared.plates import ImageSurvey, PlateMap, part_with_images, read_plate_map, survey_images
from gandl_worker.sites import SiteTiles, load_inside
from numpy.typing import NDArray

from gandl.featurizers.by_name import featurizer
from gandl.featurizers.names import baseline_name
from gandl.featurizers.tiles import DEFAULT_DOWNSCALE, DEFAULT_SIZE, TileForm
from gandl.screening.option_groups import with_options
from gandl.screening.run import ScreenJob

MODEL_HELP = (
    "ONNX featurizer from `gandl export` or `gandl import-model`, or a released one; or the name of a baseline: "
    "intensity, pca, cp-measure, untrained:SEED."
)
NO_TILES = TileForm(channels=())
"""The form of tiles for a model file, which has its own on its card."""
NO_SAMPLE = np.empty((0, 0, 0, 0), np.uint8)
PrecisionOption = Annotated[
    Precision | None,
    typer.Option(
        help="Precision of the arithmetic instead of that of the model file: bfloat16, where the processor has it. It "
        "needs the package openvino."
    ),
]
MAX_FIT_SITES = 256
"""A baseline that is fitted to tiles gets those of at most so many fields."""


@dataclass(frozen=True, kw_only=True)
class TileOptions:
    """The form of the tiles of a baseline as the user gave it; None stands for an option that was not given."""

    tile_size: Annotated[
        int | None,
        typer.Option(min=16, help="Edge of a tile in pixels, for a baseline. The default is 64, or that of --like."),
    ] = None
    downscale: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Average blocks of this many pixels per edge, for a baseline. The default is 1, or that of --like.",
        ),
    ] = None
    like: Annotated[
        Path | None,
        typer.Option(
            help="Give a baseline the channels of this ONNX featurizer, and its tiles unless their size is set."
        ),
    ] = None

    def check(self, *, is_file: bool) -> None:
        """Raise BadInput where these options would have no effect."""
        options = {"--tile-size": self.tile_size, "--downscale": self.downscale, "--like": self.like}
        present = [name for name, value in options.items() if value is not None]
        if is_file and present:
            raise BadInput(f"{present[0]} is for a baseline; a model file has its own tiles on its card")

    def form(self, channels: Callable[[], tuple[Channel, ...]]) -> TileForm:
        """Return the tiles of a baseline. `channels` are those of the images, which `like` replaces."""
        if self.like is None:
            return TileForm(
                channels=channels(),
                size=self.tile_size or DEFAULT_SIZE,
                downscale=self.downscale or DEFAULT_DOWNSCALE,
            )
        form = TileForm.of_card(Engine.load(self.like, threads=1).card)
        size, downscale = self.tile_size or form.size, self.downscale or form.downscale
        return replace(form, size=size, downscale=downscale)


with_tile_options = with_options("tiles", TileOptions)
"""Give a command these options in the place of its parameter `tiles`."""


def screen_featurizer(
    model: str,
    job: ScreenJob,
    tiles: TileOptions | None = None,
    *,
    threads: int | None = None,
    precision: Precision | None = None,
) -> Embedder:
    """Return the featurizer that `model` names, for the images of a screen. A file may have a `precision` of its own.

    Raises BadInput for an unknown name or options without effect, and what a plan of the screen raises for its images.
    """
    tiles = tiles or TileOptions()
    is_file = baseline_name(model) is None
    tiles.check(is_file=is_file)
    if is_file or precision is not None:
        return featurizer(model, NO_TILES, lambda *_: NO_SAMPLE, threads=threads, precision=precision)
    plate_map = read_plate_map(job.plate_map, controls=False, sheet=job.sheet, positive=job.positive)
    plate_map = part_with_images(job.images, plate_map, job.pattern)
    return featurizer_of_plates(model, job, plate_map, tiles, threads=threads)


def featurizer_of_plates(
    model: str, job: ScreenJob, plate_map: PlateMap, tiles: TileOptions, *, threads: int | None = None
) -> Embedder:
    """Return the featurizer that `model` names, for the images of a plate map. Raises as `screen_featurizer` does."""
    form = tiles.form(partial(_channels, job, plate_map)) if baseline_name(model) is not None else NO_TILES
    return featurizer(model, form, partial(sample_tiles, job, plate_map), threads=threads)


def sample_tiles(job: ScreenJob, plate_map: PlateMap, card: ModelCard, count: int) -> NDArray[np.uint8]:
    """Return at most `count` tiles [N, C, S, S], spread evenly over the fields of a screen.

    They are prepared as in the screen itself; fields that cannot be read are left out, as they are parked there.
    """
    plan = plan_screen(job.request, images=job.images, plate_map=plate_map, card=card, model_id="0" * 64)
    screen, fields = plan.screen, []
    for site in evenly_spread(plan.sites, MAX_FIT_SITES):
        limits = screen.limits.get(site.plate)
        preparation = None if limits is None else preprocessing_of(limits, screen.model, job.choice.reduction)
        loaded = load_inside(site, preparation, screen.model.id, None)
        if isinstance(loaded, SiteTiles):
            fields.append(loaded.tiles)
    if not fields:
        raise BadInput(f"none of the images in {job.images} can be read, so --model {card.name} has no tiles")
    per_field = -(-count // len(fields))
    tiles = np.concatenate([np.stack(evenly_spread(list(each), per_field)) for each in fields])
    return np.stack(evenly_spread(list(tiles), count))


def _channels(job: ScreenJob, plate_map: PlateMap) -> tuple[Channel, ...]:
    survey = survey_images(job.images, plate_map, job.pattern, channels=job.channels, choice=job.choice)
    return tuple(Channel(name=name) for name in _channel_names(survey))


def _channel_names(survey: ImageSurvey) -> tuple[str, ...]:
    """Return the names that the images give their channels, or numbers where they give none."""
    complete = next((site for site in survey.sites if site.is_complete), None)
    if complete is None:
        raise BadInput("no field has all its channels, so a baseline has no tiles; see `gandl inspect`")
    headers = [read_header(stack[0]).channels for stack in complete.stacks]
    if survey.input_names is not None and len(survey.input_names) == sum(headers):
        return survey.input_names
    return tuple(f"channel_{number}" for number in range(1, sum(headers) + 1))
