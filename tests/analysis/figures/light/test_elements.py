"""Elements of SVG: every text is escaped, and numbers are short."""

from __future__ import annotations

from xml.etree import ElementTree

from gandl_analysis.figures.light.elements import element, polyline


def test_texts_titles_and_attributes_are_escaped() -> None:
    evil = '"><script>alert(1)</script>\x00'
    text = element("text", text=evil, title=evil, aria_label=evil, class_="w")
    root = ElementTree.fromstring(text)
    assert "<script" not in text
    assert root.get("aria-label") == evil.replace("\x00", "\ufffd")
    assert (root[0].text, root[0].tail, root.get("class")) == (evil.replace("\x00", "\ufffd"),) * 2 + ("w",)


def test_numbers_have_two_decimals_and_none_is_left_out() -> None:
    assert element("circle", r=1.0, cx=2.3456, cy=None) == '<circle r="1" cx="2.35"/>'
    assert polyline([(0.0, 1.001), (2.0, 3.5)], closed=True) == "M0 1L2 3.5Z"
