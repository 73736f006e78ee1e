"""The workbook: its sheets, numbers as numbers, and texts that no program runs."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import cache

import pytest
from gandl_analysis.formats.exports.workbook import MAX_TEXT, workbook
from gandl_analysis.formats.tables.curves import CURVE_COLUMNS
from gandl_shared.errors import TooLarge
from openpyxl import Workbook, load_workbook

from tests.analysis.formats.exports.hostile import AT_SIGN, EVERYTHING, FORMULA, MINUS, hostile_source, with_metadata


@cache
def written_book() -> Workbook:
    return load_workbook(io.BytesIO(workbook(hostile_source(), EVERYTHING)))


def test_every_text_is_a_text_and_every_number_a_number() -> None:
    source, book = hostile_source(), written_book()
    assert book.sheetnames == ["wells", "curves", "curve wells", "ranking", "decisions", "quality", "parameters"]
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell.value for cell in cells if cell.data_type in ("f", "e")]
    curves = book["curves"]
    header = [cell.value for cell in curves[1]]
    assert header == list(CURVE_COLUMNS)
    first = dict(zip(header, [cell.value for cell in curves[2]], strict=True))
    assert first["compound"] == FORMULA
    assert first["ec50_um"] == source.analysis.curves[0].ec50.value
    names = {row[0].value for row in curves.iter_rows(min_row=2)}
    assert {FORMULA, AT_SIGN, MINUS} <= names
    assert book["wells"].max_row == len(source.analysis.wells) + 1


def test_parameters_say_which_analysis_it_is() -> None:
    book = written_book()
    values = {row[0].value: row[1].value for row in book["parameters"].iter_rows(min_row=2)}
    assert (values["screen"], values["version of the analysis"]) == ("s-1", 3)
    assert values["parameters.alpha"] == 0.05
    assert values["model.name"] == "gandl-example-64"


def test_a_text_that_a_program_would_cut_is_refused() -> None:
    source = hostile_source()
    long = replace(source, analysis=source.analysis.model_copy(update={"notes": ("x" * (MAX_TEXT + 1),)}))
    with pytest.raises(TooLarge, match="32768 characters"):
        workbook(long, EVERYTHING)


def test_numbers_of_the_plate_map_are_numbers_and_its_codes_are_texts() -> None:
    source = with_metadata(hostile_source(), {"cells": "412", "batch": "007"})
    sheet = load_workbook(io.BytesIO(workbook(source, EVERYTHING)))["wells"]
    header = [cell.value for cell in sheet[1]]
    first = dict(zip(header, [cell.value for cell in sheet[2]], strict=True))
    assert (first["Metadata_cells"], first["Metadata_batch"]) == (412, "007")
