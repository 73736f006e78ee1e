"""Submitting and steering screens: every refusal of `gandl screen` is one here, with the same words."""

from __future__ import annotations

import base64
import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gandl_shared.errors import BadInput
from gandl_shared.jobs import names_below, plan_screen
from gandl_shared.plates import read_plate_map
from gandl_shared.schemas.image_layout import ImageReport
from gandl_shared.schemas.screen import ScreenRequest

from tests.analysis.service.stack import Stack
from tests.shared.plates.tables.workbook import workbook

REQUEST = {"name": "new", "images": "plate/Images", "plate_map": "plate/platemap.csv"}


def test_submitted_screen_is_announced_and_runs_to_its_end(stack: Stack) -> None:
    answer = stack.client.post("/screens", json=REQUEST)
    assert answer.status_code == 202, answer.text
    status = answer.json()
    assert (status["state"], status["wells"], status["progress"]) == (
        "queued",
        64,
        {"sites": 64, "done": 0, "parked": 0},
    )
    assert stack.queue.batches == list(stack.database.batches.queued_ids(status["id"]))
    stack.work(status["id"])
    done = stack.client.get(f"/screens/{status['id']}").json()
    assert (done["state"], done["analysis_version"], done["progress"]["done"]) == ("done", 1, 64)
    first = stack.client.get(f"/screens/{stack.first}/wells?limit=100").json()
    assert stack.client.get(f"/screens/{status['id']}/wells?limit=100").json() == first


def test_a_dry_run_answers_a_report_and_stores_nothing(shared_stack: Stack) -> None:
    before = len(shared_stack.database.screens.statuses())
    answer = shared_stack.client.post("/screens", json={**REQUEST, "dry_run": True})
    assert answer.status_code == 200, answer.text
    report = ImageReport.model_validate(answer.json())
    assert (report.sites, report.problems) == (64, ())
    assert report.command.startswith("gandl screen plate/Images --platemap plate/platemap.csv --model ")
    assert len(shared_stack.database.screens.statuses()) == before
    refused = shared_stack.client.post("/screens", json={**REQUEST, "images": "..", "dry_run": True})
    assert refused.status_code == 403, refused.text


def test_plate_map_may_be_sent_as_text_and_paths_may_be_absolute(stack: Stack) -> None:
    text = (stack.home / "root/plate/platemap.csv").read_text()
    images = str(stack.home / "root/plate/Images")
    answer = stack.client.post("/screens", json={"images": images, "plate_map_csv": text})
    assert answer.status_code == 202, answer.text
    assert answer.json()["name"] == "Images"


def test_a_plate_map_may_be_sent_as_a_workbook(stack: Stack) -> None:
    rows = [line.split(",") for line in (stack.home / "root/plate/platemap.csv").read_text().splitlines()]
    content = base64.b64encode(workbook({"notes": [["x"]], "map": rows})).decode()
    request = {"images": "plate/Images", "plate_map_xlsx": content}
    assert stack.client.post("/screens", json=request).status_code == 422
    answer = stack.client.post("/screens", json={**request, "plate_map_sheet": "map"})
    assert answer.status_code == 202, answer.text
    assert stack.database.screens.get(answer.json()["id"]).request.plate_map == "(sent with the request)"


def test_a_positive_control_is_only_chosen_for_published_data_sets(shared_stack: Stack) -> None:
    answer = shared_stack.client.post("/screens", json={**REQUEST, "positive_control": ["mock"], "dry_run": True})
    assert answer.status_code == 400, answer.text
    assert "write the role into the plate map" in answer.json()["detail"]


@pytest.mark.parametrize(
    "images",
    ["..", "../..", "plate/../../outside", "/etc", "outside-link", "plate/../plate/Images", "a\0b", "x" * 4000],
)
def test_folders_outside_the_root_are_refused(shared_stack: Stack, images: str) -> None:
    stack, link = shared_stack, shared_stack.home / "root/outside-link"
    if not link.is_symlink():
        (stack.home / "outside").mkdir()
        link.symlink_to(stack.home / "outside")
    answer = stack.client.post("/screens", json={**REQUEST, "images": images})
    assert answer.status_code == (404 if len(images) > 1000 else 403), answer.text
    assert len(stack.database.screens.statuses()) == 3


def test_a_plate_map_outside_the_root_is_refused(stack: Stack) -> None:
    (stack.home / "secret.csv").write_text("plate,well\n")
    (stack.home / "root/map.csv").symlink_to(stack.home / "secret.csv")
    for name in ("../secret.csv", "map.csv", str(stack.home / "secret.csv")):
        answer = stack.client.post("/screens", json={**REQUEST, "plate_map": name})
        assert answer.status_code == 403, answer.text


