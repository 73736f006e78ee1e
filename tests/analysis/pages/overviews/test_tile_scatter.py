"""The scatter of tiles: each leads to its well, and what is no position of tiles is refused."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from gandl_analysis.formats.tile_positions import TileSample
from gandl_analysis.pages.routes import add_pages

from tests.analysis.pages.example_reader import ExampleReader

ROOT = "/ui/screens/done/scatter?of=tiles"


class SampledReader(ExampleReader):
    """The invented screen with four tiles, one of which has no efficacy."""

    def tile_sample(self, screen_id: str, version: int) -> TileSample | None:
        return TileSample(
            total=400,
            plates=["HRCE-1"] * 4,
            wells=["A01", "A01", "A02", "A02"],
            sites=["s/1", "s2", "s/1", "s2"],
            tiles=[0, 3, 1, 2],
            y=[0, 64, 0, 64],
            x=[0, 128, 0, 128],
            positions={
                "efficacy": np.array([-1.0, 0.123456789, np.nan, 1.0]),
                "off": np.array([0.0, 1.0, 2.0, 3.0]),
                "axis:never": np.full(4, np.nan),
            },
        )


def pages_of(reader: ExampleReader) -> TestClient:
    app = FastAPI()
    add_pages(app, reader)
    return TestClient(app)


def data_of(text: str) -> Mapping[str, Any]:
    match = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert match is not None
    data: Mapping[str, Any] = json.loads(html.unescape(match[1]))
    return data


def test_the_tiles_are_points_that_name_their_well_and_site() -> None:
    text = pages_of(SampledReader()).get(ROOT).text
    data = data_of(text)
    assert [well[:2] for well in data["wells"]] == [["HRCE-1", "A01"], ["HRCE-1", "A02"]]
    assert data["sites"] == ["s/1", "s2"]
    assert data["tiles"] == [[0, 0, 0, 0, 0, -1.0, 0.0], [0, 1, 3, 64, 128, 0.12346, 1.0], [1, 1, 2, 64, 128, 1.0, 3.0]]
    assert "3 tiles as points" in text
    assert "1 tile without both values is not shown" in text
    assert "4 of 400 tiles" in text


def test_a_position_that_no_tile_has_is_not_offered() -> None:
    assert '<option value="axis:never"' not in pages_of(SampledReader()).get(ROOT).text


@pytest.mark.parametrize(
    ("query", "status"),
    [("&x=off&y=efficacy", 200), ("&x=off_distance", 200), ("&x=beauty", 404), ("&y=axis:never", 404)],
)
def test_a_choice_is_checked(query: str, status: int) -> None:
    assert pages_of(SampledReader()).get(f"{ROOT}{query}").status_code == status


def test_an_older_analysis_says_what_to_do() -> None:
    answer = pages_of(ExampleReader()).get(ROOT)
    assert answer.status_code == 200
    assert "Analyse the screen again" in answer.text
    assert 'id="data"' not in answer.text
