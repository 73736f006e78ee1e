"""Decisions end to end: from the request over a new version to the trail and the exports."""

from __future__ import annotations

import csv
import io

import pytest

from tests.analysis.service.stack import Stack

WHO = {"reason": "a bubble", "author": "Ann"}
WELL = {"level": "well", "plate": "P1", "well": "A05"}
CURVE = {"compound": "X", "cell_line": "U2OS"}


def decide(stack: Stack, kind: str, **fields: object) -> dict[str, object]:
    answer = stack.client.post(f"/screens/{stack.first}/decisions", json={"kind": kind, **WHO, **fields})
    assert answer.status_code == 202, answer.text
    decision: dict[str, object] = answer.json()
    while stack.runs().run():
        pass
    return decision


def refusal(stack: Stack, status: int, kind: str, **fields: object) -> str:
    answer = stack.client.post(f"/screens/{stack.first}/decisions", json={"kind": kind, **WHO, **fields})
    assert answer.status_code == status, answer.text
    return answer.text


def treated_well(stack: Stack) -> dict[str, object]:
    items = stack.client.get(f"/screens/{stack.first}/wells?role=treatment&limit=1").json()["items"]
    return {"level": "well", "plate": items[0]["plate"], "well": items[0]["well"]}


def excluded_wells(stack: Stack, version: int | None = None) -> list[tuple[str, str]]:
    query = "limit=1000" if version is None else f"limit=1000&version={version}"
    items = stack.client.get(f"/screens/{stack.first}/wells?{query}").json()["items"]
    return [(w["well"], w["excluded"]) for w in items if w["excluded"]]


def test_a_well_is_excluded_and_brought_back_by_versions_that_all_stay(stack: Stack) -> None:
    well = treated_well(stack)
    original = stack.client.get(f"/screens/{stack.first}/wells?limit=1000").text
    assert decide(stack, "exclude", items=[well])["version"] == 2
    assert stack.queue.analyses
    assert excluded_wells(stack) == [(well["well"], "excluded by Ann: a bubble")]
    assert excluded_wells(stack, 1) == []
    assert "left out already, by Ann in decision 1 (a bubble)" in refusal(stack, 409, "exclude", items=[well])
    assert decide(stack, "restore", items=[well], reason="it was none")["version"] == 3
    assert excluded_wells(stack) == []
    assert excluded_wells(stack, 2) == [(well["well"], "excluded by Ann: a bubble")]
    assert stack.client.get(f"/screens/{stack.first}/wells?limit=1000").text == original
    assert "not excluded" in refusal(stack, 409, "restore", items=[well])
    compared = stack.client.get(f"/screens/{stack.first}/compare/{stack.first}?version=1&other_version=3").json()
    assert compared["largest_difference"] == 0


def test_the_trail_says_who_when_why_and_which_version(stack: Stack) -> None:
    well = treated_well(stack)
    decide(stack, "exclude", items=[well], author="=Ann", reason="a bubble, large")
    decide(stack, "assess", curve={**CURVE, "ec50_um": 2.5, "verdict": "toxic"})
    trail = stack.client.get(f"/screens/{stack.first}/decisions").json()
    assert [(d["number"], d["kind"], d["version"]) for d in trail["decisions"]] == [(1, "exclude", 2), (2, "assess", 2)]
    assert [item["well"] for item in trail["excluded"]] == [well["well"]]
    assert trail["assessments"][0]["ec50_um"] == 2.5
    text = stack.client.get(f"/screens/{stack.first}/decisions", headers={"Accept": "text/csv"}).text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(r["level"], r["well"], r["ec50_um"], r["reason"]) for r in rows] == [
        ("well", well["well"], "", "a bubble, large"),
        ("curve", "", "2.5", "a bubble"),
    ]
    # A spreadsheet must not run a name as a formula.
    assert rows[0]["author"] == "'=Ann"


