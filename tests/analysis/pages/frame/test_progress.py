"""A screen without a result shows its progress at every address."""

from __future__ import annotations

import pytest

from tests.analysis.service.stack import Stack


@pytest.mark.parametrize(
    "page", ["compounds/X", "plates", "plates/P1", "wells/P1/A01", "curves", "decisions", "scatter", "downloads"]
)
def test_every_page_of_a_screen_without_a_result_shows_its_progress(shared_stack: Stack, page: str) -> None:
    answer = shared_stack.client.get(f"/ui/screens/{shared_stack.waiting}/{page}")
    assert (answer.status_code, 'id="progress"' in answer.text) == (200, True)
    assert "This page updates itself" in answer.text
