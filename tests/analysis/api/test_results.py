"""Reading what an analysis found: quality, wells, axes, hits, report."""

from __future__ import annotations

import csv
import io
import operator
import statistics
from typing import Any

import numpy as np
import pytest
from gandl_analysis.formats.store_layout import read_analysis
from gandl_analysis.formats.tables.wells import sites_csv, wells_csv

from tests.analysis.service.stack import Stack

RESULTS = ("quality", "wells", "sites", "axes", "hits", "report")


def test_wells_are_those_of_the_stored_analysis(shared_stack: Stack) -> None:
    stored = read_analysis(shared_stack.store, shared_stack.first, 1)
    page = shared_stack.client.get(f"/screens/{shared_stack.first}/wells", params={"limit": 1000}).json()
    assert page["items"] == [well.model_dump() for well in stored.wells]
    assert (page["total"], page["offset"], page["limit"]) == (64, 0, 1000)


def test_wells_as_csv_are_the_file_and_are_not_cut(shared_stack: Stack) -> None:
    stored = read_analysis(shared_stack.store, shared_stack.first, 1)
    answer = shared_stack.client.get(
        f"/screens/{shared_stack.first}/wells", params={"limit": 2}, headers={"Accept": "text/csv"}
    )
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text == wells_csv(stored.wells)


def test_wells_can_be_filtered_and_paged(shared_stack: Stack) -> None:
    at = f"/screens/{shared_stack.second}/wells"
    selected = shared_stack.client.get(at, params={"role": "positive_control", "cell_line": "A549"}).json()
    assert {(w["role"], w["cell_line"]) for w in selected["items"]} == {("positive_control", "A549")}
    assert selected["total"] == 4
    paged = [shared_stack.client.get(at, params={"limit": 30, "offset": o}).json()["items"] for o in (0, 30, 60)]
    assert [len(items) for items in paged] == [30, 30, 4]
    whole = shared_stack.client.get(at, params={"limit": 64}).json()["items"]
    assert [well for items in paged for well in items] == whole


def test_quality_and_axes(shared_stack: Stack) -> None:
    stored = read_analysis(shared_stack.store, shared_stack.second, 1)
    quality = shared_stack.client.get(f"/screens/{shared_stack.second}/quality").json()
    assert quality == stored.quality.model_dump(mode="json")
    axes = shared_stack.client.get(f"/screens/{shared_stack.second}/axes").json()
    assert [(axis["name"], axis["cell_line"], len(axis["points"])) for axis in axes["axes"]] == [
        ("E2", "U2OS", 32),
        ("E2", "A549", 32),
        ("E2-pooled", None, 64),
        ("C2", None, 64),
    ]
    first, well = axes["axes"][0]["points"][0], stored.wells[0]
    assert (first["on"], first["off"], first["scaled"]) == (well.on, well.off, well.efficacy)
    assert axes["axes"][0]["quality"] == quality["cell_lines"]["U2OS"]
    (between,) = [axis for axis in axes["axes"] if axis["name"] == "C2"]
    sides = {(point["side"], point["cell_line"], point["role"]) for point in between["points"] if point["side"]}
    assert sides == {
        (side, line, role)
        for side, line in (("negative", "U2OS"), ("positive", "A549"))
        for role in ("negative_control", "positive_control")
    }
    assert axes["axis_hash"] == stored.provenance.axis_hash


@pytest.mark.parametrize("query", ["cellline=A549", "max_Q=0.5&sort=ec50", "limit=3&offsett=1"])
def test_a_misspelt_filter_is_refused(shared_stack: Stack, query: str) -> None:
    """It would show everything as if it were filtered."""
    answer = shared_stack.client.get(f"/screens/{shared_stack.second}/hits?{query}")
    assert answer.status_code == 422
    fields = [problem["field"] for problem in answer.json()["problems"]]
    assert fields == [f"query.{name}" for name in [p.split("=")[0] for p in query.split("&")] if name != "limit"]
    assert "takes version, cell_line, verdict, max_q" in answer.json()["detail"]


@pytest.mark.parametrize("model", [".", "..", "a/b", "a/", "a\\b", ""])
def test_a_model_is_a_name_and_no_path(shared_stack: Stack, model: str) -> None:
    answer = shared_stack.client.post("/screens", json={"images": "x", "plate_map": "m.csv", "model": model})
    assert (answer.status_code, answer.json()["problems"][0]["field"]) == (422, "body.model")


