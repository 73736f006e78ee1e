"""Actions of a screen by page: cancel, retry, analyse again, delete."""

from __future__ import annotations

from gandl_shared.schemas.screen import ScreenState

from tests.analysis.pages.forms.pages_of import load, send, token_of
from tests.analysis.service.stack import Stack


def test_a_screen_is_cancelled_retried_and_deleted_with_its_name(stack: Stack) -> None:
    at = f"/ui/screens/{stack.waiting}"
    page = send(stack, at, f"{at}/cancel")
    assert "was cancelled" in page
    assert ">Try again</button>" in page
    assert ">Cancel</button>" in send(stack, at, f"{at}/retry")
    assert stack.database.screens.status(stack.waiting).state is ScreenState.QUEUED
    confirmation = load(stack, f"{at}/delete")
    wrong = stack.client.post(f"{at}/delete", data={"csrf": token_of(confirmation), "name": "other"})
    assert (wrong.status_code, "is not the name of the screen" in wrong.text) == (422, True)
    assert "waiting" not in send(stack, f"{at}/delete", f"{at}/delete", name="waiting")
    assert stack.client.get(at).status_code == 404


def test_other_parameters_make_a_version_and_wrong_ones_name_their_field(stack: Stack) -> None:
    at = f"/ui/screens/{stack.first}/analyses"
    page = send(stack, at, at, preset="default", normalisation="none", alpha="0.01", vehicle="1")
    assert "alpha 0.01; vehicle True" in page
    assert stack.database.analyses.get(stack.first, 2).parameters.alpha == 0.01
    # The preset fixes the whitening, whatever the list beside it shows.
    send(stack, at, at, preset="paper", whitening="within_class")
    assert stack.database.analyses.get(stack.first, 3).parameters.whitening == "raw"
    wrong = stack.client.post(at, data={"csrf": token_of(load(stack, at)), "alpha": "2"})
    assert (wrong.status_code, "alpha" in wrong.text) == (422, True)


def test_a_failed_site_is_seen_and_tried_again(stack: Stack) -> None:
    # The screens that are there already read the images of all processes of the tests.
    request = {"name": "own", "images": "plate/Images", "plate_map": "plate/platemap.csv"}
    screen = stack.client.post("/screens", json=request).json()["id"]
    images = stack.database.screens.get(screen).images
    assert images.is_relative_to(stack.home)
    image = next(path for path in sorted(images.rglob("*")) if path.is_file())
    whole = image.read_bytes()
    image.write_bytes(b"damaged")
    stack.work(screen)
    at = f"/ui/screens/{screen}"
    assert "Done, but 1 of 64 sites are parked and have no vectors." in load(stack, at)
    parked = load(stack, f"{at}/parked")
    assert image.name in parked
    assert "Try the failed sites again" in parked
    image.write_bytes(whole)
    send(stack, f"{at}/parked", f"{at}/retry")
    stack.work(screen)
    assert stack.database.screens.status(screen).progress.parked == 0
    assert "failed: see why" not in load(stack, at)
