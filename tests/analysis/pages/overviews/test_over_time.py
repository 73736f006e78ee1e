"""The page of control charts."""

from __future__ import annotations

from tests.analysis.pages.overviews.example_pages import example_pages

PAGES = example_pages()


def test_the_page_shows_a_chart_of_each_metric() -> None:
    text = PAGES.get("/ui/over-time?cell_line=VERO&compound=GS-441524").text
    for title in ("Z′", "SSMD", "Mean of the positive controls", "EC50 of GS-441524"):
        assert f"<h3>{title}" in text
    assert "too few for limits" in text
    assert "too few for a minimum significant ratio" in text
    assert "<script>alert" not in text


def test_what_is_not_there_is_said() -> None:
    answer = PAGES.get("/ui/over-time?cell_line=HeLa")
    assert answer.status_code == 404
    assert "there are HRCE, VERO" in answer.text
    assert PAGES.get("/ui/over-time?colour=red").status_code == 422
