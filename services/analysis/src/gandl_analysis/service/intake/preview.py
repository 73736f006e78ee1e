"""What a screen would be, before anything starts: the images, the plate map, and which model fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gandl_shared.errors import GandlError, Problem
from gandl_shared.jobs import Subject, inspect_images, names_below, resolve_file, resolve_folder
from gandl_shared.models import ModelCard
from gandl_shared.plates import PlateMap, part_with_images, read_plate_map
from gandl_shared.schemas.image_layout import ImageReport

from gandl_analysis.service.models import ModelCatalog, ServedModel

MAX_PIXEL_RATIO = 1.25
"""Pixels may be larger or smaller than those that a model knows by this factor before the page says so."""
MAX_PREVIEW_HEADERS = 200


@dataclass(frozen=True, kw_only=True)
class ModelFit:
    """A model with its card, and what speaks against it for these images; nothing if it fits."""

    model: ServedModel
    doubts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What is known of a screen that is not yet submitted.

    `report` is None where the images could not be read, `plate_map` where there is none or it has problems. `problems`
    are those of both; a screen without any can start. `model` is the chosen one.
    """

    report: ImageReport | None
    plate_map: PlateMap | None
    problems: tuple[Problem, ...]
    models: tuple[ModelFit, ...]
    model: str | None

    @property
    def can_start(self) -> bool:
        """Whether nothing is open."""
        return self.report is not None and self.plate_map is not None and not self.problems and self.model is not None


def preview(
    image_root: Path, models: ModelCatalog, *, folder: str, plate_map: str | None, model: str | None
) -> Preview:
    """Look at the images and the plate map of a screen; nothing is stored. Problems are returned and not raised."""
    problems: list[Problem] = []
    catalogue, choice = _models(models, model, problems)
    read_map = _plate_map(image_root, folder, plate_map, problems) if plate_map else None
    report = _report(image_root, folder, read_map, choice, problems)
    fits = tuple(ModelFit(model=each, doubts=_doubts(each.card, report)) for each in catalogue)
    if report is not None:
        problems += [Problem(p.detail, file=p.file, row=p.row, field=p.field) for p in report.problems]
    if plate_map is None:
        problems.append(Problem("choose or upload a plate map, which says what each well holds"))
    return Preview(
        report=report,
        plate_map=read_map,
        problems=tuple(problems),
        models=fits,
        model=choice.name if choice else None,
    )


def _models(
    models: ModelCatalog, name: str | None, problems: list[Problem]
) -> tuple[Sequence[ServedModel], ServedModel | None]:
    try:
        catalogue = models.all()
        return catalogue, models.find(name)
    except GandlError as error:
        problems += error.problems or [Problem(error.detail, field="model")]
        return (), None


def _plate_map(image_root: Path, folder: str, name: str, problems: list[Problem]) -> PlateMap | None:
    try:
        with names_below(image_root):
            read_map = read_plate_map(resolve_file(image_root, name))
            return part_with_images(resolve_folder(image_root, folder), read_map, None)
    except GandlError as error:
        problems += error.problems or [Problem(error.detail)]
        return None


def _report(
    image_root: Path, folder: str, plate_map: PlateMap | None, model: ServedModel | None, problems: list[Problem]
) -> ImageReport | None:
    try:
        subject = Subject(
            images=resolve_folder(image_root, folder), plate_map=plate_map, card=model.card if model else None
        )
        with names_below(image_root):
            return inspect_images(subject, max_headers=MAX_PREVIEW_HEADERS)
    except GandlError as error:
        problems += error.problems or [Problem(error.detail)]
        return None


def _doubts(card: ModelCard, report: ImageReport | None) -> tuple[str, ...]:
    if report is None:
        return ()
    doubts = []
    count, required = len(report.channels), len(card.channels)
    if count < required:
        doubts.append(f"it takes {required} channels, and the images have {count}")
    elif count > required:
        doubts.append(f"it takes {required} of the {count} channels of the images")
    own, its = report.pixel_size_um, card.pixel_size_um
    if own and its and max(own / its, its / own) > MAX_PIXEL_RATIO:
        doubts.append(f"it knows pixels of {its:g} µm, and those of the images are {own:g} µm")
    if report.height and report.width and min(report.height, report.width) // card.downscale < card.size:
        edge = card.size * card.downscale
        doubts.append(f"its tile of {edge} × {edge} pixels is larger than an image of {report.width} × {report.height}")
    return tuple(doubts)
