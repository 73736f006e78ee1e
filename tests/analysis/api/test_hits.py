"""The ranking rule on chosen curves."""

from __future__ import annotations

import pytest
from gandl_analysis.hits import HitFilter, rank
from gandl_shared.schemas.curve import Curve, CurveEmax, CurveLocation


def _curve(compound: str, verdict: str, **changes: object) -> Curve:
    q, emax, ec50 = (changes.get(name, default) for name, default in (("q", 0.01), ("emax", 0.9), ("ec50", 1.0)))
    location = CurveLocation(value=ec50, relation="=" if ec50 else None, low=None, high=None, unit="uM", method="")
    return Curve.model_validate(
        {
            "compound": compound,
            "cell_line": changes.get("cell_line", "U2OS"),
            "screen": None,
            "model": "hill",
            "aicc": {},
            "params": {},
            "ec50": location,
            "loss_ec50": None,
            "crosses_zero_at": None,
            "emax": CurveEmax(fitted=emax, observed=0.5, at=1.0),
            "auc": None,
            "p_value": q,
            "q_value": q,
            "lack_of_fit_p": None,
            "n_doses": 6,
            "n_wells": 12,
            "verdict": verdict,
            "flags": [],
            "points": [],
            "fitted": [],
        }
    )


CURVES = [
    _curve("toxin", "toxic", q=0.0001, emax=1.0),
    _curve("flat", "inactive", q=0.9, emax=-0.9, ec50=None),
    _curve("weak", "active", q=0.01, emax=0.3),
    _curve("strong", "active", q=0.01, emax=0.9),
    _curve("sure", "active", q=0.001, emax=0.2),
    _curve("falling", "active_biphasic", q=0.00001, emax=1.0),
    _curve("unclear", "undetermined", q=None, emax=None),
    _curve("potent", "active", q=0.01, emax=0.9, ec50=0.1),
    _curve("other", "active", q=0.04, cell_line="A549"),
]


def test_active_first_then_q_then_emax_then_ec50() -> None:
    ranked = [(hit.rank, hit.compound) for hit in rank(CURVES) if hit.cell_line == "U2OS"]
    assert ranked == [
        (1, "sure"),
        (2, "potent"),
        (3, "strong"),
        (4, "weak"),
        (5, "falling"),
        (None, "unclear"),
        (None, "flat"),
        (None, "toxin"),
    ]


def test_ranks_count_within_a_cell_line_and_the_first_of_each_come_first() -> None:
    assert {(hit.rank, hit.compound) for hit in rank(CURVES)[:2]} == {(1, "sure"), (1, "other")}


def test_the_order_does_not_depend_on_the_input() -> None:
    assert rank(reversed(CURVES)) == rank(CURVES)


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        (HitFilter(cell_line="A549"), {"other"}),
        (HitFilter(verdicts=frozenset({"toxic", "inactive"})), {"toxin", "flat"}),
        (HitFilter(max_q=0.001), {"toxin", "sure", "falling"}),
        (HitFilter(min_emax=0.9, max_q=0.01, cell_line="U2OS"), {"toxin", "strong", "falling", "potent"}),
    ],
)
def test_filters_choose_and_leave_the_ranks(chosen: HitFilter, names: set[str]) -> None:
    ranks = {hit.compound: hit.rank for hit in rank(CURVES)}
    shown = {hit.compound: hit.rank for hit in rank(CURVES) if chosen.shows(hit)}
    assert shown == {name: ranks[name] for name in names}
