"""A screen is analysed or refused. A refusal names the cell line or well and the reason; no number is invented."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from gandl_analysis.formats.output_folder import text_files
from gandl_analysis.pipeline.analyse import analyse
from gandl_analysis.pipeline.inputs import ScreenInput
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_shared.errors import NotEnoughData
from gandl_shared.plates import Role, Well
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.store import Profiles
from gandl_shared.testing import fake_card
from numpy.typing import NDArray

ROLES = [Role.POSITIVE] * 6 + [Role.NEGATIVE] * 6 + [Role.TREATMENT] * 6
TILES = 4


def wells_of(roles: Sequence[Role], line: str = "U2OS") -> list[Well]:
    """One well per role; treatments hold compound X at rising doses. Rows A-F, one column per role."""
    columns = {Role.POSITIVE: 1, Role.NEGATIVE: 2, Role.TREATMENT: 3}
    count = dict.fromkeys(columns, 0)
    wells = []
    for i, role in enumerate(roles):
        name = f"{chr(65 + count[role])}{columns[role]:02d}"
        count[role] += 1
        dose = float(count[role]) if role is Role.TREATMENT else None
        wells.append(
            Well(
                plate="P1",
                well=name,
                role=role,
                compound="X" if dose else None,
                concentration_um=dose,
                cell_line=line,
                table_row=i + 2,
            )
        )
    return wells


def vectors_of(wells: Sequence[Well], effect: float = 6.0) -> NDArray[np.float32]:
    rng = np.random.default_rng(0)
    sign = {Role.POSITIVE: 0.5, Role.NEGATIVE: -0.5}
    centres = np.array([sign.get(w.role, 0.0) * effect for w in wells])
    return (rng.normal(size=(len(wells), TILES, 8)) + centres[:, None, None]).reshape(-1, 8).astype(np.float32)


def screened(wells: Sequence[Well], vectors: NDArray[np.float32], missing: Sequence[str] = ()) -> ScreenAnalysis:
    """`missing` wells have no images."""
    n = len(wells) * TILES
    names = np.repeat(np.array([w.well for w in wells], object), TILES)
    numbers, zero = np.tile(np.arange(TILES, dtype=np.int32), len(wells)), np.zeros(n, np.int32)
    plates = np.repeat(np.array([w.plate for w in wells], object), TILES)
    sites, keys = (np.full(n, text, object) for text in ("1", "key"))
    profiles = Profiles(
        plates=plates, wells=names, sites=sites, tiles=numbers, y=zero, x=zero, keys=keys, vectors=vectors
    )
    profiles = profiles.where(~np.isin(names.astype(str), list(missing)))
    screen = ScreenInput(
        name="test",
        profiles=profiles,
        wells=wells,
        parked=(),
        parameters=AnalysisParameters(),
        card=fake_card(),
        model_id="0" * 64,
        limits={},
    )
    return analyse(screen).analysis


def test_a_good_screen_is_scored() -> None:
    wells = wells_of(ROLES)
    analysis = screened(wells, vectors_of(wells))
    assert analysis.quality.cell_lines["U2OS"].z_prime is not None
    assert np.mean(
        [w.efficacy for w in analysis.wells if w.role == "positive_control" and w.efficacy]
    ) == pytest.approx(1)


def test_constant_vectors_give_no_efficacy() -> None:
    wells = wells_of(ROLES)
    analysis = screened(wells, np.ones((len(wells) * TILES, 8), np.float32))
    assert {w.efficacy for w in analysis.wells} == {None}
    assert {curve.verdict for curve in analysis.curves} <= {"undetermined"}
    assert all(curve.ec50.value is None for curve in analysis.curves if curve.ec50)


@pytest.mark.parametrize(
    ("roles", "counts"),
    [
        ([Role.POSITIVE] + [Role.NEGATIVE] * 6 + [Role.TREATMENT] * 6, "1 positive and 6 negative"),
        ([Role.POSITIVE] * 6 + [Role.NEGATIVE], "6 positive and 1 negative"),
        ([Role.POSITIVE] * 6 + [Role.TREATMENT] * 6, "6 positive and 0 negative"),
    ],
)
def test_too_few_controls_name_the_cell_line_and_the_count(roles: list[Role], counts: str) -> None:
    wells = wells_of(roles, line="HRCE")
    with pytest.raises(NotEnoughData, match=f"cell line HRCE has {counts}.*at least two of each"):
        screened(wells, vectors_of(wells))


def test_controls_without_images_do_not_count() -> None:
    wells = wells_of(ROLES)
    with pytest.raises(NotEnoughData, match="1 positive and 6 negative"):
        screened(wells, vectors_of(wells), missing=["A01", "B01", "C01", "D01", "E01"])


def test_nan_vectors_name_their_well() -> None:
    wells = wells_of(ROLES)
    vectors = vectors_of(wells)
    vectors[7 * TILES, 3] = np.nan
    with pytest.raises(NotEnoughData, match="well B02"):
        screened(wells, vectors)


def test_a_treatment_without_images_is_empty_and_the_rest_is_scored() -> None:
    wells = wells_of(ROLES)
    scores = {w.well: w for w in screened(wells, vectors_of(wells), missing=["C03"]).wells}
    assert (scores["C03"].efficacy, scores["C03"].n_tiles) == (None, 0)
    assert scores["D03"].efficacy is not None


def test_a_treatment_at_one_dose_has_no_curve_but_its_wells() -> None:
    wells = [replace(w, concentration_um=1.0) if w.concentration_um else w for w in wells_of(ROLES)]
    (curve,) = screened(wells, vectors_of(wells)).curves
    assert (curve.verdict, curve.n_doses, curve.n_wells) == ("undetermined", 1, 6)
    assert (curve.ec50.value, curve.p_value, curve.q_value, curve.auc) == (None,) * 4
    assert "few_doses" in curve.flags
    assert all(p.efficacy is not None and p.excluded is None for p in curve.points)


def test_a_compound_in_one_cell_line_only_has_no_curve_in_the_other() -> None:
    lines = {name: wells_of(ROLES, line=name) for name in ("U2OS", "HRCE")}
    wells = [replace(w, plate=f"{name} plate") for name, of_line in lines.items() for w in of_line]
    wells = [replace(w, compound="Y") if w.compound and w.cell_line == "HRCE" else w for w in wells]
    analysis = screened(wells, vectors_of(wells))
    assert [(c.compound, c.cell_line, c.n_wells) for c in analysis.curves] == [("X", "U2OS", 6), ("Y", "HRCE", 6)]
    assert set(analysis.quality.cell_lines) == {"U2OS", "HRCE"}


def test_a_screen_without_any_efficacy_still_has_a_report_and_files() -> None:
    wells = wells_of(ROLES)
    analysis = screened(wells, np.ones((len(wells) * TILES, 8), np.float32))
    files = text_files(analysis)
    assert "Infinity" not in files["quality.json"] and "NaN" not in files["quality.json"]
    assert analysis.quality.cell_lines["U2OS"].z_prime is None
    assert "18 wells have no score" in " ".join(files["report.html"].split())
