"""The pages of the real stack in a real browser: nothing foreign, nothing broken, nobody shut out."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.browser.chromium import needs_chromium
from tests.e2e.browser.conftest import ScreenedStack, serious_findings

pytestmark = [*needs_chromium, pytest.mark.slow]

PATIENCE = 60_000


def test_from_the_root_to_a_compound_and_back(opened: Page, screened_stack: ScreenedStack) -> None:
    opened.goto(screened_stack.url, timeout=PATIENCE)
    assert opened.url == f"{screened_stack.url}/ui/"
    assert serious_findings(opened) == []
    opened.get_by_role("link", name="two-lines").click()
    opened.get_by_role("heading", name="two-lines").wait_for(timeout=PATIENCE)
    assert serious_findings(opened) == []
    compound = opened.locator("table[data-sortable] tbody th a").first
    name = compound.inner_text()
    compound.click()
    opened.get_by_role("heading", name=name, exact=True).wait_for(timeout=PATIENCE)
    assert serious_findings(opened) == []
    opened.go_back()
    opened.get_by_role("heading", name="two-lines").wait_for(timeout=PATIENCE)


@pytest.mark.parametrize(
    "path", ["", "/plates", "/plates/HRCE-like-1", "/curves", "/decisions", "/analyses", "/compounds/Antivirin%20A"]
)
def test_paper_cuts_nothing_off_and_has_no_controls(
    chromium: Browser, screened_stack: ScreenedStack, path: str
) -> None:
    # A4 without its margins, in pixels of CSS.
    context = chromium.new_context(viewport={"width": 688, "height": 1016})
    page = context.new_page()
    page.emulate_media(media="print")
    page.goto(screened_stack.address(screened_stack.two_lines, path), timeout=PATIENCE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 688
    assert page.locator("form button:visible, nav:visible, details:not([open]):visible").count() == 0
    context.close()


def test_printed_means_of_columns_have_their_numbers(chromium: Browser, screened_stack: ScreenedStack) -> None:
    context = chromium.new_context(viewport={"width": 688, "height": 1016})
    page = context.new_page()
    page.emulate_media(media="print")
    page.goto(screened_stack.address(screened_stack.two_lines, "/plates/HRCE-like-1"), timeout=PATIENCE)
    for mean in page.locator(".plate [role=row]:last-child .mean .sr").all():
        text, cell = mean.bounding_box(), mean.locator("..").bounding_box()
        assert text is not None
        assert cell is not None
        assert 4 < text["width"] <= cell["width"]
    context.close()
