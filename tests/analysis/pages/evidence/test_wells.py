"""The page of a well on a service with images: its picture, its form, its tiles, its files and its neighbours."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.analysis.api.test_pictures import common, own
from tests.analysis.service.stack import Stack

__all__ = ["common", "own"]


def page(stack: Stack, path: str, status: int = 200) -> str:
    answer = stack.client.get(f"/ui/screens/{path}")
    assert answer.status_code == status, answer.text
    return answer.text


def picture(text: str) -> str:
    (address,) = re.findall(r'<img src="([^"]+)" alt="Cells of well', text)
    return address.replace("&amp;", "&")


def test_the_picture_of_a_well_is_under_the_limits_of_its_plate(common: Stack) -> None:
    text = page(common, f"{common.first}/wells/P1/C04")
    address = picture(text)
    limits = common.database.screens.get(common.first).limits["P1"]
    (stated,) = parse_qs(urlsplit(address).query)["limits"]
    assert [float(number) for pair in stated.split(";") for number in pair.split(",")] == pytest.approx(
        [limits.low[0], limits.high[0], limits.low[1], limits.high[1]]
    )
    assert common.client.get(address).headers["content-type"] == "image/png"
    assert "P1/C04_s1_w1.tif" in text
    assert f"/ui/screens/{common.first}/compounds/X" in text


def test_the_form_decides_channels_limits_and_tiles(common: Stack) -> None:
    query = "channel=2&low=0&low=10&high=50&high=200.5&tiles=true&site=1"
    text = page(common, f"{common.first}/wells/P1/C04?{query}")
    assert parse_qs(urlsplit(picture(text)).query) == {"channel": ["2"], "limits": ["10,200.5"], "level": ["0"]}
    marks = re.findall(r"<title>Tile \d+: efficacy ([^<]+)</title><rect x=\"(\d+)\" y=\"(\d+)\" width=\"16\"", text)
    assert [(x, y) for _, x, y in marks] == [("0", "0"), ("16", "0"), ("0", "16"), ("16", "16")]
    wells = {w["well"]: w for w in common.client.get(f"/screens/{common.first}/wells").json()["items"]}
    mean = sum(float(efficacy.replace("−", "-")) for efficacy, _, _ in marks) / 4
    assert mean == pytest.approx(wells["C04"]["efficacy"], abs=0.01)


def test_neighbours_and_the_next_wells_keep_the_version(common: Stack) -> None:
    text = page(common, f"{common.first}/wells/P1/A01?version=1")
    around = re.findall(rf'href="/ui/screens/{common.first}/wells/P1/(\w+)\?version=1" style="grid-row: (\d)', text)
    assert around == [("A01", "2"), ("A02", "2"), ("B01", "3"), ("B02", "3")]
    assert 'rel="next">A02' in text
    assert f'href="/ui/screens/{common.first}/plates/P1?version=1"' in text
    assert 'rel="prev"' not in text


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("wells/P1/Z99", 404, "has no well"),
        ("wells/P1/A01?site=9", 422, "it has 1"),
        ("wells/P1/A01?channel=7", 422, "numbered 1 to 2"),
        ("wells/P1/A01?low=1&high=2", 422, "all 2 channels"),
        ("wells/P1/A01?low=5&low=0&high=2&high=9", 422, "must be below the second"),
        ("wells/P1/A01?low=nan&low=0&high=2&high=9", 422, "must be below the second"),
    ],
)
def test_what_does_not_exist_is_said(common: Stack, path: str, status: int, words: str) -> None:
    assert words in page(common, f"{common.first}/{path}", status)


def test_images_that_moved_leave_the_thumbnail(own: Stack) -> None:
    (own.home / "root/plate/Images/P1/A01_s1_w2.tif").unlink()
    text = page(own, f"{own.first}/wells/P1/A01")
    assert "is no longer there" in text
    assert picture(text).startswith(f"/screens/{own.first}/thumbnails/P1/A01/1")
    assert own.client.get(picture(text)).status_code == 200
