"""Figure 1: an example field of each cell type under each condition."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
from gandl_analysis.figures.style import FONT_SIZE
from gandl_analysis.figures.texts import plain
from gandl_shared.errors import BadInput
from gandl_shared.imaging import read_site
from gandl_shared.plates import Role, Site, Well, find_sites, part_with_images
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gandl.paper.features import cell_map, images_of
from gandl.paper.pages import Cell, Page

HEADER = ("cell_line", "condition", "plate", "well", "site", "files")
_COLOURS = np.array(
    [[0.15, 0.35, 1], [0, 0.75, 0.25], [1, 0.35, 0.1], [0.35, 0.6, 0.1], [0.75, 0.1, 0.6], [0.6, 0.6, 0.6]]
)
"""The display colour of each channel in the order of the files."""
_EDGE = 256
_BOTH = ("mock", "irradiated")


def figure1(folder: Path, compounds: Sequence[str], *, option: Sequence[str] = ()) -> Page:
    """Return the page of Figure 1: the first complete field of each cell type (rows) and condition (columns).

    Conditions are those of the wells, and the highest dose of the first of the compounds that is there. Raises BadInput
    for a folder without a complete field, and for a compound of the `option` that no well holds.
    """
    images = images_of(folder)
    plate_map = part_with_images(images, cell_map(folder, _positive(folder)), None)
    wells = {(well.plate, well.well): well for well in plate_map.wells}
    _check_compounds(option, wells.values())
    fields = _examples(find_sites(images, plate_map), wells, compounds)
    if not fields:
        raise BadInput(f"{images} has no complete field of view of a well of {plate_map.source}")
    lines, conditions = (list(dict.fromkeys(key[i] for key in sorted(fields))) for i in (0, 1))
    figure = Figure(figsize=(0.5 + 2.0 * len(conditions), 0.7 + 2.0 * len(lines)))
    panels = figure.subplots(len(lines), len(conditions), squeeze=False)
    for (row, column), panel in np.ndenumerate(panels):
        panel.set(xticks=[], yticks=[])
        site = fields.get((lines[row], conditions[column]))
        if site is not None:
            panel.imshow(composite(read_site(site.files)), interpolation="nearest")
        panel.set_title(plain(conditions[column]) if row == 0 else "", fontsize=FONT_SIZE - 1.5)
        panel.set_ylabel(plain(lines[row]) if column == 0 else "", fontsize=FONT_SIZE - 1)
    caption = "Figure 1: example fields, all channels in colour, each stretched by itself"
    return Page(figure=figure, caption=caption, header=HEADER, rows=[_row(*item) for item in fields.items()], dpi=80)


def _check_compounds(names: Sequence[str], wells: Collection[Well]) -> None:
    present = sorted({well.compound for well in wells if well.role is Role.TREATMENT and well.compound})
    missing = [name for name in names if name not in present]
    if missing:
        examples = ", ".join(present[:8]) or "none"
        raise BadInput(f"no well with images holds {', '.join(missing)}; the compounds are {examples}")


def composite(image: NDArray[np.generic]) -> NDArray[np.float64]:
    """Return the upper left part of an image [C, H, W] in colour [h, w, 3], each channel between its percentiles."""
    part = image[:, :_EDGE, :_EDGE].astype(np.float64)
    low, high = (np.percentile(part, q, axis=(1, 2), keepdims=True) for q in (1, 99.7))
    scaled = np.clip((part - low) / np.maximum(high - low, 1e-9), 0, 1) ** 0.8
    colour: NDArray[np.float64] = np.clip(0.8 * np.einsum("chw,ck->hwk", scaled, _COLOURS[: len(part)]), 0, 1)
    return colour


def _positive(folder: Path) -> tuple[str, ...]:
    # Wells with inactivated virus are left out of a screen by default, and here they are a condition of their own.
    table = cell_map(folder)
    return _BOTH if any("disease_condition" in well.metadata for well in table.wells) else ()


def _examples(
    sites: Sequence[Site], wells: Mapping[tuple[str, str], Well], compounds: Sequence[str]
) -> dict[tuple[str, str], Site]:
    examples: dict[tuple[str, str], Site] = {}
    highest: dict[str, float] = {}
    for well in wells.values():
        name, dose = well.compound or "", well.concentration_um or 0.0
        highest[name] = max(highest.get(name, 0.0), dose)
    example = next((name for name in compounds if name in highest), None)
    for site in sites:
        well = wells[site.plate, site.well]
        if well.role is Role.TREATMENT and well.concentration_um is not None:
            is_example = example is not None and well.compound == example and well.concentration_um == highest[example]
            condition = f"{example} {well.concentration_um:g} µM" if is_example else None
        else:
            condition = well.metadata.get("disease_condition") or _content(well)
        if condition is not None:
            examples.setdefault((well.cell_line, condition), site)
    return examples


def _content(well: Well) -> str | None:
    if well.role is Role.TREATMENT:
        return well.compound or "untreated"
    return well.role.label


def _row(key: tuple[str, str], site: Site) -> Sequence[Cell]:
    return *key, site.plate, site.well, site.site, " ".join(Path(file).name for file in map(str, site.files))
