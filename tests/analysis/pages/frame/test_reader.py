"""The pages of a running service read the screens and results that the API serves."""

from __future__ import annotations

from tests.analysis.service.stack import Stack


def test_the_list_has_every_screen_of_the_database(shared_stack: Stack) -> None:
    page = shared_stack.client.get("/ui/").text
    assert all(f"/ui/screens/{screen_id}" in page for screen_id in shared_stack.ids.values())


def test_a_screen_with_a_result_is_its_report(shared_stack: Stack) -> None:
    page = shared_stack.client.get(f"/ui/screens/{shared_stack.first}").text
    assert "<h1>first</h1>" in page
    assert f"/ui/screens/{shared_stack.first}/compounds/X" in page


def test_a_screen_without_a_result_has_progress_and_no_compounds(shared_stack: Stack) -> None:
    address = f"/ui/screens/{shared_stack.waiting}"
    assert 'id="progress"' in shared_stack.client.get(address).text


def test_an_unknown_screen_is_not_found(shared_stack: Stack) -> None:
    assert shared_stack.client.get("/ui/screens/nope").status_code == 404
