"""The Chromium of this machine, and the mark of tests that need it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

from checks.browser import find_chromium

CHROMIUM = find_chromium()

needs_chromium = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium (make browser)"),
]


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start a Chromium without a window, and close it at the end."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()
