"""Sending the forms of pages as a browser does: with the token of the page that was loaded before."""

from __future__ import annotations

import html
import re

from tests.analysis.service.stack import Stack


def load(stack: Stack, path: str) -> str:
    """Return a page that must be there."""
    answer = stack.client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def token_of(page: str) -> str:
    """Return the token of the forms of a page."""
    match = re.search(r'name="csrf" value="([^"]+)"', page)
    assert match is not None, page
    return html.unescape(match[1])


def send(stack: Stack, page: str, action: str, **fields: str) -> str:
    """Send a form of a page and return the page to which the answer leads."""
    answer = stack.client.post(action, data={"csrf": token_of(load(stack, page)), **fields})
    assert answer.status_code == 200, answer.text
    return answer.text
