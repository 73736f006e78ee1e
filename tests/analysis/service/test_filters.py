"""What a client does not want to see is left out, and everything else stays as it is."""

from __future__ import annotations

import pytest
from gandl_analysis.service.filters import HitFilter, WellFilter
from gandl_shared.schemas.screen import Hit, WellScore


def hit(compound: str, verdict: str, *, q: float | None, emax: float | None, cell_line: str = "U2OS") -> Hit:
    return Hit(
        rank=1,
        compound=compound,
        cell_line=cell_line,
        verdict=verdict,
        ec50_um=1.0,
        ec50_relation="=",
        emax=emax,
        q_value=q,
        flags=(),
    )


HITS = [
    hit("strong", "active", q=0.01, emax=0.9),
    hit("weak", "active", q=0.01, emax=0.3),
    hit("toxin", "toxic", q=0.0001, emax=1.0),
    hit("unclear", "undetermined", q=None, emax=None),
    hit("other", "active", q=0.04, emax=0.9, cell_line="A549"),
]


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        (HitFilter(), ["strong", "weak", "toxin", "unclear", "other"]),
        (HitFilter(cell_line="A549"), ["other"]),
        (HitFilter(verdicts=frozenset({"toxic", "undetermined"})), ["toxin", "unclear"]),
        (HitFilter(max_q=0.01), ["strong", "weak", "toxin"]),
        (HitFilter(min_emax=0.9, max_q=0.01, cell_line="U2OS"), ["strong", "toxin"]),
    ],
)
def test_hits_are_selected_in_their_order(selection: HitFilter, names: list[str]) -> None:
    assert [entry.compound for entry in selection.select(HITS)] == names


def well(name: str, role: str, cell_line: str, compound: str | None = None) -> WellScore:
    return WellScore(
        plate="P1",
        well=name,
        role=role,
        compound=compound,
        concentration_um=None,
        cell_line=cell_line,
        on=0.0,
        off=0.0,
        efficacy=0.0,
        n_tiles=1,
    )


WELLS = [
    well("A01", "positive_control", "U2OS"),
    well("A02", "treatment", "U2OS", "X"),
    well("B01", "treatment", "A549", "X"),
]


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        (WellFilter(), ["A01", "A02", "B01"]),
        (WellFilter(role="treatment"), ["A02", "B01"]),
        (WellFilter(compound="X", cell_line="A549"), ["B01"]),
        (WellFilter(plate="P2"), []),
    ],
)
def test_wells_need_every_value_of_the_filter(selection: WellFilter, names: list[str]) -> None:
    assert [entry.well for entry in selection.select(WELLS)] == names
