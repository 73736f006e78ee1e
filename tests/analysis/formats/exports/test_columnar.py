"""Tables as Parquet: values as they are, and columns whose type does not depend on the screen."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from gandl_analysis.formats.exports.columnar import (
    curve_wells_parquet,
    curves_parquet,
    embeddings_parquet,
    wells_parquet,
)
from gandl_analysis.formats.tables.curves import CURVE_COLUMNS, POINT_COLUMNS
from gandl_analysis.formats.tables.wells import WELL_COLUMNS
from gandl_shared.errors import NotFound

from tests.analysis.formats.exports.hostile import EVERYTHING, FORMULA, hostile_source, with_metadata

SOURCE = hostile_source()


def test_wells_are_those_of_the_analysis() -> None:
    table = pq.read_table(io.BytesIO(wells_parquet(SOURCE, EVERYTHING)))
    assert table.column_names == list(WELL_COLUMNS)
    assert table["efficacy"].to_pylist() == [well.efficacy for well in SOURCE.analysis.wells]
    assert table["compound"].to_pylist() == [well.compound for well in SOURCE.analysis.wells]
    assert (table.schema.field("excluded").type, table.schema.field("n_tiles").type) == (pa.string(), pa.int64())


def test_curves_and_their_wells_have_the_columns_of_the_files() -> None:
    curves = pq.read_table(io.BytesIO(curves_parquet(SOURCE, EVERYTHING)))
    assert curves.column_names == list(CURVE_COLUMNS)
    assert curves["compound"][0].as_py() == FORMULA
    assert curves.schema.field("loss_ec50_um").type == pa.float64()
    points = pq.read_table(io.BytesIO(curve_wells_parquet(SOURCE, EVERYTHING)))
    assert points.column_names == list(POINT_COLUMNS)
    assert points.num_rows == sum(len(curve.points) for curve in SOURCE.analysis.curves)


def test_vectors_that_are_not_there_are_an_answer_before_the_file_begins() -> None:
    with pytest.raises(NotFound):
        embeddings_parquet(SOURCE, EVERYTHING)


def test_numbers_of_the_plate_map_are_numbers_and_its_codes_are_texts() -> None:
    source = with_metadata(SOURCE, {"cells": "412", "batch": "007"})
    table = pq.read_table(io.BytesIO(wells_parquet(source, EVERYTHING)))
    assert (table["Metadata_cells"][0].as_py(), table["Metadata_batch"][0].as_py()) == (412.0, "007")
    assert table["Metadata_cells"][1].as_py() is None
