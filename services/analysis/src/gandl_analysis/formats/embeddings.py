"""The file `embeddings.parquet`: one row per tile, and in the file's own metadata how its vectors were computed.

Column names are the contract of docs/files.md. pycytominer, copairs and AnnData read the file as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from gandl_science.arrays import Float
from gandl_shared.errors import Invalid, Problem
from gandl_shared.plates import metadata_column
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.quality import PlateImages
from gandl_shared.schemas.screen import ParkedSite, WellScore
from gandl_shared.store import Profiles, profiles_table, read_profiles
from pydantic import ValidationError

from gandl_analysis.formats.tables.metadata import metadata_columns, prefixed_metadata
from gandl_analysis.pipeline.result import VectorProvenance

HEADER_KEY = "gandl"
"""The key of the file's metadata under which its `EmbeddingsHeader` is stored as JSON."""
_WELL_COLUMNS = {
    "role": pa.string(),
    "compound": pa.string(),
    "concentration_um": pa.float64(),
    "cell_line": pa.string(),
}
_GROUP_ROWS = 32_768
_AFTER_WELL_NAME = 2
_AFTER_WELL_COLUMNS = _AFTER_WELL_NAME + len(_WELL_COLUMNS)


class EmbeddingsHeader(VectorProvenance):
    """How the vectors of a screen were computed, its sites without vectors, and what was assumed.

    With it `embeddings.parquet` can be analysed again without images or model. `parameters` are those of the analysis
    that it belongs to; an older version of gandl did not state them.
    """

    parked: tuple[ParkedSite, ...]
    notes: tuple[str, ...] = ()
    parameters: AnalysisParameters | None = None


class _WellRow(NamedTuple):
    """What every tile of a well has in its row: its result, and the further columns of the plate map."""

    well: WellScore
    further: Mapping[str, str]


def write_embeddings(
    file: BinaryIO,
    wells: Sequence[WellScore],
    profiles: Profiles,
    efficacy: Float | None = None,
    header: EmbeddingsHeader | None = None,
    images: Mapping[str, PlateImages] | None = None,
) -> None:
    """Write the file: where each tile is, what its well holds, its `efficacy` [N], its image QC and its vector.

    All columns but those of the vector (`gandl_000` …) begin with `Metadata_`. `images` is the image QC by plate.
    Further columns of the plate map are added where their name is not taken.
    """
    # A well has many tiles, so what its rows share is looked up once.
    rows_of = {(w.plate, w.well): _WellRow(w, prefixed_metadata(w)) for w in wells}
    further = metadata_columns(wells)
    metadata = None if header is None else {HEADER_KEY: header.model_dump_json()}
    writer: pq.ParquetWriter | None = None
    # The rows of a large screen are written part by part, as a second copy of its vectors may not fit into memory.
    for start in range(0, max(len(profiles), 1), _GROUP_ROWS):
        rows = slice(start, start + _GROUP_ROWS)
        own = None if efficacy is None else efficacy[rows]
        part = _table(further, rows_of, profiles.where(rows), own, images).replace_schema_metadata(metadata)
        writer = writer or _writer(file, part.schema)
        writer.write_table(part)
    if writer is not None:
        writer.close()


def _writer(file: BinaryIO, schema: pa.Schema) -> pq.ParquetWriter:
    # Only texts repeat: a dictionary of the numbers of each feature would be built and thrown away again.
    repeated = [field.name for field in schema if pa.types.is_string(field.type)]
    return pq.ParquetWriter(file, schema, use_dictionary=repeated, write_statistics=False, compression="none")


def _table(
    further: Sequence[str],
    rows_of: Mapping[tuple[str, str], _WellRow],
    profiles: Profiles,
    efficacy: Float | None,
    images: Mapping[str, PlateImages] | None,
) -> pa.Table:
    table = profiles_table(profiles)
    tile_rows = [rows_of[key] for key in zip(profiles.plates, profiles.wells, strict=True)]
    for i, (name, kind) in enumerate(_WELL_COLUMNS.items()):
        column = pa.array([getattr(row.well, name) for row in tile_rows], kind)
        table = table.add_column(_AFTER_WELL_NAME + i, metadata_column(name), column)
    if efficacy is not None:
        # from_pandas writes NaN, a tile without efficacy, as null.
        column = pa.array(efficacy, pa.float64(), from_pandas=True)
        table = table.add_column(_AFTER_WELL_COLUMNS, "Metadata_efficacy", column)
    if profiles.has_site_metrics:
        column = pa.array(_image_qc(images or {}, profiles), pa.string())
        table = table.add_column(table.column_names.index("Metadata_sharpness_1"), "Metadata_image_qc", column)
    for name in reversed(further):
        if name not in table.column_names:
            column = pa.array([row.further.get(name, "") for row in tile_rows], pa.string())
            table = table.add_column(_AFTER_WELL_COLUMNS, name, column)
    return table


def read_embeddings(path: Path) -> tuple[Profiles, EmbeddingsHeader]:
    """Read the vectors and the header of such a file.

    Raises Invalid naming the file where it is not Parquet, has no header or does not fit its model.
    """
    header = read_header(path)
    with path.open("rb") as file:
        profiles = read_profiles(file)
    if profiles.vectors.shape[1] != header.model.features:
        detail = f"{profiles.vectors.shape[1]} columns gandl_…, its model has {header.model.features} features"
        raise Invalid(f"{path.name} has {detail}", problems=[Problem(detail, file=path.name)])
    return profiles, header


def read_header(path: Path) -> EmbeddingsHeader:
    """Read how the vectors of such a file were computed. Raises Invalid as `read_embeddings` does."""
    try:
        content = (pq.read_schema(path).metadata or {}).get(HEADER_KEY.encode())
        if content is not None:
            return EmbeddingsHeader.model_validate_json(content)
        detail = "does not say how its vectors were computed"
    except (pa.ArrowInvalid, OSError) as error:
        detail = f"is not a Parquet file: {str(error).splitlines()[0]}"
    except ValidationError as error:
        detail = f"describes its vectors in a form that this version does not know ({error.errors()[0]['loc']})"
    raise Invalid(f"{path.name} {detail}; screen the images again", problems=[Problem(detail, file=path.name)])


def _image_qc(images: Mapping[str, PlateImages], profiles: Profiles) -> list[str]:
    """Return the problems of the site of each tile, joined by `;`; empty for a good one."""
    failed = {(plate, s.well, s.site): ";".join(s.reasons) for plate, qc in images.items() for s in qc.failed}
    return [failed.get(key, "") for key in zip(profiles.plates, profiles.wells, profiles.sites, strict=True)]
