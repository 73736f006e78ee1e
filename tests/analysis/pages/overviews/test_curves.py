"""The gallery of curves."""

from __future__ import annotations

import re

from tests.analysis.pages.overviews.example_pages import example_pages

PAGES = example_pages()
ROOT = "/ui/screens/done/curves"


def test_curves_that_deserve_a_look_come_first() -> None:
    text = PAGES.get(ROOT).text
    assert "24 of 24 curves" in text
    assert text.count("<figure") == 24
    first = re.search(r"<figure.*?</figure>", text, re.DOTALL)
    assert first is not None
    assert "lack of fit" in first[0]
    assert "<script>alert" not in text


def test_filters_stand_in_the_address_and_an_empty_one_is_everything() -> None:
    text = PAGES.get(f"{ROOT}?verdict=toxic&cell_line=VERO&model=&attention=&q=&sort=compound").text
    assert "2 of 24 curves" in text
    assert '<option value="toxic" selected>' in text
    assert "No curve passes" in PAGES.get(f"{ROOT}?q=nothing").text
    assert PAGES.get(f"{ROOT}?verdict=great").status_code == 422
    assert PAGES.get(f"{ROOT}?colour=red").status_code == 422


def test_chosen_curves_are_laid_over_each_other() -> None:
    text = PAGES.get(f"{ROOT}?overlay=HRCE/Arbidol&overlay=VERO/Arbidol").text
    assert "Curves of Arbidol in HRCE, Arbidol in VERO." in text
    assert text.count(" checked") >= 4
    assert "not drawn" not in text
    assert "1 chosen curve is not drawn" in PAGES.get(f"{ROOT}?overlay=HRCE/Arbidol&overlay=HRCE/Water").text
