"""The features to compare: a published table of vectors, the output folder of a screen, or any other table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from gandl_analysis.formats.profiles.read import TableOptions, read_profile_table
from gandl_analysis.formats.reread import read_folder, with_exclusions
from gandl_analysis.pipeline.inputs import ScreenInput
from gandl_analysis.pipeline.scores.exclusions import left_out
from gandl_analysis.pipeline.tiles import tiles_of
from gandl_science.arrays import Index, Mask, Vectors, group_means
from gandl_shared.errors import BadInput, NotFound
from gandl_shared.plates import PlateMap, Well, find_table, plate_map_of_names, read_plate_map
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.store import Profiles, read_profiles

from gandl.simulate.published.sites import NOTICE

PUBLISHED = "published embedding"
TABLE_OF_SIMULATION = "drawn vectors (simulated)"
"""The name of the table in a folder that gandl simulated, where no network has seen the images."""
_TABLES = ("embeddings.parquet", "embeddings.csv")
_KEY = "Metadata_key"


@dataclass(frozen=True, kw_only=True)
class FieldVectors:
    """One vector [N, F] per field of view, the index `well` [N] of its well, and the `wells`."""

    wells: Sequence[Well]
    well: Index
    vectors: Vectors

    def of_wells(self, keep: Mask) -> FieldVectors:
        """Return only the wells in `keep` [W] and their fields."""
        index = np.cumsum(keep) - 1
        rows = keep[self.well]
        wells = [well for well, use in zip(self.wells, keep, strict=True) if use]
        return FieldVectors(wells=wells, well=index[self.well[rows]], vectors=self.vectors[rows])


def feature_paths(folder: Path, options: Sequence[str]) -> dict[str, Path]:
    """Return the features by name: the published table in the folder, and those of the options NAME=PATH.

    Raises BadInput for an option without a name, a name that is there twice, or no features; NotFound for a path.
    """
    if not folder.is_dir():
        raise NotFound(f"there is no folder {folder}")
    table = next((folder / name for name in _TABLES if (folder / name).is_file()), None)
    name = TABLE_OF_SIMULATION if is_simulated(folder) else PUBLISHED
    paths = {} if table is None else {name: table}
    for option in options:
        name, _, path = option.partition("=")
        if not name.strip() or not path.strip():
            raise BadInput(f"--features '{option}': give NAME=PATH, such as gan-dl=results")
        if name.strip() in paths:
            raise BadInput(f"--features: the name '{name.strip()}' stands for two tables; give each its own name")
        if not Path(path.strip()).exists():
            raise NotFound(f"--features {name.strip()}: there is no file or folder {path.strip()}")
        paths[name.strip()] = Path(path.strip())
    if not paths:
        raise BadInput(
            f"{folder} has no {' or '.join(_TABLES)}; give features with --features NAME=PATH, where PATH is the "
            "output folder of `gandl screen`, the table of `gandl embed`, or any table that `gandl analyse` reads"
        )
    return paths


def is_simulated(folder: Path) -> bool:
    """Return whether the data set says that gandl simulated it."""
    return (folder / NOTICE).is_file()


def read_screens(folder: Path, options: Sequence[str], positive: tuple[str, ...] = ()) -> Mapping[str, ScreenInput]:
    """Return the input of an analysis for each of the features. Raises as `feature_paths` and `gandl analyse`."""
    paths = feature_paths(folder, options)
    screened = [name for name, path in paths.items() if path.is_dir()]
    if positive and screened:
        raise BadInput(
            f"--positive-control does not reach {', '.join(screened)}: the output folder of a screen has the controls "
            "with which it was screened; screen again with --positive-control, and leave it out here"
        )
    return {name: _screen(path, _metadata(folder), positive) for name, path in paths.items()}


def field_vectors(screen: ScreenInput, *, controls: bool = False) -> FieldVectors:
    """Return the mean vector of each field of view of the used wells, or of the control wells only.

    What the parameters of the screen leave out is not among them.
    """
    screen = left_out(screen).without(screen)
    wells = [well for well in screen.used_wells if well.role.is_control or not controls]
    tiles = tiles_of(screen.profiles, wells)
    return _by_field(tiles.wells, tiles.well, tiles.sites, tiles.vectors)


def read_cells(folder: Path, options: Sequence[str]) -> Mapping[str, FieldVectors]:
    """Return the fields with the cell lines of their wells, which need no controls.

    Without `metadata.csv`, cell lines come from the names of the images. Raises as `feature_paths` and `gandl analyse`.
    """
    paths = feature_paths(folder, options)
    plate_map = cell_map(folder)
    return {name: _cells(path, plate_map, folder) for name, path in paths.items()}


def cell_map(folder: Path, positive: tuple[str, ...] = ()) -> PlateMap:
    """Return the wells of `metadata.csv`, or those that the names of the images tell."""
    table = find_table(folder)
    if table is not None:
        return read_plate_map(table, controls=False, positive=positive)
    return plate_map_of_names(images_of(folder))


def images_of(folder: Path) -> Path:
    """Return the folder of the images: `images` below the folder, else the folder itself."""
    return folder / "images" if (folder / "images").is_dir() else folder


def _metadata(folder: Path) -> Path:
    table = find_table(folder)
    if table is None:
        raise BadInput(f"{folder} has no metadata.csv of RxRx19a or RxRx1, which says what each well holds")
    return table


def _screen(path: Path, metadata: Path, positive: tuple[str, ...]) -> ScreenInput:
    parameters = AnalysisParameters()
    if path.is_dir():
        return with_exclusions(read_folder(path, parameters), path)
    return read_profile_table(path, parameters, TableOptions(plate_map=metadata, positive=positive)).screen


def _cells(path: Path, plate_map: PlateMap, folder: Path) -> FieldVectors:
    if path.is_dir():
        return field_vectors(with_exclusions(read_folder(path, AnalysisParameters()), path))
    if path.suffix == ".parquet" and _KEY in pq.read_schema(path).names:
        with path.open("rb") as file:
            return _of_profiles(read_profiles(file), plate_map)
    return field_vectors(_screen(path, _metadata(folder), ()))


def _of_profiles(profiles: Profiles, plate_map: PlateMap) -> FieldVectors:
    index = {(well.plate, well.well): i for i, well in enumerate(plate_map.wells)}
    places = list(zip(profiles.plates.tolist(), profiles.wells.tolist(), strict=True))
    unknown = next((key for key in places if key not in index), None)
    if unknown is not None:
        raise BadInput(f"well {unknown[1]} of plate {unknown[0]} has vectors, and {plate_map.source} has no such well")
    well = np.array([index[key] for key in places], np.intp)
    fields = _by_field(plate_map.wells, well, profiles.sites, profiles.vectors)
    return fields.of_wells(np.bincount(well, minlength=len(plate_map.wells)) > 0)


def _by_field(wells: Sequence[Well], well: Index, sites: np.ndarray, vectors: Vectors) -> FieldVectors:
    names = [f"{w}\t{site}" for w, site in zip(well.tolist(), sites.tolist(), strict=True)]
    _, first, field = np.unique(names, return_index=True, return_inverse=True)
    order = np.argsort(first)
    if len(first) == len(vectors):
        return FieldVectors(wells=wells, well=well, vectors=vectors)
    means = group_means(vectors, field, len(first)).astype(np.float32)
    return FieldVectors(wells=wells, well=well[first[order]], vectors=means[order])


def as_in_the_paper(screen: ScreenInput) -> ScreenInput:
    """Return the screen with the preset `paper`: raw vectors, cell lines together, in-sample."""
    exclusions = screen.parameters.exclusions
    return replace(screen, parameters=AnalysisParameters.model_validate({"preset": "paper", "exclusions": exclusions}))
