"""Truths of a simulated screen beside the curves of an analysis."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl.simulate.truth import Recovery, Truth, compare, curve_of, read_truth
from gandl_shared.schemas.curve import Curve
from gandl_shared.schemas.vocabulary import Verdict

from tests.analysis.example.screen import example_analysis

CURVES = example_analysis().curves
ACTIVE = next(c for c in CURVES if c.verdict == "active" and c.ec50.relation == "=" and c.ec50.value)


def truth(ec50_um: float | None, behaviour: str = "rescue") -> Truth:
    return Truth(compound="X", cell_line="L", behaviour=behaviour, ec50_um=ec50_um, expected="active")


def curve(verdict: str) -> Curve:
    return ACTIVE.model_copy(update={"verdict": Verdict(verdict)})


@pytest.mark.parametrize(("factor", "is_right"), [(1.0, True), (1.9, True), (0.55, True), (2.1, False), (0.45, False)])
def test_an_ec50_within_a_factor_of_two_is_right(factor: float, is_right: bool) -> None:
    assert ACTIVE.ec50.value is not None
    assert Recovery(truth(ACTIVE.ec50.value * factor), ACTIVE).is_right is is_right


def test_a_bound_or_another_verdict_is_no_ec50() -> None:
    assert ACTIVE.ec50.value is not None
    bound = ACTIVE.model_copy(update={"ec50": ACTIVE.ec50.model_copy(update={"relation": ">"})})
    assert not Recovery(truth(ACTIVE.ec50.value), bound).is_right
    assert not Recovery(truth(ACTIVE.ec50.value), curve("undetermined")).is_right


@pytest.mark.parametrize(
    ("behaviour", "verdict", "is_right"),
    [
        ("inert", "inactive", True),
        ("inert", "toxic", False),
        ("inert", "active", False),
        ("toxin", "toxic", True),
        ("toxin", "inactive", True),
        ("toxin", "active", False),
    ],
)
def test_without_an_ec50_the_compound_must_be_no_hit(behaviour: str, verdict: str, is_right: bool) -> None:
    assert Recovery(truth(None, behaviour), curve(verdict)).is_right is is_right


def test_truths_are_read_and_paired_with_their_curves(tmp_path: Path) -> None:
    columns = "compound,cell_line,behaviour,ec50_um,expected_verdict"
    rows = [f"{ACTIVE.compound},{ACTIVE.cell_line},rescue,0.5,active", f"{ACTIVE.compound},Nowhere,inert,,inactive"]
    (tmp_path / "truth.csv").write_text("\n".join([columns, *rows]) + "\n")
    first, second = read_truth(tmp_path / "truth.csv")
    assert (first.ec50_um, second.ec50_um, second.expected) == (0.5, None, "inactive")
    assert compare([first], CURVES) == [Recovery(first, ACTIVE)]
    with pytest.raises(KeyError, match="in Nowhere"):
        compare([second], CURVES)
    assert curve_of(CURVES, ACTIVE.compound, ACTIVE.cell_line) is ACTIVE
