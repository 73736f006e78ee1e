"""The page of the scatter: its data are no code, and what is not there is said."""

from __future__ import annotations

import html
import json
import re

import pytest

from tests.analysis.pages.overviews.example_pages import EVIL_PLATE, example_pages

PAGES = example_pages()
ROOT = "/ui/screens/done/scatter"


def test_the_data_of_the_page_are_the_wells() -> None:
    text = PAGES.get(f"{ROOT}?version=1").text
    match = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert match is not None
    data = json.loads(html.unescape(match[1]))
    assert data["points"][0][:2] == [EVIL_PLATE, "A01"]
    assert (data["well"], data["query"]) == ("/ui/screens/done/wells/", "?version=1")
    assert data["screen"] == "/screens/done"
    assert "<script>alert" not in text


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("x=beauty", 404),
        ("colour=beauty", 404),
        ("x=component:1", 404),
        ("lasso=1,2;3,4;5,6", 200),
        ("lasso=<script>", 422),
        ("x=off_distance&y=concentration_um&colour=plate", 200),
    ],
)
def test_a_choice_is_checked(query: str, status: int) -> None:
    assert PAGES.get(f"{ROOT}?{query}").status_code == status