def _without_positives(root: Path) -> None:
    path = root / "plate/platemap.csv"
    path.write_text(path.read_text().replace("positive_control", "treatment"))


def _unknown_role(root: Path) -> None:
    path = root / "plate/platemap.csv"
    path.write_text(path.read_text().replace("positive_control", "winner", 1))


def _bad_dose(root: Path) -> None:
    path = root / "plate/platemap.csv"
    path.write_text(path.read_text().replace(",1e-06,", ",-1,", 1).replace(",1e-05,", ",much,", 1))


def _twice_a_well(root: Path) -> None:
    path = root / "plate/platemap.csv"
    path.write_text(path.read_text() + path.read_text().splitlines()[-1] + "\n")


def _missing_image(root: Path) -> None:
    (root / "plate/Images/P1/C03_s1_w2.tif").unlink()


def _truncated_image(root: Path) -> None:
    path = root / "plate/Images/P1/C03_s1_w2.tif"
    path.write_bytes(path.read_bytes()[:600])


def _text_for_an_image(root: Path) -> None:
    (root / "plate/Images/P1/C03_s1_w2.tif").write_text("not a picture")


def _no_images(root: Path) -> None:
    for path in (root / "plate/Images/P1").iterdir():
        path.unlink()


DAMAGES = (
    _without_positives,
    _unknown_role,
    _bad_dose,
    _twice_a_well,
    _missing_image,
    _truncated_image,
    _text_for_an_image,
    _no_images,
)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__.strip("_"))
def test_bad_input_is_refused_with_the_words_of_the_command_line(
    shared_stack: Stack, damage: Callable[[Path], None]
) -> None:
    stack, root = shared_stack, shared_stack.home / "root" / damage.__name__
    shutil.copytree(shared_stack.home / "root/plate", root / "plate")
    damage(root)
    model = stack.models.find(None)
    prefix = damage.__name__
    with pytest.raises(BadInput) as refusal, names_below(stack.home / "root"):
        plan_screen(
            ScreenRequest.model_validate(REQUEST),
            images=root / "plate/Images",
            plate_map=read_plate_map(root / "plate/platemap.csv"),
            card=model.card,
            model_id=model.id,
        )
    request = {"images": f"{prefix}/plate/Images", "plate_map": f"{prefix}/plate/platemap.csv"}
    answer = stack.client.post("/screens", json=request)
    assert answer.status_code == refusal.value.status
    body = answer.json()
    assert body["error"] == type(refusal.value).__name__
    assert body["detail"] == refusal.value.detail
    # The command line has the whole path, and a service does not tell where its image folder is.
    assert str(stack.home) not in answer.text
    assert body["problems"] == refusal.value.body()["problems"] or not refusal.value.problems
    assert len(stack.database.screens.statuses()) == 3


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"images": "nowhere"}, 404),
        ({"plate_map": "nowhere.csv"}, 404),
        ({"model": "unknown"}, 404),
        ({"pattern": "{wrong}"}, 400),
        ({"channels": ["1"]}, 422),
        ({"limits": {"low": [0], "high": [1]}}, 422),
        ({"limits": {"low": [5, 5], "high": [1, 9]}}, 422),
        ({"plate_map_csv": "plate,well"}, 422),
        ({"name": "a\0b"}, 422),
        ({"unknown": 1}, 422),
        ({"analysis": {"alpha": 2}}, 422),
    ],
    ids=str,
)
def test_requests_that_do_not_fit(shared_stack: Stack, change: dict[str, object], status: int) -> None:
    answer = shared_stack.client.post("/screens", json={**REQUEST, **change})
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error", "detail", "problems", "request_id"}


def test_a_body_that_is_no_json_is_malformed(shared_stack: Stack) -> None:
    answer = shared_stack.client.post("/screens", content=b"{", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]) == (400, "Malformed")


