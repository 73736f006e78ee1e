"""The images of a screen as plates in OME-Zarr, with the values of the plate map and the scores of each well."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gandl_shared.errors import BadInput, Invalid, NotFound
from gandl_shared.files.atomic import atomic_folder
from gandl_shared.files.formulas import neutral_text, plain_text
from gandl_shared.imaging import read_site, sampled_limits, split_sites
from gandl_shared.imaging.ome_zarr.writer import PlateDescription, PlateWriter
from gandl_shared.plates import PlateMap, Site, Well, read_plate_map
from gandl_shared.plates.ome_zarr.groups import VERSIONS
from gandl_shared.plates.sites import ImageSurvey, survey_images
from gandl_shared.schemas.choice import ImageChoice

TABLE = "wells.csv"
"""The table of wells inside a plate, for programs that do not read the attributes of its groups."""

_FORMATS = {version: number for number, version in VERSIONS.items()}
_WELL_SCORES = ("on", "off", "efficacy", "off_distance", "n_tiles", "excluded")
_CURVE_VALUES = ("verdict", "ec50_um", "ec50_relation", "emax", "q_value", "flags")
_NUMBERS = frozenset({"on", "off", "efficacy", "off_distance", "n_tiles", "ec50_um", "emax", "q_value"})

Value = str | float | None
Notes = Mapping[str, Value]


@dataclass(frozen=True, kw_only=True)
class PlateExport:
    """What is exported and where to, as the options of `gandl export-zarr` say it."""

    images: Path
    plate_map: Path
    out: Path
    scores: Path | None
    version: str
    pattern: str | None
    channels: tuple[str, ...] | None
    choice: ImageChoice
    names: tuple[str, ...] | None
    pixel_size_um: float | None


@dataclass(frozen=True, kw_only=True)
class ExportedPlate:
    """A plate with its fields, and what is written about it."""

    folder: str
    sites: tuple[Site, ...]
    description: PlateDescription


def plan_export(export: PlateExport) -> tuple[ExportedPlate, ...]:
    """Check everything before a file is written, and return the plates.

    Raises BadInput and its kin: for images and plate maps as a screen does, for an output that exists, for names that
    do not fit the channels, and for scores of another screen.
    """
    if export.out.exists():
        raise BadInput(f"{export.out} is there already; remove it, or give another name")
    if not export.out.resolve().parent.is_dir():
        raise NotFound(f"folder {export.out.resolve().parent} is not there; make it first")
    plate_map = read_plate_map(export.plate_map, controls=False)
    survey = survey_images(export.images, plate_map, export.pattern, channels=export.channels, choice=export.choice)
    sites = [site for site in split_sites(survey.sites) if site.is_complete]
    notes = _notes(survey.plate_map, export.scores)
    plates = dict.fromkeys(site.plate for site in sites)
    parts = {plate: tuple(site for site in sites if site.plate == plate) for plate in plates}
    return tuple(
        ExportedPlate(
            folder=_folder(plate, len(plates), export.out),
            sites=fields,
            description=_describe(plate, fields, survey, export, notes),
        )
        for plate, fields in parts.items()
    )


def write_plates(export: PlateExport, plates: Sequence[ExportedPlate]) -> Iterator[Site]:
    """Write the plates, and yield each field when it is written. The output appears when all of them are."""
    with _new_folder(export.out) as folder:
        for plate in plates:
            root = folder / plate.folder
            root.mkdir(exist_ok=True)
            writer = PlateWriter(root, plate.description, zarr_format=_FORMATS[export.version])
            numbers: Counter[str] = Counter()
            for site in plate.sites:
                numbers[site.well] += 1
                writer.write_field(site.well, numbers[site.well], read_site(site.stacks, export.choice.reduction))
                yield site
            (root / TABLE).write_text(_table(plate.description.notes), encoding="utf-8")


@contextmanager
def _new_folder(out: Path) -> Iterator[Path]:
    try:
        with atomic_folder(out) as folder:
            yield folder
    except OSError as error:
        raise BadInput(f"{out} cannot be written: {error.strerror or error}") from error


def _folder(plate: str, count: int, out: Path) -> str:
    """Return the folder of a plate inside the output, which is the plate itself if there is only one."""
    if count == 1:
        return ""
    if out.suffix.lower() == ".zarr":
        raise Invalid(f"the images are {count} plates, and {out.name} can be one; give a folder without .zarr")
    if plate in (".", "..") or "/" in plate or "\\" in plate:
        raise Invalid(f"plate '{plate}' cannot be the name of a folder; export it by itself")
    return f"{plate}.zarr"


def _describe(
    plate: str, sites: Sequence[Site], survey: ImageSurvey, export: PlateExport, notes: Mapping[tuple[str, str], Notes]
) -> PlateDescription:
    limits = sampled_limits([site.stacks for site in sites], downscale=1, reduction=export.choice.reduction)
    return PlateDescription(
        name=plate,
        channels=_channel_names(export.names, survey, len(limits.low)),
        windows=tuple(zip(limits.low, limits.high, strict=True)),
        wells=Counter(site.well for site in sites),
        pixel_size_um=export.pixel_size_um or survey.pixel_size_um,
        notes={well: values for (of_plate, well), values in notes.items() if of_plate == plate},
    )


def _channel_names(names: Sequence[str] | None, survey: ImageSurvey, count: int) -> tuple[str, ...]:
    if names is not None:
        if len(names) != count:
            raise Invalid(f"--names has {len(names)} names for {count} channels; give one name per channel")
        return tuple(names)
    tokens = survey.channels.tokens
    if len(tokens) != count:  # one file holds all channels
        return tuple(f"channel {i + 1}" for i in range(count))
    instrument = {channel.token: channel.name for channel in survey.names}
    return tuple(instrument.get(token) or f"channel {token}" for token in tokens)


def _notes(plate_map: PlateMap, scores: Path | None) -> dict[tuple[str, str], Notes]:
    """Return the values of each well: those of the plate map, then its scores and the curve of its compound."""
    wells = {(well.plate, well.well): _well_values(well) for well in plate_map.used}
    if scores is None:
        return dict(wells)
    rows = {(row["plate"], row["well"]): row for row in _read_table(scores / "wells.csv")}
    curves: dict[tuple[Value, Value], dict[str, str]] = {
        (row["compound"], row["cell_line"]): row for row in _read_table(scores / "dose_response.csv")
    }
    if not rows.keys() & wells.keys():
        raise Invalid(f"no well of {plate_map.source} is in {scores / 'wells.csv'}; give the folder of this screen")
    return {
        key: values
        | _pick(rows.get(key, {}), _WELL_SCORES)
        | _pick(curves.get((values["compound"], values["cell_line"]), {}), _CURVE_VALUES)
        for key, values in wells.items()
    }


def _well_values(well: Well) -> dict[str, Value]:
    return {
        "plate": well.plate,
        "well": well.well,
        "role": well.role.value,
        "compound": well.compound,
        "concentration_um": well.concentration_um,
        "cell_line": well.cell_line,
    }


def _pick(row: Mapping[str, str], columns: Sequence[str]) -> dict[str, Value]:
    return {column: _value(column, row[column]) for column in columns if column in row}


def _value(column: str, text: str) -> Value:
    if not text:
        return None
    return float(text) if column in _NUMBERS else text


def _read_table(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        raise NotFound(f"{path} is not there; give the output folder of `gandl screen`")
    with path.open(newline="", encoding="utf-8") as file:
        return [{name: plain_text(cell) for name, cell in row.items()} for row in csv.DictReader(file)]


def _table(notes: Mapping[str, Notes]) -> str:
    columns = dict.fromkeys(column for values in notes.values() for column in values)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), lineterminator="\n")
    writer.writeheader()
    for note in notes.values():
        writer.writerow({name: neutral_text(v) if isinstance(v, str) else v for name, v in note.items()})
    return text.getvalue()
