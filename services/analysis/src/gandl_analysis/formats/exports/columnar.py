"""Tables as Parquet: numbers keep every bit, texts stay as they are, and pandas, R and DuckDB read them."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence

import pyarrow as pa
import pyarrow.parquet as pq
from gandl_shared.plates import has_metadata_prefix
from gandl_shared.store import Profiles

from gandl_analysis.formats.embeddings import EmbeddingsHeader, write_embeddings
from gandl_analysis.formats.exports.source import ExportChoice, ExportSource
from gandl_analysis.formats.tables.curves import curve_records, point_records
from gandl_analysis.formats.tables.metadata import (
    metadata_columns,
    metadata_number,
    numeric_metadata,
    prefixed_metadata,
)
from gandl_analysis.formats.tables.wells import WELL_COLUMNS
from gandl_analysis.pipeline.result import VectorProvenance

_PART_BYTES = 2**20
_TEXTS = frozenset(
    """
    plate well role compound cell_line excluded screen model verdict flags ec50_relation absolute_ec50_relation
    loss_ec50_relation window_relation window_limited_by
    """.split()  # noqa: SIM905 - a table of words reads better than 15 quoted strings
)
_TYPES = {"n_tiles": pa.int64(), "n_doses": pa.int64(), "n_wells": pa.int64(), "is_vehicle": pa.bool_()}
"""The columns that are no numbers with a fraction; a column of the plate map is one if all of its texts are numbers."""


def wells_parquet(source: ExportSource, _: ExportChoice) -> bytes:
    """Return one row per well, with the columns of `wells.csv`."""
    wells = source.analysis.wells
    columns = (*WELL_COLUMNS, *metadata_columns(wells))
    return _table(columns, ({**well.model_dump(), **prefixed_metadata(well)} for well in wells))


def curves_parquet(source: ExportSource, _: ExportChoice) -> bytes:
    """Return one row per curve, with the columns of `dose_response.csv`."""
    return _table(*curve_records(source.analysis.curves))


def curve_wells_parquet(source: ExportSource, _: ExportChoice) -> bytes:
    """Return one row per well of a curve, with the columns of `dose_response_wells.csv`."""
    return _table(*point_records(source.analysis.curves))


def embeddings_parquet(source: ExportSource, _: ExportChoice) -> Iterator[bytes]:
    """Return the vectors of all tiles part by part, as in `embeddings.parquet`, without the column of the efficacy of
    tiles, which is not stored. `gandl analyze` reads it beside `wells.csv`. Raises NotFound without vectors."""
    # The vectors are read before the answer begins, so that their absence is still an answer of its own.
    return _embeddings(source, source.profiles())


def _embeddings(source: ExportSource, profiles: Profiles) -> Iterator[bytes]:
    analysis = source.analysis
    origin = analysis.provenance.model_dump(include=set(VectorProvenance.model_fields))
    header = EmbeddingsHeader(
        **origin, parked=analysis.parked, notes=analysis.notes, parameters=analysis.provenance.parameters
    )
    with tempfile.TemporaryFile() as file:
        write_embeddings(file, analysis.wells, profiles, header=header, images=analysis.quality.images)
        file.seek(0)
        while part := file.read(_PART_BYTES):
            yield part


def _table(columns: Sequence[str], records: Iterable[Mapping[str, object]]) -> bytes:
    rows = list(records)
    numeric = numeric_metadata(columns, rows)
    arrays = [
        pa.array(list(map(metadata_number, values)), pa.float64())
        if name in numeric
        else pa.array(list(map(_plain, values)), _type(name))
        for name in columns
        for values in [[row.get(name) for row in rows]]
    ]
    buffer = io.BytesIO()
    pq.write_table(pa.table(dict(zip(columns, arrays, strict=True))), buffer)
    return buffer.getvalue()


def _type(name: str) -> pa.DataType:
    # The type of a column of our own must not depend on the screen: a column without any value would have none.
    is_text = name in _TEXTS or has_metadata_prefix(name)
    return pa.string() if is_text else _TYPES.get(name, pa.float64())


def _plain(value: object) -> object:
    """Return a member of an enum as its text."""
    return str(value) if isinstance(value, str) else value
