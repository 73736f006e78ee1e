"""`gandl embed`: images to a table of vectors, without a plate map and without scores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gandl_embedding.engine import Engine
    from gandl_shared.imaging.fields import Preprocessing
    from gandl_shared.plates import Site
    from gandl_shared.store import Profiles


def embed(
    images: Annotated[list[Path], typer.Argument(help="Image files, or folders of them.")],
    model: Annotated[Path, typer.Option(help="ONNX featurizer made by `gandl export`, or a released one.")],
    out: Annotated[Path, typer.Option(help="Parquet file to write: Metadata_* and gandl_000 … columns, a row a tile.")],
    pattern: Annotated[str | None, typer.Option(help="File name pattern, or a preset's name.")] = None,
    channels: Annotated[str | None, typer.Option(help="Channels to use, in the model's order: 1,2,4")] = None,
    limits: Annotated[str, typer.Option(help="Intensity limits: the model's `card` or `plate` percentiles.")] = "card",
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of the model; all cores if absent.")] = None,
) -> None:
    """Embed images: each file that has all channels by itself, or one file a channel put together by a pattern."""
    from gandl_embedding.engine import Engine
    from gandl_shared.errors import BadInput
    from gandl_shared.store import write_profiles

    from gandl.image_files import image_sites

    if limits not in ("card", "plate"):
        raise BadInput(f"--limits {limits} is unknown; use card or plate")
    engine = Engine.load(model, threads=threads)
    wanted = channels.split(",") if channels else None
    sites = image_sites(images, len(engine.card.channels), pattern=pattern, channels=wanted)
    profiles = _profiles(sites, engine, _preprocessing(sites, engine, limits))
    # Written beside and renamed, so that a failure leaves no half file.
    partial = out.with_name(f".{out.name}.partial")
    try:
        with partial.open("wb") as file:
            write_profiles(file, profiles)
        partial.replace(out)
    except OSError as error:
        raise BadInput(f"{out} cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
    typer.echo(
        f"{out}: {len(profiles)} tiles of {len(sites)} images, {engine.card.features} features of {engine.card.name}"
    )


def _preprocessing(sites: Sequence[Site], engine: Engine, limits: str) -> Mapping[str, Preprocessing]:
    """By plate. Percentiles are taken from a sample of each plate's images, as a screen does it."""
    from gandl_shared.imaging.fields import Limits, Preprocessing, sampled_limits

    card = engine.card
    by_plate: dict[str, list[Sequence[Path]]] = {}
    for site in sites:
        by_plate.setdefault(site.plate, []).append(site.files)
    own = Limits.of(card)
    return {
        plate: Preprocessing(
            own if limits == "card" else sampled_limits(files, downscale=card.downscale), card.size, card.downscale
        )
        for plate, files in by_plate.items()
    }


def _profiles(sites: Sequence[Site], engine: Engine, preprocessing: Mapping[str, Preprocessing]) -> Profiles:
    from gandl_shared.store import concatenated
    from rich.console import Console
    from rich.progress import track

    rows = _rows(sites, engine, preprocessing)
    return concatenated(list(track(rows, "embedding", total=len(sites), console=Console(stderr=True), transient=True)))


def _rows(sites: Sequence[Site], engine: Engine, preprocessing: Mapping[str, Preprocessing]) -> Iterator[Profiles]:
    """The rows of each site. Raises InvalidImage naming the first file that cannot be used."""
    from gandl_shared.errors import InvalidImage
    from gandl_shared.store import of_site
    from gandl_worker.sites import SiteTiles, Unreadable, load

    for site in sites:
        loaded = load(site, preprocessing[site.plate], engine.model_id, None)
        if isinstance(loaded, Unreadable):
            raise InvalidImage(loaded.error)
        assert isinstance(loaded, SiteTiles), "nothing was stored, so nothing is unchanged"
        place = (site.plate, site.well, site.site)
        yield of_site(place, loaded.origins, loaded.key, engine.embed(loaded.tiles), loaded.figures, loaded.contrast)
