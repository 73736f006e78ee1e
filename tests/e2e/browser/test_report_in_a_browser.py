"""The report in a real browser: offline, silent, sortable, unharmed by what the plate map calls a compound."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from gandl_analysis.report.render import render_report
from playwright.sync_api import Browser, Page

from tests.analysis.example.screen import example_analysis
from tests.e2e.browser.chromium import needs_chromium, open_browser

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(render_report(example_analysis([EVIL])), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as browser:
        yield browser


class PageLog:
    """What a page did while it was open."""

    def __init__(self, page: Page) -> None:
        self.messages: list[str] = []
        self.dialogs: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.messages.append(message.text))
        page.on("pageerror", lambda error: self.messages.append(str(error)))
        page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: self.requests.append(request.url))


@pytest.fixture
def opened(browser: Browser, report: Path) -> Iterator[tuple[Page, PageLog]]:
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    log = PageLog(page)
    page.goto(report.as_uri())
    yield page, log
    context.close()


def names(page: Page) -> list[str]:
    return page.locator("table[data-sortable] tbody tr:visible th").all_inner_texts()


def test_it_opens_offline_and_silently(opened: tuple[Page, PageLog], report: Path) -> None:
    page, log = opened
    assert page.locator("h1").inner_text() == "Example screen"
    assert page.locator("svg.figure").count() == 36
    assert [url for url in log.requests if not url.startswith("data:")] == [report.as_uri()]
    assert log.messages == []


def test_an_injected_name_is_shown_and_does_nothing(opened: tuple[Page, PageLog]) -> None:
    page, log = opened
    page.locator("table[data-sortable] tbody tr", has_text="alert(1)").first.hover()
    page.wait_for_timeout(100)
    assert EVIL in names(page)
    assert log.dialogs == []
    assert page.locator("img").count() == 0


def test_a_script_that_got_in_would_not_run(opened: tuple[Page, PageLog]) -> None:
    """The policy of the page, tried by putting one in."""
    page, log = opened
    page.evaluate(
        """() => { const script = document.createElement('script');
          script.textContent = 'window.ran = 1'; document.body.append(script); }"""
    )
    assert page.evaluate("window.ran") is None
    assert any("Content Security Policy" in message for message in log.messages)


def test_a_click_sorts_and_a_second_click_reverses_the_order(opened: tuple[Page, PageLog]) -> None:
    page, _ = opened
    head = page.locator("th[data-key=compound]")
    head.locator("button").click()
    rising = names(page)
    assert [n.lower() for n in rising] == page.evaluate(
        "n => n.sort((a, b) => a.localeCompare(b))", [n.lower() for n in rising]
    )
    assert head.get_attribute("aria-sort") == "ascending"
    head.locator("button").click()
    assert names(page)[0] == rising[-1]
    assert head.get_attribute("aria-sort") == "descending"


def test_sorting_by_ec50_is_by_number_with_nothing_last(opened: tuple[Page, PageLog]) -> None:
    page, _ = opened
    for _ in range(2):
        page.locator("th[data-key=ec50] button").click()
        values = page.locator("table[data-sortable] tbody td.ec50").evaluate_all(
            "cells => cells.map(c => c.dataset.value)"
        )
        numbers = [float(v) for v in values if v]
        assert values[len(numbers) :] == [""] * (len(values) - len(numbers))
        assert len(numbers) == 14
        ascending = page.locator("th[data-key=ec50]").get_attribute("aria-sort") == "ascending"
        assert numbers == sorted(numbers, reverse=not ascending)


def test_the_filters_act_on_the_table_and_the_curves(opened: tuple[Page, PageLog]) -> None:
    page, _ = opened
    page.locator("#filter-verdict").select_option("toxic")
    page.locator("#filter-line").select_option("VERO")
    assert sorted(names(page)) == ["Bortezomib", "Puromycin"]
    assert page.locator(".curve:visible").count() == 2
    assert page.locator("#filter-count").inner_text() == "2 of 24 shown"
    page.locator("#filter-text").fill("bort")
    assert names(page) == ["Bortezomib"]


def test_a_flag_explains_itself_to_the_keyboard(opened: tuple[Page, PageLog]) -> None:
    page, _ = opened
    flag = page.locator(".flag", has_text="lack of fit").first
    assert not flag.locator(".tip").is_visible()
    flag.focus()
    assert flag.locator(".tip").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_is_cut_off(browser: Browser, report: Path, scheme: str) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, color_scheme=scheme)
    page = context.new_page()
    page.goto(report.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.locator("#sort-by").is_visible()
    context.close()


def test_text_stands_out_in_light_and_dark(browser: Browser, report: Path) -> None:
    """WCAG AA: 4.5 to 1 of every kind of text against its card."""
    script = """() => {
      const rgb = (c) => { const x = document.createElement('canvas').getContext('2d');
        x.fillStyle = c; x.fillRect(0, 0, 1, 1);
        return [...x.getImageData(0, 0, 1, 1).data].slice(0, 3); };
      const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
      const lum = (c) => rgb(c).map((v) => linear(v / 255))
        .reduce((s, v, k) => s + v * [0.2126, 0.7152, 0.0722][k], 0);
      const style = getComputedStyle(document.documentElement);
      const get = (name) => lum(style.getPropertyValue(name).trim());
      const out = {};
      for (const ink of ['--ink', '--muted', '--active', '--toxic', '--undetermined', '--inactive', '--link'])
        for (const ground of ['--card', '--bg']) {
          const [a, b] = [get(ink), get(ground)].sort((x, y) => y - x);
          out[`${ink} on ${ground}`] = (a + 0.05) / (b + 0.05);
        }
      return out; }"""
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(report.as_uri())
        ratios = page.evaluate(script)
        assert {pair: ratio for pair, ratio in ratios.items() if ratio < 4.5} == {}
        context.close()
