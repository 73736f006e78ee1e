"""Dose ladders and designs; impossible ones are named field by field."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gandl.simulate import Compound, Controls, DoseLadder, Response
from gandl_shared.errors import Invalid

from tests.cli.simulate.tiny import TINY


def test_doses_fall_by_the_step_and_have_four_digits() -> None:
    assert DoseLadder(top_um=30.0, count=4).doses() == (0.9487, 3.0, 9.487, 30.0)
    assert DoseLadder(top_um=10.0, count=3, step=10.0).doses() == (0.1, 1.0, 10.0)


def test_every_problem_is_named_at_once() -> None:
    design = replace(TINY, bits=12, sites=0, ladder=DoseLadder(count=0), cell_lines=("MCF7",))
    with pytest.raises(Invalid) as error:
        design.check()
    assert [p.field for p in error.value.problems] == ["sites", "bits", "doses", "cell_line"]


def test_two_compounds_of_one_name_are_refused() -> None:
    design = replace(TINY, compounds=(Compound("A", Response()), Compound("A", Response())))
    assert [p.detail for p in design.problems()] == ["there are two compounds with the name A"]


def test_a_compound_must_fit_on_a_plate() -> None:
    design = replace(TINY, controls=Controls(positive=46, negative=48))
    (problem,) = design.problems()
    assert problem.detail.startswith("one compound needs 3 wells of a plate, but controls leave 2 of 96")


def test_a_compound_has_a_response_of_its_own_in_some_cell_lines() -> None:
    compound = TINY.compounds[1]
    assert compound.in_cells("VERO-like").ec50_um == 2.0
    assert compound.in_cells("HRCE-like").ec50_um is None
