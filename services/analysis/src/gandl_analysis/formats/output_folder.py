"""The output folder of a screen: which files it has, and how a new set of them replaces an old one.

All files are written and flushed to the disk before the first of them is moved into place, so that a full disk or a
crash while writing changes nothing. The moves follow one after the other, `report.html` last. A crash between two moves
leaves some new and some old files, each of them whole; the old report then shows that the new set is not complete.
What only an earlier run wrote is deleted after all moves, because it would stand beside results that it is not about.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from gandl_shared.errors import Invalid
from gandl_shared.files.atomic import Content, replace_files
from gandl_shared.files.regular import open_regular
from gandl_shared.store import (
    ImageFolder,
    Profiles,
    Thumbnail,
    read_site_files,
    read_thumbnails,
    write_site_files,
    write_thumbnails,
)

from gandl_analysis.figures.pixels.strips import Strips, report_strips
from gandl_analysis.formats.axis_file import axis_bytes, read_axis
from gandl_analysis.formats.embeddings import EmbeddingsHeader, write_embeddings
from gandl_analysis.formats.profiles.features import FEATURE_COLUMNS
from gandl_analysis.formats.tables.csv_text import delete_table
from gandl_analysis.formats.tables.curves import POTENCY_COLUMNS, curve_files, potency_csv
from gandl_analysis.formats.tables.wells import RETRIEVAL_COLUMNS, retrieval_csv, sites_csv, wells_csv
from gandl_analysis.pipeline.curves.potency import screen_ratios
from gandl_analysis.pipeline.result import Analysed, ScreenAnalysis, VectorProvenance
from gandl_analysis.report.compounds import drawn_curves
from gandl_analysis.report.render import NO_STRIPS, render_report

EMBEDDINGS, WELLS, SITES, THUMBNAILS = "embeddings.parquet", "wells.csv", "sites.csv", "thumbnails.parquet"
IMAGES = "images.parquet"
"""The file that says where the images are."""
RETRIEVAL = "retrieval.csv"
"""The file of the protocols of retrieval, which is written where they are asked for."""
POTENCY = "potency_ratios.csv"
"""The file of the potencies relative to a reference, which is written where one is named."""
FEATURES = "features.csv"
"""The file of the features of a table of vectors, which is written where such a table was analysed."""
AXES = "axes"
"""The folder of the fitted axes."""
_CURVES = "dose_response.csv", "dose_response_wells.csv", "dose_response_lines.csv", "dose_response_covariances.csv"
_SOMETIMES = {
    RETRIEVAL: RETRIEVAL_COLUMNS,
    POTENCY: POTENCY_COLUMNS,
    FEATURES: FEATURE_COLUMNS,
}
"""The columns of each table that only some analyses write."""
FILES = frozenset(
    {
        EMBEDDINGS,
        WELLS,
        SITES,
        THUMBNAILS,
        IMAGES,
        RETRIEVAL,
        POTENCY,
        FEATURES,
        *_CURVES,
        "quality.json",
        "report.html",
    }
)
"""The names of all files that an analysis may write."""


def write_files(
    analysed: Analysed,
    profiles: Profiles,
    out: Path,
    further: Mapping[str, bytes] = MappingProxyType({}),
    thumbnails: Callable[[], Iterable[Thumbnail]] = tuple,
    images: ImageFolder | None = None,
) -> None:
    """Write all files of a screen and the `further` ones into `out`, as the head of this module promises.

    `thumbnails` yields the small pictures of its sites; it is called twice. Without any, no file of them is written.
    `images` says where its images are; it is None where this is not known.
    """
    axes = {f"{AXES}/{stem}.npz": axis_bytes(fit) for stem, fit in analysed.fits.items()}
    sites = {SITES: sites_csv(analysed.sites).encode()}
    strips = report_strips(
        analysed.analysis, drawn_curves(analysed.analysis.curves), analysed.sites, lambda _: thumbnails()
    )
    texts = {name: text.encode() for name, text in text_files(analysed.analysis, strips).items()}
    pictures: dict[str, Content] = {}
    if any(True for _ in thumbnails()):
        pictures[THUMBNAILS] = _thumbnails(thumbnails)
    if images is not None:
        pictures[IMAGES] = partial(write_site_files, images=images)
    # The order is that of the moves; the report comes last.
    embeddings = {EMBEDDINGS: _embeddings(analysed, profiles)}
    contents: dict[str, Content] = {**embeddings, **pictures, **axes, **further, **sites, **texts}
    replace_files(out, contents)
    _delete_old_axes(out / AXES, axes)
    _delete_old_files(out, contents)


def read_folder_thumbnails(folder: Path) -> tuple[Thumbnail, ...]:
    """Return the thumbnails of an output folder, none where an older version wrote it. Raises Malformed."""
    path = folder / THUMBNAILS
    if not path.is_file():
        return ()
    with open_regular(path) as file:
        return read_thumbnails(file)


def read_folder_images(folder: Path) -> ImageFolder | None:
    """Return where the images of an output folder are, None where an older version wrote it.

    Raises Malformed, and Invalid for names that lead out of the folder of the images.
    """
    path = folder / IMAGES
    if not path.is_file():
        return None
    with open_regular(path) as file:
        return read_site_files(file, IMAGES)


def text_files(analysis: ScreenAnalysis, strips: Strips = NO_STRIPS) -> dict[str, str]:
    """Return the tables that an analysis holds and its report with `strips` of tiles, by file name."""
    parameters = analysis.provenance.parameters
    retrieval, ratios = parameters.retrieval, screen_ratios(parameters.curves, analysis.curves)
    return {
        **({RETRIEVAL: retrieval_csv(analysis.quality)} if retrieval else {}),
        WELLS: wells_csv(analysis.wells),
        **curve_files(analysis.curves),
        **({} if ratios is None else {POTENCY: potency_csv(ratios)}),
        "quality.json": quality_json(analysis),
        "report.html": render_report(analysis, strips),
    }


def quality_json(analysis: ScreenAnalysis) -> str:
    """Return the content of `quality.json`."""
    return json.dumps(analysis.quality.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n"


def _embeddings(analysed: Analysed, profiles: Profiles) -> Callable[[BinaryIO], None]:
    analysis = analysed.analysis
    origin = analysis.provenance.model_dump(include=set(VectorProvenance.model_fields))
    header = EmbeddingsHeader(
        **origin, parked=analysis.parked, notes=analysis.notes, parameters=analysis.provenance.parameters
    )

    def write(file: BinaryIO) -> None:
        efficacy, images = analysed.tile_efficacy, analysis.quality.images
        write_embeddings(file, analysis.wells, profiles, efficacy, header=header, images=images)

    return write


def _thumbnails(thumbnails: Callable[[], Iterable[Thumbnail]]) -> Callable[[BinaryIO], None]:
    return lambda file: write_thumbnails(file, thumbnails())


def _delete_old_axes(folder: Path, new: Container[str]) -> None:
    """Delete axes of an earlier run that are not among the new ones. Other files in the folder are not gandl's."""
    for path in folder.glob("*.npz"):
        if f"{AXES}/{path.name}" not in new and _is_axis(path):
            path.unlink()


def _delete_old_files(folder: Path, new: Container[str]) -> None:
    """Delete the tables and pictures that an earlier run wrote and this one did not."""
    for name in (THUMBNAILS, IMAGES):
        if name not in new:
            (folder / name).unlink(missing_ok=True)
    for name, columns in _SOMETIMES.items():
        if name not in new:
            delete_table(folder / name, columns)


def _is_axis(path: Path) -> bool:
    try:
        read_axis(path.read_bytes(), path.name)
    except Invalid:
        return False
    return True
