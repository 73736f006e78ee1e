"""A table of features becomes a screen that can be watched, read and analysed again; a refused one leaves nothing."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from gandl_analysis.service.runs import AnalysisRuns

from tests.analysis.formats.profiles.tables import profiles
from tests.analysis.service.stack import Stack


def run_all(stack: Stack) -> None:
    runs = AnalysisRuns(database=stack.database, store=stack.store, models=stack.models)
    while runs.run():
        pass


@pytest.fixture
def table(stack: Stack) -> Path:
    """A table below the image root."""
    path = stack.settings.image_root / "profiles.csv.gz"
    profiles().to_csv(path, index=False)
    return path


def test_a_table_below_the_root_is_analysed_as_a_screen(stack: Stack, table: Path) -> None:
    analysis = {"retrieval": True}
    answer = stack.client.post("/analyses", json={"table": table.name, "name": "profiles", "analysis": analysis})
    assert answer.status_code == 202, answer.text
    screen = answer.json()["id"]
    assert answer.json()["state"] == "analysing"
    assert len(stack.queue.analyses) == 1
    run_all(stack)
    status = stack.client.get(f"/screens/{screen}").json()
    assert (status["state"], status["error"]) == ("done", None)
    (hit,) = stack.client.get(f"/screens/{screen}/hits").json()["items"]
    assert hit["verdict"] == "active"
    assert "gandl did not compute them" in stack.client.get(f"/screens/{screen}/report").text
    assert "Do wells find the wells of their own treatment" in stack.client.get(f"/screens/{screen}/report").text
    (probes,) = stack.client.get(f"/screens/{screen}/quality").json()["probes"].values()
    assert [probe["queries"] for probe in probes["retrieval"]] == [36, 36, 36]
    assert stack.client.get(f"/screens/{screen}/features").text.startswith("feature,column,left_out")
    again = stack.client.post(f"/screens/{screen}/analyses", json={"normalisation": "standardise"})
    assert (again.status_code, again.json()["version"]) == (202, 2)
    run_all(stack)
    assert stack.client.get(f"/screens/{screen}").json()["analysis_version"] == 2


def test_an_upload_gives_what_its_path_gives(stack: Stack, table: Path) -> None:
    content = base64.b64encode(table.read_bytes()).decode()
    body = {"table_base64": content, "table_name": table.name}
    ids = [stack.client.post("/analyses", json=b).json()["id"] for b in ({"table": table.name}, body)]
    run_all(stack)
    one, other = (stack.client.get(f"/screens/{i}/wells").json()["items"] for i in ids)
    assert one == other


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({}, 422, "exactly one of table"),
        ({"table": "../secret.csv"}, 403, "outside the image folder"),
        ({"table": "absent.csv"}, 404, "is not there"),
        ({"table_base64": base64.b64encode(b"<html>").decode(), "table_name": "a/b"}, 422, "table_name"),
        ({"table_base64": base64.b64encode(b"<html>").decode(), "table_name": "p.csv"}, 422, "is a page of HTML"),
        ({"table": "profiles.csv.gz", "plate_map_csv": "plate,well"}, 422, "has no rows"),
        ({"table": "profiles.csv.gz", "analysis": {"axis_from": {"screen": "none"}}}, 422, "axis_from"),
    ],
)
def test_a_refused_table_leaves_nothing(
    stack: Stack, table: Path, body: dict[str, object], status: int, words: str
) -> None:
    stored = {path.name for path in (stack.home / "store").iterdir()}
    answer = stack.client.post("/analyses", json=body)
    assert (answer.status_code, words in json.dumps(answer.json())) == (status, True), answer.text
    assert {path.name for path in (stack.home / "store").iterdir()} == stored
    assert (len(stack.ids), stack.queue.analyses) == (3, [])
