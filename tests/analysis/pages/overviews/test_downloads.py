"""The page of what can be taken along."""

from __future__ import annotations

from gandl_analysis.formats.exports.catalog import EXPORTS

from tests.analysis.pages.overviews.example_pages import example_pages


def test_every_export_is_on_the_page() -> None:
    text = example_pages().get("/ui/screens/done/downloads").text
    for export in EXPORTS:
        assert f"/screens/done/exports/{export.name}" in text, export.name
    assert "SERVICE = &#39;http://testserver&#39;" in text
    assert "VERSION = 1" in text
