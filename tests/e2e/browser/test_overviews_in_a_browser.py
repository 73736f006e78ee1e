"""Plates, curves, the scatter and downloads in a browser, on the real stack."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.e2e.browser.chromium import needs_chromium
from tests.e2e.browser.conftest import ScreenedStack, serious_findings

pytestmark = [*needs_chromium, pytest.mark.slow]


def lasso(page: Page, corners: list[tuple[float, float]]) -> None:
    """Draw around a part of the scatter; corners are shares of its width and height."""
    box = page.locator("#scatter").bounding_box()
    assert box is not None
    ends = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in [*corners, corners[0]]]
    page.mouse.move(*ends[0])
    page.mouse.down()
    for x, y in ends[1:]:
        page.mouse.move(x, y, steps=4)
    page.mouse.up()


def test_a_lasso_fills_the_gallery_and_stands_in_the_address(screened_stack: ScreenedStack, opened: Page) -> None:
    opened.goto(screened_stack.address(screened_stack.two_lines, "/scatter"))
    lasso(opened, [(0.06, 0.02), (0.99, 0.02), (0.99, 0.9), (0.06, 0.9)])
    opened.wait_for_selector("#gallery img")
    text = opened.locator("#selected").inner_text()
    assert "wells are selected" in text
    opened.locator("#marks path.on").first.wait_for(state="attached")
    assert opened.locator("#rows tr").count() > 0
    opened.reload()
    assert opened.locator("#selected").inner_text() == text
    opened.go_back()
    opened.wait_for_function("() => document.getElementById('selected').textContent === ''")


def test_arrow_keys_move_between_wells_and_enter_opens_one(screened_stack: ScreenedStack, opened: Page) -> None:
    opened.goto(screened_stack.address(screened_stack.two_lines, "/plates"))
    opened.locator("figure h3 a").first.click()
    opened.wait_for_selector("#plate a.well")
    opened.locator("#plate a.well").first.focus()
    opened.keyboard.press("ArrowRight")
    opened.keyboard.press("ArrowDown")
    assert opened.evaluate("document.activeElement.title").split(" ")[1].startswith("B02")
    opened.keyboard.press("Enter")
    opened.wait_for_url("**/wells/**/B02*")
    opened.go_back()
    assert opened.locator("#plate").is_visible()


def test_a_filter_of_curves_stays_after_going_back(screened_stack: ScreenedStack, opened: Page) -> None:
    opened.goto(screened_stack.address(screened_stack.two_lines, "/curves?sort=compound"))
    opened.locator("select[name=cell_line]").select_option(index=1)
    opened.locator(".tools[role=search] button").click()
    opened.wait_for_load_state()
    address = opened.url
    opened.locator("figure h3 a").first.click()
    opened.go_back()
    assert opened.url == address
    assert opened.locator("select[name=cell_line]").input_value() != ""


@pytest.mark.parametrize("path", ["/plates", "/plates?quantity=role", "/curves", "/scatter", "/downloads"])
def test_nobody_is_shut_out(screened_stack: ScreenedStack, opened: Page, path: str) -> None:
    opened.goto(screened_stack.address(screened_stack.two_lines, path))
    assert serious_findings(opened) == []
    assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_nobody_is_shut_out_of_a_plate(screened_stack: ScreenedStack, opened: Page) -> None:
    opened.goto(screened_stack.address(screened_stack.two_lines, "/plates"))
    address = opened.locator("figure h3 a").first.get_attribute("href")
    for query in ("", "?view=pictures"):
        opened.goto(f"{screened_stack.url}{address}{query}")
        assert serious_findings(opened) == []
