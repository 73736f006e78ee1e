"""The media type of an answer follows the Accept header."""

from __future__ import annotations

import pytest
from gandl_shared.web.negotiation import CSV, JSON, PNG, SVG, preferred

OFFERED = (JSON, CSV, SVG, PNG)


@pytest.mark.parametrize(
    ("accept", "answer"),
    [
        (None, JSON),
        ("*/*", JSON),
        ("text/csv", CSV),
        ("image/png", PNG),
        ("image/*", SVG),
        ("image/svg+xml;q=0.5, image/png", PNG),
        ("text/html, application/xml;q=0.9, image/png;q=0.8, */*;q=0.1", PNG),
        ("application/json;q=0, text/csv;q=0.1", CSV),
        ("application/json; q=0.2, */*; q=0.9", CSV),
        ("video/mp4", JSON),
        ("text/csv;q=nonsense, image/png;q=0.3", PNG),
        (",;,", JSON),
        ("IMAGE/PNG", PNG),
        ("text/csv, application/json", CSV),
        ("application/json, text/csv", JSON),
        ("*/*, image/png", JSON),
        ("image/png, */*", PNG),
        ("image/png;q=0.9, */*;q=0.8", PNG),
        ("image/png;q=nan, text/csv;q=0.1", CSV),
        ("image/png;q=7, text/csv", PNG),
    ],
)
def test_preferred_form(accept: str | None, answer: str) -> None:
    assert preferred(accept, OFFERED) == answer
