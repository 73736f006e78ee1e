"""Folders whose images are probed: plates, which are prepared as in a screen, and images of single cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from gandl_shared.errors import Invalid
from gandl_shared.imaging import MAX_SAMPLED_CELLS, Preprocessing, evenly_spread, read_header, sampled_limits
from gandl_shared.jobs import plan_screen, preprocessing_of
from gandl_shared.models import Channel, Embedder, ModelCard
from gandl_shared.plates import PlateMap, Site
from numpy.typing import NDArray

from gandl.featurizers.by_name import featurizer
from gandl.featurizers.names import baseline_name
from gandl.probing.labels import Columns, columns_of_names, columns_of_table, columns_of_wells
from gandl.probing.vectors import tiles_of
from gandl.screening.featurizers import NO_TILES, TileOptions, featurizer_of_plates
from gandl.screening.run import ScreenJob


@dataclass(frozen=True, kw_only=True)
class PreparedImages:
    """Images in the channel order of a model, how each is prepared for it, and what is known of each."""

    sites: tuple[Site, ...]
    preparation: Callable[[Site], Preprocessing]
    columns: Sequence[Columns]


class ImageFolder(Protocol):
    """A folder of images with the columns of each."""

    def featurizer(self, model: str, tiles: TileOptions, *, threads: int | None) -> Embedder:
        """Return the featurizer that `model` names. Raises BadInput for an unknown name or options without effect."""
        ...

    def prepared(self, card: ModelCard) -> PreparedImages:
        """Return the images for a model. Raises Invalid where they do not fit it."""
        ...


@dataclass(frozen=True, kw_only=True)
class PlateFolder:
    """Images of plates; the intensity limits are those of each plate, and the columns those of the plate map."""

    job: ScreenJob
    plate_map: PlateMap

    def featurizer(self, model: str, tiles: TileOptions, *, threads: int | None) -> Embedder:
        """Return the featurizer that `model` names, as for a screen."""
        return featurizer_of_plates(model, self.job, self.plate_map, tiles, threads=threads)

    def prepared(self, card: ModelCard) -> PreparedImages:
        """Return the complete images of all wells. Raises what a plan of the screen raises."""
        job = self.job
        plan = plan_screen(job.request, images=job.images, plate_map=self.plate_map, card=card, model_id="0" * 64)
        by_plate = {
            plate: preprocessing_of(limits, plan.screen.model, job.choice.reduction)
            for plate, limits in plan.screen.limits.items()
        }
        sites = tuple(site for site in plan.sites if site.is_complete)
        columns = columns_of_wells(sites, self.plate_map)
        return PreparedImages(sites=sites, preparation=lambda site: by_plate[site.plate], columns=columns)


@dataclass(frozen=True, kw_only=True)
class CellFolder:
    """Images of single cells; one pair of intensity limits per channel holds for all of them.

    Columns come from a table or from a pattern of the file names. The files give their channels no names, so these are
    `channel_names`, or numbers.
    """

    sites: tuple[Site, ...]
    table: Path | None = None
    names: str | None = None
    channel_names: tuple[str, ...] | None = None

    @cached_property
    def n_channels(self) -> int:
        """The number of channels of the first image."""
        return read_header(self.sites[0].files[0]).channels

    def featurizer(self, model: str, tiles: TileOptions, *, threads: int | None) -> Embedder:
        """Return the featurizer that `model` names. Raises Invalid where the names of the channels do not fit."""
        form = tiles.form(self._channels) if baseline_name(model) is not None else NO_TILES
        return featurizer(model, form, self._sample, threads=threads)

    def prepared(self, card: ModelCard) -> PreparedImages:
        """Return all images, each as one tile."""
        if len(card.channels) != self.n_channels:
            raise Invalid(
                f"the images have {self.n_channels} channels, such as {self.sites[0].site}, and model {card.name} "
                f"takes {len(card.channels)}"
            )
        return PreparedImages(sites=self.sites, preparation=self._preparation(card), columns=self._columns)

    def _channels(self) -> tuple[Channel, ...]:
        names = self.channel_names or tuple(f"channel_{number}" for number in range(1, self.n_channels + 1))
        if len(names) != self.n_channels:
            raise Invalid(f"{len(names)} channel names for {self.n_channels} channels: {', '.join(names)}")
        return tuple(Channel(name=name) for name in names)

    @cached_property
    def _columns(self) -> Sequence[Columns]:
        if self.table is not None:
            return columns_of_table(self.sites, self.table)
        return columns_of_names(self.sites, self.names or "")

    def _preparation(self, card: ModelCard) -> Callable[[Site], Preprocessing]:
        stacks = [site.stacks for site in self.sites]
        limits = sampled_limits(stacks, downscale=card.downscale, count=MAX_SAMPLED_CELLS)
        cell = Preprocessing(limits=limits, size=card.size, downscale=card.downscale, single_cell=True)
        return lambda _: cell

    def _sample(self, card: ModelCard, count: int) -> NDArray[np.uint8]:
        preparation = self._preparation(card)
        return np.concatenate([tiles_of(site, preparation(site)) for site in evenly_spread(self.sites, count)])
