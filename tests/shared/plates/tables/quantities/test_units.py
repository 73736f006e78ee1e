"""Units in headers: molar ones are understood in every usual spelling, others are never taken for them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from gandl_shared.plates.tables.quantities.units import DoseScale, dose_scale, foreign_unit, unit_power

HEADERS = {
    "concentration_nM": DoseScale(-3),
    "Concentration (uM)": DoseScale(0),
    "conc (µM)": DoseScale(0),
    "conc [\u03bcM]": DoseScale(0),
    "Final conc. in mM": DoseScale(3),
    "dose pM": DoseScale(-6),
    "concentration_m": DoseScale(6),
    "Dose (nmol/L)": DoseScale(-3),
    "conc_micromolar": DoseScale(0),
    "compound concentration [M]": DoseScale(6),
    "dose": DoseScale(None),
    "µM": DoseScale(0),
    "nM": DoseScale(-3),
    "concNM": DoseScale(-3),
    "pert_idose": DoseScale(None),
    "log10_concentration_um": DoseScale(0, is_log=True),
    "log10(conc [M])": DoseScale(6, is_log=True),
    "Log Conc (nM)": DoseScale(-3, is_log=True),
    "logM": DoseScale(6, is_log=True),
    "-log10 conc (M)": DoseScale(6, is_log=True, sign=-1),
}


@pytest.mark.parametrize(("header", "scale"), HEADERS.items())
def test_headers_of_doses(header: str, scale: DoseScale) -> None:
    assert dose_scale(header) == scale


@pytest.mark.parametrize(
    "header",
    [
        "stock_conc_mM",
        "dmso concentration",
        "cell density",
        "concentration (mg/ml)",
        "MOI",
        "m",
        "max dose um",
        "log",
    ],
)
def test_other_columns_are_no_doses(header: str) -> None:
    assert dose_scale(header) is None


def test_a_dose_in_mass_is_named() -> None:
    assert foreign_unit("Dose (µg/mL)") == "μg/ml"
    assert foreign_unit("conc_nM") is None
    assert foreign_unit("volume (ml)") is None


def test_powers_are_exact() -> None:
    assert DoseScale(-3).convert(Decimal(300), -3) == 0.3
    assert DoseScale(6).convert(Decimal("1e-7"), 6) == 0.1
    assert DoseScale(6, is_log=True).convert(Decimal(-6), 6) == pytest.approx(1)
    assert DoseScale(6, is_log=True, sign=-1).convert(Decimal(9), 6) == pytest.approx(1e-3)
    assert DoseScale(0, is_log=True).convert(Decimal(999), 0) == float("inf")


@pytest.mark.parametrize(
    ("unit", "power"), [("nM", -3), ("µM", 0), ("umol / L", 0), ("M", 6), ("fM", -9), ("mg", None)]
)
def test_units_of_cells(unit: str, power: int | None) -> None:
    assert unit_power(unit) == power
