"""Image QC as a part of the quality of an assay: a plate without one of its channels is not usable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gandl_shared.plates import Well
from gandl_shared.schemas.quality import GroupQuality, PlateImages, Quality


def with_images(quality: Quality, images: Mapping[str, PlateImages], plates: Mapping[str, set[str]]) -> Quality:
    """Return the quality with image QC by plate, and no verdict better than poor where a channel is missing.

    `plates` holds the names of the plates of each cell line. The verdict on a cell line is changed if all of its plates
    are unusable, because the sites of others are left out.
    """
    lost = {plate: of_plate.reasons for plate, of_plate in images.items() if not of_plate.usable}
    return quality.model_copy(
        update={
            "images": dict(images),
            "plates": {key: _downgraded(group, _of_key(lost, key, group)) for key, group in quality.plates.items()},
            "cell_lines": {
                name: _downgraded(group, _of_all(lost, plates.get(name, set())))
                for name, group in quality.cell_lines.items()
            },
        }
    )


def plates_by_cell_line(wells: Iterable[Well]) -> dict[str, set[str]]:
    """Return the names of the plates of each cell line."""
    plates: dict[str, set[str]] = {}
    for well in wells:
        plates.setdefault(well.cell_line, set()).add(well.plate)
    return plates


def _of_key(lost: Mapping[str, tuple[str, ...]], key: str, group: GroupQuality) -> tuple[str, ...]:
    """Return the reasons of a plate by its key, which names the cell line too where a plate has several."""
    return lost.get(key) or lost.get(key.removesuffix(f" ({group.cell_line})"), ())


def _of_all(lost: Mapping[str, tuple[str, ...]], plates: set[str]) -> tuple[str, ...]:
    if not plates or not plates <= lost.keys():
        return ()
    return tuple(f"plate {plate}: {'; '.join(lost[plate])}" for plate in sorted(plates))


def _downgraded(group: GroupQuality, reasons: tuple[str, ...]) -> GroupQuality:
    if not reasons:
        return group
    verdict = "poor" if group.verdict in ("good", "usable") else group.verdict
    return group.model_copy(update={"verdict": verdict, "reasons": (*group.reasons, *reasons)})
