"""Image QC over REST: what failed is answered by plate and well, and another analysis may judge otherwise."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from tests.analysis.service.stack import Stack


@pytest.fixture
def screen(stack: Stack) -> str:
    """A screen with a dark treatment well (C03) and a dark control well (D01)."""
    for well in ("C03", "D01"):
        for channel in (1, 2):
            path = stack.settings.image_root / "plate" / "Images" / "P1" / f"{well}_s1_w{channel}.tif"
            tifffile.imwrite(path, np.full((32, 32), 5, np.uint8))
    body = {"images": "plate/Images", "plate_map": "plate/platemap.csv"}
    submitted = str(stack.client.post("/screens", json=body).json()["id"])
    stack.work(submitted)
    return submitted


def well(stack: Stack, screen: str, name: str, version: int) -> dict[str, object]:
    wells = stack.client.get(f"/screens/{screen}/wells", params={"version": version, "limit": 1000}).json()["items"]
    return {w["well"]: w for w in wells}[name]


def test_failed_sites_wells_and_points_and_another_opinion(stack: Stack, screen: str) -> None:
    at = f"/screens/{screen}"
    quality = stack.client.get(f"{at}/quality").json()
    images = quality["images"]["P1"]
    assert images["sites"] == 64
    assert [(s["well"], s["site"], s["reasons"], s["excluded"]) for s in images["failed"]] == [
        ("C03", "1", ["empty"], True),
        ("D01", "1", ["empty"], True),
    ]
    assert quality["cell_lines"]["U2OS"]["n_negative"] == 7
    lost = well(stack, screen, "C03", 1)
    assert (lost["efficacy"], lost["n_tiles"], lost["excluded"]) == (None, 0, "image QC: empty")
    (curve,) = stack.client.get("/compounds/X/dose-response", params={"screen": screen}).json()["curves"]
    (point,) = [p for p in curve["points"] if p["well"] == "C03"]
    assert (point["efficacy"], point["weight"], point["excluded"]) == (None, 0.0, "image QC: empty")
    assert "empty_wells" in curve["flags"]
    assert "image QC: empty" in stack.client.get(f"{at}/report").text

    embedded = stack.models.embedder.calls
    other = stack.client.post(f"{at}/analyses", json={"image_qc": {"exclude": []}})
    assert other.status_code == 202, other.text
    assert stack.runs().run()
    assert stack.models.embedder.calls == embedded, "judging again needs no image"
    quality = stack.client.get(f"{at}/quality", params={"version": 2}).json()
    assert [s["excluded"] for s in quality["images"]["P1"]["failed"]] == [False, False]
    assert quality["cell_lines"]["U2OS"]["n_negative"] == 8
    assert well(stack, screen, "C03", 2)["efficacy"] is not None


@pytest.mark.parametrize(
    "rules", [{"exclude": ["ugly"]}, {"focus": 0}, {"saturation": 2}, {"structure": -1}, {"threshold": 1}]
)
def test_rules_that_make_no_sense_are_refused(shared_stack: Stack, rules: dict[str, object]) -> None:
    answer = shared_stack.client.post(f"/screens/{shared_stack.first}/analyses", json={"image_qc": rules})
    assert answer.status_code == 422
    assert next(iter(rules)) in answer.text


def test_one_control_is_refused_before_anything_is_embedded(shared_stack: Stack) -> None:
    lines = (shared_stack.settings.image_root / "plate" / "platemap.csv").read_text().splitlines()
    few = [line for line in lines if "positive" not in line or ",A08," in line]
    body = {"images": "plate/Images", "plate_map_csv": "\n".join(few)}
    answer = shared_stack.client.post("/screens", json=body)
    assert answer.status_code == 422
    assert "1 positive_control well for cell line U2OS; holding one out needs at least two" in answer.text
