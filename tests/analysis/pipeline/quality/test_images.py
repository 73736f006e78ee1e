"""A plate without one of its channels gets no verdict better than poor."""

from __future__ import annotations

from gandl_analysis.pipeline.quality.images import plates_by_cell_line, with_images
from gandl_shared.schemas.quality import GroupQuality, PlateImages, Quality

from tests.analysis.scored_cell_lines import Simulated

GOOD = PlateImages(sites=10, focus_judged=True, failed=())
LOST = PlateImages(
    sites=10, focus_judged=True, failed=(), usable=False, reasons=("channel DNA is dead in 9 of 10 fields",)
)


def group(verdict: str, cell_line: str | None = None) -> GroupQuality:
    values = {"z_prime": 0.7, "z_prime_robust": 0.7, "ssmd": 9.0, "v_factor": None, "roc_auc": 1.0, "accuracy": 1.0}
    return GroupQuality.model_validate(
        {**values, "n_positive": 6, "n_negative": 6, "verdict": verdict, "cell_line": cell_line}
    )


def test_a_plate_that_lost_a_channel_is_poor_and_the_others_keep_their_verdict() -> None:
    quality = Quality(
        cell_lines={"U2OS": group("good")}, plates={"P1": group("good", "U2OS"), "P2": group("usable", "U2OS")}
    )
    result = with_images(quality, {"P1": LOST, "P2": GOOD}, {"U2OS": {"P1", "P2"}})
    assert [plate.verdict for plate in result.plates.values()] == ["poor", "usable"]
    assert result.plates["P1"].reasons == LOST.reasons
    assert result.cell_lines["U2OS"].verdict == "good"
    assert result.images["P1"] == LOST


def test_a_cell_line_is_poor_if_all_of_its_plates_are() -> None:
    quality = Quality(
        cell_lines={"U2OS": group("good"), "VERO": group("undetermined")},
        plates={"P1 (U2OS)": group("good", "U2OS"), "P1 (VERO)": group("undetermined", "VERO")},
    )
    result = with_images(quality, {"P1": LOST}, {"U2OS": {"P1"}, "VERO": {"P1"}})
    assert [line.verdict for line in result.cell_lines.values()] == ["poor", "undetermined"]
    assert [plate.verdict for plate in result.plates.values()] == ["poor", "undetermined"]
    assert result.cell_lines["U2OS"].reasons == ("plate P1: channel DNA is dead in 9 of 10 fields",)


def test_the_plates_of_a_cell_line_are_those_of_its_wells() -> None:
    wells = Simulated(lines=("U2OS", "VERO"), plates=("P1", "P2")).wells()
    assert plates_by_cell_line(wells) == {"U2OS": {"P1", "P2"}, "VERO": {"P1", "P2"}}
