"""Exports by address: each file, its version, and refusals of what an export does not take."""

from __future__ import annotations

import io
from zipfile import ZipFile

import pyarrow.parquet as pq
import pytest
from gandl_analysis.formats.store_layout import read_analysis
from gandl_analysis.formats.tables.curves import points_csv
from gandl_analysis.formats.tables.wells import wells_csv
from openpyxl import load_workbook

from tests.analysis.service.stack import STRANGE_NAME, Stack


def at(screen: str, name: str = "") -> str:
    return f"/screens/{screen}/exports{'/' if name else ''}{name}"


def test_the_list_names_every_file_and_what_it_takes(shared_stack: Stack) -> None:
    forms = shared_stack.client.get(at(shared_stack.second)).json()
    by_name = {form["name"]: form for form in forms}
    assert by_name["prism.csv"]["parameters"] == ["cell_line", "compound"]
    assert by_name["screen.zip"]["media_type"] == "application/zip"
    assert shared_stack.client.get(at("nobody")).status_code == 404


def test_a_table_is_the_file_of_the_version(shared_stack: Stack) -> None:
    stored = read_analysis(shared_stack.store, shared_stack.second, 1)
    answer = shared_stack.client.get(at(shared_stack.second, "wells.csv"), params={"version": 1})
    assert answer.text == wells_csv(stored.wells)
    assert answer.headers["content-type"].startswith("text/csv")
    name = f'filename="{shared_stack.second}-v1-wells.csv"'
    assert answer.headers["content-disposition"] == f"attachment; {name}"
    assert shared_stack.client.get(at(shared_stack.second, "dose_response_wells.csv")).text == points_csv(stored.curves)
    assert shared_stack.client.get(at(shared_stack.second, "wells.csv"), params={"version": 7}).status_code == 404


def test_an_empty_text_of_a_form_stands_for_everything(shared_stack: Stack) -> None:
    address = at(shared_stack.second, "plates.csv")
    whole = shared_stack.client.get(address)
    assert shared_stack.client.get(address, params={"plate": "", "quantity": ""}).content == whole.content
    assert whole.status_code == 200


def test_the_archive_can_be_analysed_again(shared_stack: Stack) -> None:
    content = shared_stack.client.get(at(shared_stack.second, "screen.zip")).content
    with ZipFile(io.BytesIO(content)) as archive:
        assert {"wells.csv", "sites.csv", "embeddings.parquet", "workbook.xlsx"} <= set(archive.namelist())
        rows = pq.read_table(io.BytesIO(archive.read("embeddings.parquet"))).num_rows
        assert rows == len(shared_stack.store.profiles(shared_stack.second))
        assert "wells" in load_workbook(io.BytesIO(archive.read("workbook.xlsx"))).sheetnames


def test_a_compound_with_a_strange_name_is_chosen_in_the_query(shared_stack: Stack) -> None:
    answer = shared_stack.client.get(at(shared_stack.second, "prism.csv"), params={"compound": STRANGE_NAME})
    assert answer.status_code == 200
    assert STRANGE_NAME in answer.text.splitlines()[0]


@pytest.mark.parametrize(
    ("name", "query", "status"),
    [
        ("wells.csv", {"plate": "P1"}, 422),
        ("wells.csv", {"plates": "P1"}, 422),
        ("plate.svg", {"plate": "nowhere"}, 404),
        ("wells.doc", {}, 404),
        ("structures.sdf", {}, 404),
    ],
)
def test_what_cannot_be_exported_is_refused(shared_stack: Stack, name: str, query: dict[str, str], status: int) -> None:
    answer = shared_stack.client.get(at(shared_stack.second, name), params=query)
    assert answer.status_code == status
    assert answer.json()["detail"]


def test_a_screen_without_results_says_so(shared_stack: Stack) -> None:
    assert shared_stack.client.get(at(shared_stack.waiting, "wells.csv")).status_code == 409
