"""The strip of a curve: one real tile for each dose, from the lowest to the highest, between the two controls.

The rule. Of the wells of a dose, the well whose efficacy is nearest to their median stands for it. Of its sites, it is
the one whose efficacy is nearest to that of the well, and of its tiles the one whose vector is nearest to the median of
the site.
`best` and `worst` take the well and the site with the highest or the lowest efficacy instead. The controls are always
chosen by the first rule, among those on the plates of the compound, so that all strips can be compared with the same
cells. Where two are equally near, the first one in the plate map is taken.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from gandl_shared.imaging import shrunk
from gandl_shared.models import ModelCard
from gandl_shared.plates import SiteId
from gandl_shared.schemas.curve import Curve
from gandl_shared.schemas.screen import SiteScore, WellScore
from gandl_shared.schemas.vocabulary import Role
from gandl_shared.store import Thumbnail
from numpy.typing import NDArray

from gandl_analysis.figures.pixels.colours import Rgb, channel_colours
from gandl_analysis.figures.pixels.composite import sprite
from gandl_analysis.figures.pixels.encoding import PictureFormat, data_address
from gandl_analysis.pipeline.result import ScreenAnalysis

STRIP_EDGE = 64
"""Pixels of a tile in the strip of a report file."""


class TileChoice(StrEnum):
    """Which well and tile stand for a dose."""

    MEDIAN = "median"
    BEST = "best"
    WORST = "worst"

    @property
    def rule(self) -> str:
        """The rule in one sentence."""
        return _RULES[self]


_RULES: Mapping[TileChoice, str] = {
    TileChoice.MEDIAN: "Each tile comes from the well whose efficacy is nearest to the median of its dose, and is the "
    "most typical tile of that well.",
    TileChoice.BEST: "Each tile comes from the well with the highest efficacy of its dose.",
    TileChoice.WORST: "Each tile comes from the well with the lowest efficacy of its dose.",
}


@dataclass(frozen=True, kw_only=True)
class StripTile:
    """What stands for one dose or control: a site, and the efficacy of its well. The concentration of a control is
    None."""

    site: SiteId
    role: Role
    concentration_um: float | None
    efficacy: float

    @property
    def is_control(self) -> bool:
        """True for a control."""
        return self.role is not Role.TREATMENT

    @property
    def is_negative(self) -> bool:
        """True for a negative control."""
        return self.role is Role.NEGATIVE


class StripSource:
    """The wells and sites of an analysis, by compound and by control."""

    def __init__(self, wells: Iterable[WellScore], sites: Iterable[SiteScore]) -> None:
        self._treatments: dict[tuple[str, str], list[WellScore]] = defaultdict(list)
        self._controls: dict[tuple[Role, str], list[WellScore]] = defaultdict(list)
        self._sites: dict[tuple[str, str], list[SiteScore]] = defaultdict(list)
        for well in wells:
            if well.efficacy is None or well.excluded is not None:
                continue
            if well.role is Role.TREATMENT and well.compound is not None:
                self._treatments[well.compound, well.cell_line].append(well)
            elif well.role in (Role.POSITIVE, Role.NEGATIVE):
                self._controls[well.role, well.cell_line].append(well)
        for site in sites:
            if site.efficacy is not None:
                self._sites[site.plate, site.well].append(site)

    def strip(self, curve: Curve, choice: TileChoice = TileChoice.MEDIAN) -> tuple[StripTile, ...]:
        """Return the negative control, the doses from the lowest to the highest, and the positive control.

        A dose or control without a well that has an efficacy is left out; without any dose there is no strip.
        """
        doses: dict[float, list[WellScore]] = defaultdict(list)
        for well in self._treatments[curve.compound, curve.cell_line]:
            if well.concentration_um is not None:
                doses[well.concentration_um].append(well)
        plates = {well.plate for wells in doses.values() for well in wells}
        tiles = [self._tile(doses[dose], choice) for dose in sorted(doses)]
        controls = [self._control(role, curve.cell_line, plates) for role in (Role.NEGATIVE, Role.POSITIVE)]
        row = [controls[0], *tiles, controls[1]]
        return tuple(tile for tile in row if tile is not None) if any(tiles) else ()

    def _control(self, role: Role, cell_line: str, plates: set[str]) -> StripTile | None:
        wells = self._controls[role, cell_line]
        near = [well for well in wells if well.plate in plates]
        return self._tile(near or wells, TileChoice.MEDIAN)

    def _tile(self, wells: Sequence[WellScore], choice: TileChoice) -> StripTile | None:
        """Return what stands for these wells, None if no site of any of them has a score."""
        with_sites = [well for well in wells if self._sites[well.plate, well.well]]
        if not with_sites:
            return None
        efficacies = [well.efficacy or 0.0 for well in with_sites]
        well = with_sites[_position(efficacies, choice, float(np.median(efficacies)))]
        sites = self._sites[well.plate, well.well]
        site = sites[_position([site.efficacy or 0.0 for site in sites], choice, well.efficacy or 0.0)]
        return StripTile(
            site=SiteId(well.plate, well.well, site.site),
            role=well.role,
            concentration_um=well.concentration_um,
            efficacy=well.efficacy or 0.0,
        )


@dataclass(frozen=True, kw_only=True)
class StripView:
    """A strip for a page: its tiles, and one picture of them all, side by side, in an address that holds it."""

    tiles: tuple[StripTile, ...]
    address: str


ThumbnailsOf = Callable[[Collection[SiteId]], Iterable[Thumbnail]]
Strips = Mapping[tuple[str, str], StripView]
"""The strips of an analysis by compound and cell line."""


def report_strips(
    analysis: ScreenAnalysis, curves: Iterable[Curve], sites: Iterable[SiteScore], thumbnails: ThumbnailsOf
) -> Strips:
    """Return the strips of these curves of an analysis, from thumbnails and without any image.

    `thumbnails` yields those of the named sites, and may yield others. A curve without any thumbnail has no strip.
    """
    card = analysis.provenance.model
    if not isinstance(card, ModelCard):
        return {}
    colours = channel_colours([(channel.name, channel.stain) for channel in card.channels])
    source = StripSource(analysis.wells, sites)
    tiles = {(curve.compound, curve.cell_line): source.strip(curve) for curve in curves}
    names = {tile.site for strip in tiles.values() for tile in strip}
    pictures: dict[SiteId, NDArray[np.uint8]] = {}
    for thumbnail in thumbnails(names):
        if thumbnail.site in names and thumbnail.tile.channels == len(colours):
            pictures[thumbnail.site] = shrunk(thumbnail.tile.pixels(STRIP_EDGE), STRIP_EDGE)
    return {
        key: StripView(tiles=strip, address=_row(strip, pictures, colours))
        for key, strip in tiles.items()
        if any(tile.site in pictures for tile in strip)
    }


def _row(tiles: Sequence[StripTile], pictures: Mapping[SiteId, NDArray[np.uint8]], colours: Sequence[Rgb]) -> str:
    cells = {(0, n): pictures[tile.site] for n, tile in enumerate(tiles) if tile.site in pictures}
    # A pixel on each side keeps neighbouring tiles apart.
    row = sprite(cells, colours, rows=1, columns=len(tiles), edge=STRIP_EDGE + 2)
    return data_address(row, PictureFormat.WEBP)


def _position(values: Sequence[float], choice: TileChoice, centre: float) -> int:
    if choice is TileChoice.BEST:
        return int(np.argmax(values))
    if choice is TileChoice.WORST:
        return int(np.argmin(values))
    return int(np.argmin(np.abs(np.array(values) - centre)))
