"""`gandl embed`: images to a table of vectors, without a plate map and without scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from gandl_embedding.engine import Engine
from gandl_shared.errors import BadInput, Invalid, InvalidImage, Problem, condense_problems, raise_if
from gandl_shared.files.atomic import atomic_file
from gandl_shared.imaging import (
    MAX_SAMPLED_CELLS,
    MAX_SAMPLED_SITES,
    Preprocessing,
    Reduction,
    SiteFiles,
    evenly_spread,
    misfit,
    read_header,
    sample_pixels,
    sampled_limits,
    with_levels,
)
from gandl_shared.jobs import CLIPPING_REMEDY
from gandl_shared.jobs.headers import check_names
from gandl_shared.models import Channel, Embedder, ModelCard
from gandl_shared.models.numerics import full_key
from gandl_shared.plates import Site
from gandl_shared.store import Profiles, join_profiles, site_profiles, write_profiles
from gandl_worker.sites import SiteTiles, Unreadable, load
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from gandl.featurizers.by_name import featurizer
from gandl.featurizers.names import baseline_name
from gandl.featurizers.tiles import baseline_card
from gandl.screening.featurizers import (
    MAX_FIT_SITES,
    MODEL_HELP,
    NO_TILES,
    PrecisionOption,
    TileOptions,
    with_tile_options,
)
from gandl.screening.image_files import image_sites, single_cell_sites
from gandl.screening.image_options import AllowClipping, ImageOptions, LimitSource, limit_source, with_image_options

MAX_CHECKED_SITES = 8
"""At most so many images of a plate are read before the others, to see whether the limits of the card fit them."""


@with_image_options
@with_tile_options
def embed(
    images: Annotated[list[Path], typer.Argument(help="Image files, or folders of them.")],
    model: Annotated[str, typer.Option(help=MODEL_HELP)],
    out: Annotated[
        Path, typer.Option(help="Parquet file to write: columns Metadata_* and gandl_000 …, one row per tile.")
    ],
    *,
    limits: Annotated[
        str, typer.Option(help="Intensity limits: the model's `card`, or `plate` for percentiles of each plate.")
    ] = "card",
    allow_clipping: AllowClipping = False,
    single_cells: Annotated[
        bool,
        typer.Option(
            "--single-cells", help="Each file is the image of one cell with all channels, and gives one vector."
        ),
    ] = False,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of the model; all cores if absent.")] = None,
    precision: PrecisionOption = None,
    tiles: TileOptions,
    image: ImageOptions,
) -> None:
    """Embed images into a table of vectors, without a plate map and without scores.

    A file with all channels is one image. Files with one channel each are combined by a pattern of their names.
    """
    source = limit_source(limits)
    is_file = baseline_name(model) is None
    tiles.check(is_file=is_file)
    engine = Engine.load(Path(model), threads=threads, precision=precision) if is_file else None
    form = NO_TILES if is_file else tiles.form(lambda: _channels(images, image, single_cells=single_cells))
    # A baseline has the channels and the tiles of its card before it is fitted.
    card = engine.card if engine else baseline_card(model, form, layer="draft", features=1)
    inputs, choice = card.inputs, image.choice
    if single_cells:
        combined = single_cell_sites(images, image)
    else:
        combined = image_sites(images, inputs, pattern=image.pattern, channels=image.channel_list, choice=choice)
    for problem in condense_problems(combined.incomplete):
        more = f" (and {problem.more} more of this kind)" if problem.more else ""
        typer.echo(f"left out: {problem}{more}", err=True)
    sites = with_levels(combined.sites, card.pixel_size_um)
    if image.channel_list is None:
        raise_if(check_names(sites, card), Invalid, "the order of the channels is not certain")
    if source == "card":
        count = MAX_SAMPLED_CELLS if single_cells else MAX_CHECKED_SITES
        _check_fit(sites, card, choice.reduction, count, allow_clipping=allow_clipping)
    preprocessing = _preprocessing(sites, card, source, choice.reduction, single_cells=single_cells)
    sample = partial(_sample, sites, preprocessing)
    embedder = engine or featurizer(model, form, sample, threads=threads, precision=precision)
    profiles = _profiles(sites, embedder, preprocessing)
    try:
        # A failure must not leave half a table under the final name.
        with atomic_file(out) as file:
            write_profiles(file, profiles)
    except OSError as error:
        raise BadInput(f"{out} cannot be written: {error.strerror}") from error
    if combined.channel_order:
        typer.echo(combined.channel_order)
    features = f"{embedder.card.features} features of {embedder.card.name}"
    typer.echo(f"{out}: {len(profiles)} tiles of {len(sites)} images, {features}")


def _channels(images: Sequence[Path], image: ImageOptions, *, single_cells: bool) -> tuple[Channel, ...]:
    """Return channels with numbers for names, where each file has all of them. Raises BadInput elsewhere."""
    if not single_cells:
        raise BadInput("a baseline needs the channels and the tiles of a model here; give --like MODEL.onnx")
    first = single_cell_sites(images, image).sites[0]
    return tuple(Channel(name=f"channel_{n}") for n in range(1, read_header(first.files[0]).channels + 1))


def _check_fit(
    sites: Sequence[Site], card: ModelCard, reduction: Reduction, count: int, *, allow_clipping: bool
) -> None:
    """Say how many pixels of each plate, by at most `count` of its images, lie outside the limits of the card.

    Raises Invalid where these do not fit.
    """
    problems: list[Problem] = []
    for name, stacks in _by_plate(sites).items():
        plate, files = name or "all images", evenly_spread(stacks, count)
        sample = sample_pixels(files, downscale=card.downscale, reduction=reduction)
        intensities = sample.intensities(card.limits, [channel.name for channel in card.channels])
        shares = ", ".join(f"{c.channel} {100 * c.clipped:.1f} %" for c in intensities.channels)
        typer.echo(f"{plate}: pixels outside the limits of the model card: {shares}", err=True)
        reason = misfit(intensities, card.limits)
        problems += [Problem(f"{plate}: {reason}; {CLIPPING_REMEDY}", field="limits")] if reason else []
    if not allow_clipping:
        raise_if(problems, Invalid, "the limits of the model card do not fit the images")


def _by_plate(sites: Sequence[Site]) -> dict[str, list[SiteFiles]]:
    plates: dict[str, list[SiteFiles]] = {}
    for site in sites:
        plates.setdefault(site.plate, []).append(site.stacks)
    return plates


def _preprocessing(
    sites: Sequence[Site], card: ModelCard, source: LimitSource, reduction: Reduction, *, single_cells: bool
) -> Mapping[str, Preprocessing]:
    """Return the preprocessing of each plate. Percentiles come from a sample of its images, as in a screen.

    Single cells have no plates, so their percentiles are those of all of them.
    """
    by_plate = _by_plate(sites)
    return {
        plate: Preprocessing(
            limits=card.limits
            if source == "card"
            else sampled_limits(
                files,
                downscale=card.downscale,
                reduction=reduction,
                count=MAX_SAMPLED_CELLS if single_cells else MAX_SAMPLED_SITES,
            ),
            size=card.size,
            downscale=card.downscale,
            reduction=reduction,
            single_cell=single_cells,
        )
        for plate, files in by_plate.items()
    }


def _sample(
    sites: Sequence[Site], preprocessing: Mapping[str, Preprocessing], card: ModelCard, count: int
) -> NDArray[np.uint8]:
    """Return at most `count` tiles, spread evenly over the images, to which a baseline is fitted."""
    fields = evenly_spread(list(sites), MAX_FIT_SITES)
    per_image = -(-count // len(fields))
    tiles = [_tiles(site, preprocessing[site.plate], card.name).tiles for site in fields]
    return np.stack(evenly_spread([tile for each in tiles for tile in evenly_spread(list(each), per_image)], count))


def _profiles(sites: Sequence[Site], embedder: Embedder, preprocessing: Mapping[str, Preprocessing]) -> Profiles:
    rows = _site_profiles(sites, embedder, preprocessing)
    console = Console(stderr=True)
    return join_profiles(list(track(rows, "embedding", total=len(sites), console=console, transient=True)))


def _site_profiles(
    sites: Sequence[Site], embedder: Embedder, preprocessing: Mapping[str, Preprocessing]
) -> Iterator[Profiles]:
    """Yield the rows of each site. Raises InvalidImage naming the first file that cannot be used."""
    for site in sites:
        loaded = _tiles(site, preprocessing[site.plate], embedder.model_id)
        vectors = embedder.embed(loaded.tiles)
        key = full_key(loaded.key, embedder.numerics.code)
        yield site_profiles(site.id, loaded.origins, key, vectors, loaded.metrics, loaded.contrast)


def _tiles(site: Site, preprocessing: Preprocessing, model_id: str) -> SiteTiles:
    loaded = load(site, preprocessing, model_id, None)
    if isinstance(loaded, Unreadable):
        name = ", ".join(site.names)
        raise InvalidImage(loaded.error if site.files[0].name in loaded.error else f"{name}: {loaded.error}")
    assert isinstance(loaded, SiteTiles), "no vector is stored yet, so none can be unchanged"
    return loaded
