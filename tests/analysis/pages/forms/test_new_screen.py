"""From a folder or an archive to a running screen, by page."""

from __future__ import annotations

import io
import zipfile

import pytest
from gandl_analysis.formats.output_folder import write_files
from gandl_analysis.pipeline.analyse import analyse
from gandl_shared.schemas.screen import ScreenState

from tests.analysis.pages.forms.pages_of import load, send, token_of
from tests.analysis.service.stack import Stack
from tests.analysis.simulated_screens import Simulated

ADDRESS = "/ui/new?folder=plate/Images&map=plate/platemap.csv&check=1"


def test_a_screen_is_chosen_looked_at_and_started(stack: Stack) -> None:
    assert 'href="/ui/new?folder=plate"' in load(stack, "/ui/new")
    assert "platemap.csv" in load(stack, "/ui/new?folder=plate")
    # The plate map often lies beside the folder of the images, and is offered there too.
    assert "folder=plate%2FImages&amp;map=plate%2Fplatemap.csv" in load(stack, "/ui/new?folder=plate/Images")
    page = load(stack, ADDRESS)
    assert "64 fields of view" in page
    assert 'class="treatment" style="--share: 100%"' in page
    assert "<b>Fits</b>" in page
    fields = {"folder": "plate/Images", "map": "plate/platemap.csv", "model": "fake", "name": "by page"}
    assert "by page" in send(stack, ADDRESS, "/ui/new/start", **fields)
    screen = stack.ids["by page"]
    stack.work(screen)
    assert stack.database.screens.status(screen).state is ScreenState.DONE


def test_problems_are_shown_together_and_nothing_can_start(stack: Stack) -> None:
    plate_map = stack.home / "root/plate/platemap.csv"
    lines = plate_map.read_text().splitlines()
    plate_map.with_name("wrong.csv").write_text("\n".join(line.replace("treatment", "treatmint") for line in lines))
    page = load(stack, ADDRESS.replace("platemap.csv", "wrong.csv"))
    assert "must be settled first" in page
    assert page.count("treatmint") < 8
    assert "times</b>" in page
    assert "/ui/new/start" not in page
    assert "choose or upload a plate map" in load(stack, "/ui/new?folder=plate/Images&check=1").lower()


def test_an_archive_and_a_plate_map_are_uploaded(stack: Stack) -> None:
    buffer, images = io.BytesIO(), stack.home / "root/plate/Images"
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in images.rglob("*"):
            if path.is_file():
                archive.write(path, path.relative_to(images))
    data = {"csrf": token_of(load(stack, "/ui/new")), "map": ""}
    answer = stack.client.post("/ui/new/archive", data=data, files={"archive": ("my plate.zip", buffer.getvalue())})
    assert answer.status_code == 200, answer.text
    folder = answer.url.params["folder"]
    assert folder.startswith("uploads/my-plate-")
    content = (stack.home / "root/plate/platemap.csv").read_bytes()
    data = {"csrf": data["csrf"], "folder": folder}
    answer = stack.client.post("/ui/new/plate-map", data=data, files={"file": ("map.csv", content)})
    assert "64 fields of view" in answer.text
    assert "/ui/new/start" in answer.text


def test_a_folder_of_gandl_screen_is_opened(stack: Stack) -> None:
    screen = Simulated(seed=1077).screen()
    out = stack.home / "root/out"
    out.mkdir()
    analysed = analyse(screen)
    write_files(analysed, screen.profiles, out)
    assert "Open this folder as a screen" in load(stack, "/ui/new?folder=out")
    send(stack, "/ui/new?folder=out", "/ui/new/open", folder="out")
    while stack.runs().run():
        pass
    opened = stack.ids["simulated"]
    wells = stack.client.get(f"/screens/{opened}/wells", headers={"Accept": "text/csv"}).text
    assert wells == (out / "wells.csv").read_text()
    assert "analysed again" in stack.client.get(f"/screens/{opened}").json()["notes"][0]


@pytest.mark.parametrize(
    "path", ["?folder=..", "?folder=/etc", "?folder=outside-link", "?folder=plate/Images&map=../x&check=1"]
)
def test_nothing_outside_the_root_is_looked_at(shared_stack: Stack, path: str) -> None:
    answer = shared_stack.client.get(f"/ui/new{path}")
    assert answer.status_code in (200, 403, 404)
    assert answer.status_code != 200 or "is outside the image folder" in answer.text


def test_forms_of_a_new_screen_need_the_token_and_a_file(shared_stack: Stack) -> None:
    token = token_of(load(shared_stack, "/ui/new"))
    for action in ("archive", "plate-map", "start", "open"):
        assert shared_stack.client.post(f"/ui/new/{action}", data={"folder": "plate"}).status_code == 403
    answer = shared_stack.client.post("/ui/new/archive", data={"csrf": token})
    assert (answer.status_code, "choose a .zip archive first" in answer.text.lower()) == (422, True)
