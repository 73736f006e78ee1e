"""The page of what can be taken along."""

from __future__ import annotations

from gandl_analysis.formats.exports.catalog import EXPORTS

from tests.analysis.pages.overviews.example_pages import example_pages


def test_every_export_is_on_the_page() -> None:
    text = example_pages().get("/ui/screens/done/downloads").text
    for export in EXPORTS:
        # What the screen cannot have has no link, which would lead to an error.
        is_there = f"/screens/done/exports/{export.name}" in text
        assert is_there != (f"<dt>{export.name}</dt>" in text), export.name
    assert "<dt>retrieval.csv</dt><dd>Its analysis did not ask for retrieval; analyse it again with it.</dd>" in text
    assert '<option value="off_distance">off-axis distance</option>' in text
    assert "SERVICE = &#39;http://testserver&#39;" in text
    assert "VERSION = 1" in text
