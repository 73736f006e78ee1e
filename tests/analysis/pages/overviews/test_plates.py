"""The pages of plates."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from tests.analysis.pages.overviews.example_pages import EVIL_PLATE, example_pages

PAGES = example_pages()
ROOT = "/ui/screens/done/plates"


def test_all_plates_are_on_one_page_with_links_that_keep_the_choice() -> None:
    text = PAGES.get(f"{ROOT}?quantity=off_distance&version=1").text
    assert text.count("<svg") == 8
    address = f"{ROOT}/{quote(EVIL_PLATE, safe='')}?quantity=off_distance&amp;version=1"
    assert f'href="{address}"' in text
    assert "<b>" not in text.replace("<b>+</b>", "").replace("<b>−</b>", "").replace("<b>×</b>", "").replace(
        "<b>○</b>", ""
    )


def test_every_well_of_a_plate_is_a_link() -> None:
    text = PAGES.get(f"{ROOT}/{quote(EVIL_PLATE, safe='')}?version=1").text
    links = re.findall(r'<a href="([^"]+)" class="well', text)
    assert len(links) == 89
    assert links[0] == f"/ui/screens/done/wells/{quote(EVIL_PLATE, safe='')}/A01?version=1"
    assert 'role="grid"' in text
    assert "rows p 0.002" in PAGES.get(f"{ROOT}/VERO-1").text or "p 0.4" in PAGES.get(f"{ROOT}/VERO-1").text


def test_pictures_are_the_sprite_of_the_plate() -> None:
    text = PAGES.get(f"{ROOT}/{quote(EVIL_PLATE, safe='')}?view=pictures").text
    assert f'src="/screens/done/sprites/{quote(EVIL_PLATE, safe="")}?edge=64"' in text


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/nowhere", 404, "has no plate"),
        ("?quantity=beauty", 404, "no quantity"),
        ("/VERO-1?quantity=site:sharpness:1", 404, "no vectors"),
    ],
)
def test_what_is_not_there_is_said(path: str, status: int, message: str) -> None:
    answer = PAGES.get(f"{ROOT}{path}")
    assert answer.status_code == status
    assert message in answer.text


def test_a_screen_without_an_analysis_shows_its_progress() -> None:
    assert 'id="progress"' in PAGES.get("/ui/screens/running/plates").text
