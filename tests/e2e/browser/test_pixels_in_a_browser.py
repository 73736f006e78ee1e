"""From a number to its pixels and back, on the real stack: a curve, its points, and the well behind one of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser.chromium import needs_chromium
from tests.e2e.browser.conftest import ScreenedStack, serious_findings

pytestmark = [*needs_chromium, pytest.mark.slow]

PATIENCE = 60_000
LOADED = "image => image.complete && image.naturalWidth > 0"


def all_loaded(page: Page, selector: str) -> bool:
    """Whether every picture of a selector has arrived; those below the window are lazy, so they are scrolled to."""
    images = page.locator(selector)
    for number in range(images.count()):
        images.nth(number).scroll_into_view_if_needed()
        page.wait_for_function(
            f"([selector, n]) => ({LOADED})(document.querySelectorAll(selector)[n])", arg=[selector, number]
        )
    return images.count() > 0


def test_from_the_ec50_of_wortmannin_to_the_pixels_of_a_well_and_back(
    opened: Page, screened_stack: ScreenedStack
) -> None:
    if screened_stack.bbbc013 is None:
        pytest.skip("needs BBBC013 (gandl fetch bbbc013)")
    opened.goto(screened_stack.address(screened_stack.bbbc013), timeout=PATIENCE)
    opened.get_by_role("link", name="Wortmannin").first.click()
    opened.get_by_role("heading", name="Wortmannin", exact=True).wait_for(timeout=PATIENCE)
    expect(opened.get_by_text("EC50").first).to_be_visible()
    assert all_loaded(opened, ".steps img")
    assert opened.locator(".steps a").count() == 11
    assert serious_findings(opened) == []

    # The keyboard reaches a point, which says what it is.
    point = opened.locator("a.point").first
    point.focus()
    note = opened.locator(".point-note").first
    expect(note).to_contain_text("efficacy")
    expect(note).to_contain_text("off-axis distance")
    label = point.get_attribute("aria-label") or ""
    assert note.inner_text() == label
    well = label.split(",")[0].split()[-1]
    opened.keyboard.press("Enter")
    opened.get_by_role("heading", name=well).wait_for(timeout=PATIENCE)
    assert all_loaded(opened, ".viewer img")
    assert serious_findings(opened) == []

    # Channels, limits and tiles change the picture and the address, which a reload keeps.
    opened.get_by_label("Efficacies of tiles over the picture").check()
    opened.wait_for_url("**tiles=true**", timeout=PATIENCE)
    opened.locator(".viewer rect").first.wait_for(state="attached", timeout=PATIENCE)
    opened.get_by_label("white at").first.fill("90")
    opened.wait_for_url("**high=90&**", timeout=PATIENCE)
    opened.reload()
    assert opened.get_by_label("white at").first.input_value() == "90"
    assert all_loaded(opened, ".viewer img")
    assert opened.locator(".viewer rect").count() > 0
    assert serious_findings(opened) == []

    opened.get_by_role("link", name="Wortmannin").click()
    opened.get_by_role("heading", name="Wortmannin", exact=True).wait_for(timeout=PATIENCE)
    opened.get_by_role("link", name="best").click()
    expect(opened.get_by_text("highest efficacy of its dose")).to_be_visible()
    opened.go_back()
    expect(opened.get_by_text("nearest to the median of its dose")).to_be_visible()


def test_images_that_moved_leave_the_thumbnails(opened: Page, screened_stack: ScreenedStack) -> None:
    folder = screened_stack.images / "two-lines"
    moved = folder.with_name("moved")
    folder.rename(moved)
    try:
        plate = opened.request.get(f"{screened_stack.url}/screens/{screened_stack.two_lines}/wells?limit=1").json()
        first = plate["items"][0]
        path = f"/wells/{first['plate']}/{first['well']}"
        opened.goto(screened_stack.address(screened_stack.two_lines, path), timeout=PATIENCE)
        expect(opened.get_by_text("is no longer there").first).to_be_visible()
        assert all_loaded(opened, ".viewer img")
        assert all_loaded(opened, ".around img")
        assert serious_findings(opened) == []
    finally:
        moved.rename(folder)


def test_a_point_needs_a_second_touch_to_be_followed(screened_stack: ScreenedStack, opened: Page) -> None:
    browser = opened.context.browser
    assert browser is not None
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    hits = page.request.get(f"{screened_stack.url}/screens/{screened_stack.two_lines}/hits?limit=1").json()
    page.goto(screened_stack.address(screened_stack.two_lines, f"/compounds/{hits['items'][0]['compound']}"))
    point = page.locator("a.point circle").first
    point.scroll_into_view_if_needed(timeout=PATIENCE)
    point.tap(force=True)
    expect(page.locator(".point-note").first).to_contain_text("Show the well")
    page.locator(".point-note a").first.click()
    page.locator(".viewer img").wait_for(timeout=PATIENCE)
    context.close()


def test_the_report_of_384_wells_has_strips_and_is_below_5_mb(
    opened: Page, screened_stack: ScreenedStack, tmp_path: Path
) -> None:
    answer = opened.request.get(f"{screened_stack.url}/screens/{screened_stack.two_lines}/report", timeout=PATIENCE)
    assert len(answer.body()) < 5_000_000
    file = tmp_path / "report.html"
    file.write_bytes(answer.body())
    page = opened.context.new_page()
    page.context.set_offline(True)
    page.goto(file.as_uri(), timeout=PATIENCE)
    assert all_loaded(page, ".strip img")
    page.context.set_offline(False)