def test_hits_of_a_brightening_compound(shared_stack: Stack) -> None:
    hits = shared_stack.client.get(f"/screens/{shared_stack.second}/hits").json()
    assert hits["total"] == 4
    for line in ("U2OS", "A549"):
        ranks = [hit["rank"] for hit in hits["items"] if hit["cell_line"] == line]
        ranked = [rank for rank in ranks if rank is not None]
        assert ranked == list(range(1, len(ranked) + 1)) and ranks == ranked + [None] * (len(ranks) - len(ranked))
    table = shared_stack.client.get(f"/screens/{shared_stack.second}/hits", headers={"Accept": "text/csv"}).text
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [row["compound"] for row in rows] == [hit["compound"] for hit in hits["items"]]
    only = shared_stack.client.get(f"/screens/{shared_stack.second}/hits", params={"cell_line": "A549"}).json()
    assert [hit for hit in hits["items"] if hit["cell_line"] == "A549"] == only["items"]


def test_hits_are_filtered_and_come_in_pages(shared_stack: Stack) -> None:
    def hits(**query: object) -> list[dict[str, Any]]:
        answer = shared_stack.client.get(f"/screens/{shared_stack.second}/hits", params=query)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    every = hits()
    assert (hits(verdict="active"), hits(verdict="toxic")) == (every, [])
    for name, field, keeps in (("max_q", "q_value", operator.le), ("min_emax", "emax", operator.ge)):
        middle = statistics.median(hit[field] for hit in every)
        expected = [hit for hit in every if keeps(hit[field], middle)]
        assert hits(**{name: middle}) == expected
        assert 0 < len(expected) < len(every)
    assert [*hits(limit=3), *hits(limit=3, offset=3)] == every
    page = shared_stack.client.get(f"/screens/{shared_stack.second}/hits", params={"limit": 3, "offset": 3}).json()
    assert (page["total"], len(page["items"])) == (4, 1)


def test_report_is_the_page_of_gandl_screen(shared_stack: Stack) -> None:
    answer = shared_stack.client.get(f"/screens/{shared_stack.first}/report")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "<svg" in answer.text


@pytest.mark.parametrize("what", RESULTS)
def test_a_screen_without_results_answers_409(shared_stack: Stack, what: str) -> None:
    answer = shared_stack.client.get(f"/screens/{shared_stack.waiting}/{what}")
    assert answer.status_code == 409
    assert answer.json()["error"] == "Conflict"
    assert "queued" in answer.json()["detail"]


@pytest.mark.parametrize("what", RESULTS)
@pytest.mark.parametrize("screen", ["0123456789abcdef", "no%00such", "..%2F..", "a" * 150])
def test_an_unknown_screen_answers_404(shared_stack: Stack, what: str, screen: str) -> None:
    answer = shared_stack.client.get(f"/screens/{screen}/{what}")
    assert answer.status_code == 404
    assert answer.json()["request_id"]


def test_an_unknown_version_answers_404(shared_stack: Stack) -> None:
    assert shared_stack.client.get(f"/screens/{shared_stack.first}/quality?version=7").status_code == 404


def test_parameters_out_of_range_answer_422(shared_stack: Stack) -> None:
    for query in ("limit=0", "limit=x", "offset=-1", "version=0", "role=mock", "plate=a%00b"):
        assert shared_stack.client.get(f"/screens/{shared_stack.first}/wells?{query}").status_code == 422, query


def test_sites_are_the_parts_of_their_wells(shared_stack: Stack) -> None:
    at, wells = f"/screens/{shared_stack.second}/sites", read_analysis(shared_stack.store, shared_stack.second, 1).wells
    page = shared_stack.client.get(at, params={"limit": 1000}).json()
    by_well: dict[tuple[str, str], list[dict[str, float]]] = {}
    for site in page["items"]:
        by_well.setdefault((site["plate"], site["well"]), []).append(site)
    assert list(by_well) == [(w.plate, w.well) for w in wells]
    for well in wells:
        sites = by_well[well.plate, well.well]
        tiles = [site["n_tiles"] for site in sites]
        assert sum(tiles) == well.n_tiles
        for name in ("on", "efficacy"):
            assert np.average([s[name] for s in sites], weights=tiles) == pytest.approx(getattr(well, name), rel=1e-9)


def test_sites_as_csv_filtered(shared_stack: Stack) -> None:
    at = f"/screens/{shared_stack.second}/sites"
    params = {"cell_line": "A549", "role": "positive_control"}
    items = shared_stack.client.get(at, params=params).json()["items"]
    text = shared_stack.client.get(at, params=params, headers={"Accept": "text/csv"}).text
    assert [row["well"] for row in csv.DictReader(io.StringIO(text))] == [site["well"] for site in items]
    assert text.splitlines()[0] == sites_csv(()).strip()
    assert {site["cell_line"] for site in items} == {"A549"}