def test_what_a_person_sets_is_shown_beside_ours_and_never_over_it(stack: Stack) -> None:
    path = f"/compounds/X/dose-response?screen={stack.first}"
    before = stack.client.get(path).json()
    decide(stack, "assess", curve={**CURVE, "verdict": "toxic", "ec50_um": 7.0})
    after = stack.client.get(path).json()
    assert after["curves"] == before["curves"]
    assert [(a["verdict"], a["ec50_um"], a["author"]) for a in after["assessments"]] == [("toxic", 7.0, "Ann")]
    row = next(csv.DictReader(io.StringIO(stack.client.get(path, headers={"Accept": "text/csv"}).text)))
    assert (row["verdict"], row["assessed_verdict"]) == (before["curves"][0]["verdict"], "toxic")
    hit = stack.client.get(f"/screens/{stack.first}/hits").json()["items"][0]
    assert (hit["assessed_verdict"], hit["assessed_ec50_um"], hit["assessed_by"]) == ("toxic", 7.0, "Ann")
    export = f"/screens/{stack.first}/exports"
    assert "toxic,7.0,Ann" in stack.client.get(f"{export}/hits.csv").text
    assert "assess,a bubble" in stack.client.get(f"{export}/decisions.csv").text
    assert "Ann has set the verdict <b>toxic</b>" in stack.client.get(f"/ui/screens/{stack.first}/compounds/X").text
    decide(stack, "withdraw", curve=CURVE)
    assert stack.client.get(path).json()["assessments"] == []
    assert "nothing was set" in refusal(stack, 409, "withdraw", curve=CURVE)


def test_other_parameters_keep_what_is_excluded_and_name_only_what_was_decided(stack: Stack) -> None:
    decide(stack, "exclude", items=[treated_well(stack)])
    path = f"/screens/{stack.first}/analyses"
    answer = stack.client.post(path, json={"alpha": 0.01})
    assert answer.status_code == 202, answer.text
    recorded = answer.json()["parameters"]["exclusions"]
    assert [e["reason"] for e in recorded] == ["a bubble"]
    # The parameters of a version can be sent again as they are.
    assert stack.client.post(path, json=answer.json()["parameters"]).status_code == 202
    assert stack.client.post(path, json={"exclusions": []}).json()["parameters"]["exclusions"] == []
    refused = stack.client.post(path, json={"exclusions": [{**recorded[0], "well": "A06"}]})
    assert refused.status_code == 422, refused.text
    assert "is in no decision of this screen" in refused.json()["problems"][0]["detail"]


def test_controls_that_an_axis_needs_and_things_that_are_not_there_are_refused(shared_stack: Stack) -> None:
    stack = shared_stack
    before = len(stack.client.get(f"/screens/{stack.first}/analyses").json())
    assert "the exclusions leave no well" in refusal(stack, 422, "exclude", items=[{"level": "plate", "plate": "P1"}])
    items = stack.client.get(f"/screens/{stack.first}/wells?role=positive_control&limit=1000").json()["items"]
    controls = [{"level": "well", "plate": w["plate"], "well": w["well"]} for w in items]
    assert "the exclusions leave too few controls" in refusal(stack, 422, "exclude", items=controls)
    assert "no plate 'P9'" in refusal(stack, 422, "exclude", items=[{"level": "plate", "plate": "P9"}])
    site = {**treated_well(stack), "level": "site", "site": "99"}
    assert "no site '99'" in refusal(stack, 422, "exclude", items=[site])
    assert "no curve of 'Z'" in refusal(
        stack, 422, "assess", curve={"compound": "Z", "cell_line": "U2OS", "ec50_um": 1}
    )
    assert len(stack.client.get(f"/screens/{stack.first}/analyses").json()) == before
    assert stack.client.get(f"/screens/{stack.first}/decisions").json()["decisions"] == []


def test_a_new_screen_has_no_exclusions(shared_stack: Stack) -> None:
    request = {
        "images": "plate/Images",
        "plate_map": "plate/platemap.csv",
        "analysis": {"exclusions": [{**WELL, **WHO, "decision": 1}]},
    }
    answer = shared_stack.client.post("/screens", json=request)
    assert answer.status_code == 422, answer.text
    assert answer.json()["problems"][0]["field"] == "analysis.exclusions"


@pytest.mark.parametrize("path", ["decisions?x=1", "decisions"])
def test_the_route_refuses_unknown_screens_and_parameters(shared_stack: Stack, path: str) -> None:
    screen = "nobody" if path == "decisions" else shared_stack.first
    assert shared_stack.client.get(f"/screens/{screen}/{path}").status_code in (404, 422)