def test_a_body_that_is_too_large_is_refused(shared_stack: Stack) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(65):
            yield b" " * 2**20

    headers = {"Content-Type": "application/json"}
    for content in (b" " * (2**26 + 1), pieces()):
        answer = shared_stack.client.post("/screens", content=content, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (413, "TooLarge")


def test_screens_are_listed_newest_first_in_pages(stack: Stack) -> None:
    names = [item["name"] for item in stack.client.get("/screens").json()["items"]]
    assert names == ["waiting", "second", "first"]
    page = stack.client.get("/screens", params={"limit": 1, "offset": 1}).json()
    assert [item["name"] for item in page["items"]] == ["second"]
    assert page["total"] == 3


def test_cancel_retry_and_their_conflicts(stack: Stack) -> None:
    at = f"/screens/{stack.waiting}"
    assert stack.client.post(f"{at}/retry").status_code == 409
    assert stack.client.post(f"{at}/cancel").json()["state"] == "cancelled"
    assert stack.client.post(f"{at}/cancel").status_code == 409
    again = stack.client.post(f"{at}/retry")
    assert (again.status_code, again.json()["state"]) == (202, "queued")
    assert stack.queue.batches == list(stack.database.batches.queued_ids(stack.waiting))
    assert stack.client.post(f"/screens/{stack.first}/retry").status_code == 409


def test_analysing_again_makes_a_new_version_and_keeps_the_old(stack: Stack) -> None:
    at = f"/screens/{stack.first}"
    before = stack.client.get(f"{at}/wells?limit=100").json()
    queued = stack.client.post(f"{at}/analyses", json={"whitening": "none"})
    assert queued.status_code == 202, queued.text
    assert (queued.json()["version"], queued.json()["state"]) == (2, "queued")
    assert stack.client.get(f"{at}/wells?limit=100").json() == before
    assert stack.client.get(f"{at}/quality?version=2").status_code == 409
    assert stack.runs().run(stack.queue.analyses[-1])
    assert stack.client.get(f"{at}/wells?limit=100").json() != before
    assert stack.client.get(f"{at}/wells?limit=100&version=1").json() == before
    versions = stack.client.get(f"{at}/analyses").json()
    assert [(v["version"], v["state"], v["parameters"]["whitening"]) for v in versions] == [
        (1, "done", "within_class"),
        (2, "done", "none"),
    ]


def test_a_screen_without_vectors_cannot_be_analysed(stack: Stack) -> None:
    assert stack.client.post(f"/screens/{stack.waiting}/analyses", json={}).status_code == 409


def test_a_deleted_screen_is_gone_with_its_files(stack: Stack) -> None:
    screen = stack.first
    assert stack.client.get(f"/screens/{screen}/quality").status_code == 200
    answer = stack.client.delete(f"/screens/{screen}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert not (stack.home / "store" / screen).exists()
    for path in ("", "/quality", "/events", "/analyses"):
        assert stack.client.get(f"/screens/{screen}{path}").status_code == 404
    assert stack.client.delete(f"/screens/{screen}").status_code == 404


def test_events_of_a_finished_screen_say_so_and_end(stack: Stack) -> None:
    answer = stack.client.get(f"/screens/{stack.first}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert [name for name, _ in _events(answer.text)] == ["status", "end"]
    assert json.loads(_events(answer.text)[0][1])["id"] == stack.first


def test_events_of_a_screen_that_waits_end_when_their_time_is_over(stack: Stack) -> None:
    start = time.monotonic()
    silent = stack.client.get(f"/screens/{stack.waiting}/events")
    assert [name for name, _ in _events(silent.text)] == ["status"]
    assert time.monotonic() - start > stack.settings.events_seconds


def test_pages_read_the_same_screens(stack: Stack) -> None:
    assert "first" in stack.client.get("/ui/").text
    assert stack.client.get(f"/ui/screens/{stack.first}").status_code == 200
    assert stack.client.get(f"/ui/screens/{stack.waiting}").status_code == 200
    assert stack.client.get("/ui/screens/nope").status_code == 404


def _events(text: str) -> list[tuple[str, str]]:
    blocks = [block.splitlines() for block in text.split("\n\n") if block and not block.startswith(":")]
    return [(name.removeprefix("event: "), data.removeprefix("data: ")) for name, data in blocks]


def test_a_request_sent_again_under_its_key_answers_the_first_screen(stack: Stack) -> None:
    before = len(stack.database.screens.statuses())
    key = {"Idempotency-Key": "plate-7"}
    first = stack.client.post("/screens", json=REQUEST, headers=key)
    again = stack.client.post("/screens", json=REQUEST, headers=key)
    assert (first.status_code, again.status_code) == (202, 202), again.text
    assert first.json()["id"] == again.json()["id"]
    assert len(stack.database.screens.statuses()) == before + 1
    other = stack.client.post("/screens", json={**REQUEST, "name": "other"}, headers=key)
    assert other.status_code == 422, other.text
    assert f"that of screen '{first.json()['id']}'" in other.json()["detail"]
    assert stack.client.post("/screens", json=REQUEST, headers={"Idempotency-Key": "a b"}).status_code == 422
    assert stack.client.post("/screens", json=REQUEST).json()["id"] != first.json()["id"]


def test_a_field_of_several_forms_is_named_without_their_types(shared_stack: Stack) -> None:
    answer = shared_stack.client.post("/screens", json={**REQUEST, "limits": "nan"})
    assert answer.status_code == 422
    assert {problem["field"] for problem in answer.json()["problems"]} == {"body.limits"}
