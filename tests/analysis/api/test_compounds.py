"""Compounds across screens, and their curves in four forms."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ET

import pytest
from gandl_analysis.figures.dose_response import dose_response_figure
from gandl_analysis.figures.montage import curves_png, curves_svg
from gandl_analysis.figures.svg import to_png
from gandl_analysis.formats.store_layout import read_analysis
from gandl_analysis.formats.tables.curves import (
    ASSESSMENT_COLUMNS,
    CURVE_COLUMNS,
    covariances_csv,
    lines_csv,
    points_csv,
)
from gandl_shared.errors import Invalid
from gandl_shared.schemas.curve import Curve
from PIL import Image, ImageChops

from tests.analysis.service.stack import STRANGE_NAME, Stack

STRANGE_ID = "A%2FB%2050%25%20%CE%BC%3F"


def test_compounds_say_where_they_were_tested(shared_stack: Stack) -> None:
    page = shared_stack.client.get("/compounds").json()
    assert page["total"] == 2
    strange, x = page["items"]
    assert strange == {
        "id": STRANGE_ID,
        "compound": STRANGE_NAME,
        "cell_lines": ["U2OS", "A549"],
        "screens": [shared_stack.second],
    }
    assert x["screens"] == [shared_stack.second, shared_stack.first]


def test_compounds_are_searched_filtered_and_paged(shared_stack: Stack) -> None:
    def names(**query: str | int) -> list[str]:
        return [item["compound"] for item in shared_stack.client.get("/compounds", params=query).json()["items"]]

    assert names(q="a/b") == [STRANGE_NAME]
    assert names(q="nothing") == []
    assert names(screen=shared_stack.first) == ["X"]
    assert names(cell_line="A549") == [STRANGE_NAME, "X"]
    assert names(cell_line="A549", screen=shared_stack.first) == []
    assert names(limit=1, offset=1) == ["X"]
    assert shared_stack.client.get("/compounds", params={"screen": "nope"}).status_code == 404
    assert shared_stack.client.get("/compounds", params={"screen": shared_stack.waiting}).status_code == 409


def test_curves_of_all_screens_are_each_marked_with_theirs(shared_stack: Stack) -> None:
    body = shared_stack.client.get("/compounds/X/dose-response").json()
    assert body["compound"] == "X"
    assert [(curve["screen"], curve["cell_line"]) for curve in body["curves"]] == [
        (shared_stack.second, "U2OS"),
        (shared_stack.second, "A549"),
        (shared_stack.first, "U2OS"),
    ]
    stored = read_analysis(shared_stack.store, shared_stack.first, 1).curves[0]
    assert {**body["curves"][2], "screen": None} == {**stored.model_dump(mode="json"), "screen": None}


def test_a_name_is_percent_encoded_in_its_path(shared_stack: Stack) -> None:
    answer = shared_stack.client.get(f"/compounds/{STRANGE_ID}/dose-response", params={"cell_line": "A549"})
    assert answer.status_code == 200
    assert [(c["compound"], c["cell_line"]) for c in answer.json()["curves"]] == [(STRANGE_NAME, "A549")]


def test_curves_as_csv(shared_stack: Stack) -> None:
    at, accept = "/compounds/X/dose-response", {"Accept": "text/csv"}
    table = list(csv.DictReader(io.StringIO(shared_stack.client.get(at, headers=accept).text)))
    assert list(table[0]) == ["screen", *CURVE_COLUMNS, *ASSESSMENT_COLUMNS]
    assert [row["screen"] for row in table] == [shared_stack.second, shared_stack.second, shared_stack.first]
    points = shared_stack.client.get(at, params={"points": True, "screen": shared_stack.first}, headers=accept)
    rows = list(csv.DictReader(io.StringIO(points.text)))
    stored = read_analysis(shared_stack.store, shared_stack.first, 1).curves[0]
    assert [float(row["efficacy"]) for row in rows] == [point.efficacy for point in stored.points]


def test_every_table_of_a_curve_is_an_answer(shared_stack: Stack) -> None:
    at, accept = "/compounds/X/dose-response", {"Accept": "text/csv"}
    answer = shared_stack.client.get(at, params={"screen": shared_stack.first}).json()
    curves = [Curve.model_validate(curve) for curve in answer["curves"]]
    expected = {"wells": points_csv, "lines": lines_csv, "covariances": covariances_csv}
    for table, to_csv in expected.items():
        query = {"table": table, "screen": shared_stack.first}
        text = shared_stack.client.get(at, params=query, headers=accept).text
        assert text == to_csv(curves)
    assert shared_stack.client.get(at, params={"table": "all"}, headers=accept).status_code == 422


def test_curves_as_pictures(shared_stack: Stack) -> None:
    at = "/compounds/X/dose-response"
    one = shared_stack.client.get(at, params={"screen": shared_stack.first}, headers={"Accept": "image/svg+xml"})
    all_of_them = shared_stack.client.get(at, headers={"Accept": "image/svg+xml"})
    assert one.headers["content-type"] == all_of_them.headers["content-type"] == "image/svg+xml"
    panel, stack = ET.fromstring(one.text), ET.fromstring(all_of_them.text)
    assert _height(stack) == 3 * _height(panel)
    assert "A549" in all_of_them.text
    png = [
        Image.open(io.BytesIO(shared_stack.client.get(at, params=query, headers={"Accept": "image/png"}).content))
        for query in ({"screen": shared_stack.first}, {})
    ]
    assert png[1].size == (png[0].width, 3 * png[0].height)
    again = shared_stack.client.get(at, headers={"Accept": "image/svg+xml"})
    assert again.content == all_of_them.content


def test_a_png_is_drawn_on_white_and_keeps_what_is_half_transparent(shared_stack: Stack) -> None:
    curve = read_analysis(shared_stack.store, shared_stack.first, 1).curves[0]
    rendered = Image.open(io.BytesIO(to_png(dose_response_figure(curve)))).convert("RGBA")
    white = Image.new("RGBA", rendered.size, "white")
    picture = Image.open(io.BytesIO(curves_png([curve])))
    difference = ImageChops.difference(picture, Image.alpha_composite(white, rendered).convert("RGB"))
    assert picture.getpixel((0, 0)) == (255, 255, 255)
    assert max(high for _, high in difference.getextrema()) <= 1


def test_too_many_curves_for_a_picture_are_refused(shared_stack: Stack) -> None:
    curve = read_analysis(shared_stack.store, shared_stack.first, 1).curves[0]
    for draw in (curves_svg, curves_png):
        with pytest.raises(Invalid, match="41 curves"):
            draw([curve] * 41)


def test_what_was_not_tested_answers_404(shared_stack: Stack) -> None:
    for path in ("nothing", "DMSO", "", "a%2Fb", "%00", "X/dose-response/x"):
        answer = shared_stack.client.get(f"/compounds/{path}/dose-response")
        assert answer.status_code == 404, path
    absent = shared_stack.client.get("/compounds/X/dose-response", params={"cell_line": "HeLa"})
    assert (absent.status_code, absent.json()["error"]) == (404, "NotFound")
    assert shared_stack.client.get("/compounds/X/dose-response?screen=nope").status_code == 404
    assert shared_stack.client.get("/compounds/X/dose-response?version=1").status_code == 422
    waiting = shared_stack.client.get(f"/compounds/X/dose-response?screen={shared_stack.waiting}")
    assert waiting.status_code == 409


def test_a_screen_that_is_being_deleted_is_passed_over(stack: Stack) -> None:
    stack.store.delete(stack.second)
    assert [item["compound"] for item in stack.client.get("/compounds").json()["items"]] == ["X"]
    curves = stack.client.get("/compounds/X/dose-response").json()["curves"]
    assert [curve["screen"] for curve in curves] == [stack.first]
    assert stack.client.get("/compounds", params={"screen": stack.second}).status_code == 404


def _height(svg: ET.Element) -> float:
    return float(svg.attrib["height"].removesuffix("pt"))
