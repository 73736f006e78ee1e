"""The ranking rule on chosen curves."""

from __future__ import annotations

from gandl_analysis.formats.tables.wells import hits_csv
from gandl_analysis.pipeline.ranking import rank_compounds, rank_curves
from gandl_shared.schemas.curve import Curve, CurveEmax, CurveLocation, CurveOffAxis, CurveWindow


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
            "window": changes.get("window"),
            "off_axis": CurveOffAxis(departs_at=changes.get("departs_at")),
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
    ranked = [(hit.rank, hit.compound) for hit in rank_compounds(CURVES) if hit.cell_line == "U2OS"]
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
    assert {(hit.rank, hit.compound) for hit in rank_compounds(CURVES)[:2]} == {(1, "sure"), (1, "other")}


def test_the_order_does_not_depend_on_the_input() -> None:
    assert rank_compounds(reversed(CURVES)) == rank_compounds(CURVES)


def test_curves_are_in_the_order_of_the_compounds() -> None:
    assert [(entry.rank, entry.curve.compound) for entry in rank_curves(CURVES)] == [
        (hit.rank, hit.compound) for hit in rank_compounds(CURVES)
    ]


def _window(fold: float, relation: str = "=") -> CurveWindow:
    return CurveWindow.model_validate(
        {"low": 1.0, "high": fold, "fold": fold, "relation": relation, "limited_by": "off_axis"}
    )


def test_among_equals_the_wider_window_comes_first() -> None:
    """q of one class and Emax of one tenth: 0.0002 and 0.0009, 0.91 and 0.94 are no reason to prefer either."""
    narrow = _curve("narrow", "active", q=0.0002, emax=0.94, window=_window(3.0), departs_at=3.0)
    wide = _curve("wide", "active", q=0.0009, emax=0.91, window=_window(100.0, ">"))
    none = _curve("none", "active", q=0.0001, emax=0.94)
    assert [hit.compound for hit in rank_compounds([narrow, none, wide])] == ["wide", "narrow", "none"]


def test_a_window_does_not_outweigh_a_clearly_stronger_effect_or_evidence() -> None:
    weak = _curve("weak", "active", q=0.0005, emax=0.5, window=_window(1000.0, ">"))
    strong = _curve("strong", "active", q=0.0005, emax=0.9, window=_window(2.0))
    unsure = _curve("unsure", "active", q=0.03, emax=0.95, window=_window(1000.0, ">"))
    assert [hit.compound for hit in rank_compounds([unsure, weak, strong])] == ["strong", "weak", "unsure"]


def test_a_hit_says_its_window_and_from_where_it_is_toxic() -> None:
    first, toxin = rank_compounds(
        [
            _curve("good", "active", window=_window(30.0, ">")),
            _curve("toxin", "toxic", q=1e-9, emax=1.0, departs_at=0.3),
        ]
    )
    assert (first.window_fold, first.window_relation, first.toxic_from_um) == (30.0, ">", None)
    assert (toxin.rank, toxin.window_fold, toxin.toxic_from_um) == (None, None, 0.3)


def test_the_table_has_the_window() -> None:
    header, row = hits_csv(rank_compounds([_curve("good", "active", window=_window(30.0, ">"))])).splitlines()
    cells = dict(zip(header.split(","), row.split(","), strict=True))
    assert (cells["window_fold"], cells["window_relation"], cells["toxic_from_um"]) == ("30.0", ">", "")
