"""A row for each kind of design and noise: type I error, coverage, false discoveries and verdicts of whole screens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from gandl_science.arrays import Float, Index
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData, ResponseScale
from gandl_science.dose_response.records.vocabulary import Relation, Verdict
from gandl_science.dose_response.significance.false_discovery import q_values
from gandl_science.dose_response.verdict.interpretation import Interpretation, InterpretationRules, interpret_curve

from benchmarks.analysis.curves.designs import bump, rescue
from benchmarks.analysis.curves.noise import NOISES, Draw, noisy
from benchmarks.analysis.curves.simulation import SEEDS, Plan, Truth, flat, hill
from benchmarks.tables import row

_N_COMPOUNDS, _N_EFFECTS = 100, 20
"""Compounds of a screen; so many have the effect of the row, and as many another, weak one."""
_OPTIONS, _RULES = CurveOptions(scale=ResponseScale()), InterpretationRules(scale=ResponseScale())
_CALLS = (Verdict.ACTIVE, Verdict.ACTIVE_BIPHASIC, Verdict.TOXIC)
_NOISE_FLAGS = {"unequal_scatter", "assumes_equal_scatter", "many_outliers"}
_WEAK = hill(0.5, top=-0.5)
_LIMITS = (-1.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A design with its noise, and the effect of a fifth of its compounds. `plates` (W,) are the plates of the wells.

    `limits` are the responses to which wells are capped.
    """

    name: str
    plan: Plan = field(default_factory=lambda: Plan(6, 3))
    draw: Draw = NOISES["normal"]
    effect: Truth = field(default_factory=lambda: hill(0.3))
    ec50: float = 0.3
    limits: tuple[float, float] = (-np.inf, np.inf)
    plates: Index | None = None

    def wells(self, truth: Truth, n: int, rng: np.random.Generator) -> list[DoseResponseData]:
        """Return n compounds of one truth."""
        data = noisy(self.plan, self.draw, n, rng, truth)
        return [DoseResponseData(d.concentration, np.clip(d.response, *self.limits), self.plates) for d in data]


def _on_plates(codes: Index) -> Draw:
    """Noise whose correlation within a plate is 0.3."""

    def draw(rng: np.random.Generator, rank: Float) -> Float:
        shared = rng.normal(size=codes.max() + 1)[codes]
        return np.asarray(np.sqrt(0.3) * shared + np.sqrt(0.7) * rng.normal(size=rank.size))

    return draw


_ALIASED, _NESTED, _CROSSED = np.repeat(np.arange(6), 4), np.arange(24) // 2, np.tile(np.arange(4), 6)
_NOISY = (
    "highest dose 5 times",
    "in proportion to the rank of the dose",
    "Student's t, 3 degrees of freedom",
    "lognormal",
    "2 % gross outliers",
)
KINDS = (
    Kind(name="normal"),
    *(Kind(name="small", plan=Plan(doses, 1)) for doses in (7, 8, 9)),
    Kind(name="small", plan=Plan(7, 2)),
    Kind(name="plates crossed with doses", plan=Plan(6, 4), draw=_on_plates(_CROSSED), plates=_CROSSED),
    Kind(name="two plates for each dose", plan=Plan(6, 4), draw=_on_plates(_NESTED), plates=_NESTED),
    Kind(name="aliased: one plate for each dose", plan=Plan(6, 4), draw=_on_plates(_ALIASED), plates=_ALIASED),
    *(Kind(name=name, plan=plan, draw=NOISES[name]) for name in _NOISY for plan in (Plan(6, 3), Plan(7, 1))),
    *(Kind(name="capped at -1 and 1", plan=plan, limits=_LIMITS) for plan in (Plan(6, 3), Plan(7, 1))),
    Kind(name="a bump before the full effect", plan=Plan(8, 3), effect=bump, ec50=1.0),
    Kind(name="an incomplete rescue", effect=rescue, ec50=10.0),
    Kind(name="an incomplete rescue", plan=Plan(7, 1), effect=rescue, ec50=10.0),
)


@dataclass(kw_only=True)
class _Tally:
    """What the screens of one row say: `p` of inert compounds, and the meanings of these and of the effects."""

    p: list[float] = field(default_factory=list)
    inert: list[Interpretation] = field(default_factory=list)
    effects: list[Interpretation] = field(default_factory=list)
    false_shares: list[float] = field(default_factory=list)
    bare_shares: list[float] = field(default_factory=list)

    def add(self, p_values: Sequence[float | None], meanings: Sequence[Interpretation]) -> None:
        """Add a screen: first the effects, then the weak ones, then the inert compounds."""
        inert = slice(2 * _N_EFFECTS, None)
        # A compound that was not tested is not called by p.
        self.p += [np.nan if p is None else p for p in p_values[inert]]
        self.effects += meanings[:_N_EFFECTS]
        self.inert += meanings[inert]
        calls = max(sum(meaning.verdict in _CALLS for meaning in meanings), 1)
        false = [meaning for meaning in meanings[inert] if meaning.verdict in _CALLS]
        self.false_shares.append(len(false) / calls)
        self.bare_shares.append(sum(not _NOISE_FLAGS.intersection(meaning.flags) for meaning in false) / calls)


def kinds(n_screens: int) -> list[str]:
    """Screens of 100 compounds: 20 with the effect of the row, 20 that rise by a quarter of the span, 60 inert."""
    rows = []
    for kind in KINDS:
        tally = _Tally()
        for seed in SEEDS:
            rng = np.random.default_rng(seed)
            for _ in range(n_screens):
                _add_screen(kind, tally, rng)
        rows.append(row(kind.name, kind.plan.name, *_cells(tally, kind.ec50)))
    head = ["kind", "design", "inert, p ≤ 0.05", "false discoveries (without a flag)"]
    head += [
        "interval or bound holds the EC50",
        "closed interval holds it",
        "verdicts of effects",
        "of inert compounds",
    ]
    return [row(*head), "|---" * len(head) + "|", *rows]


def _add_screen(kind: Kind, tally: _Tally, rng: np.random.Generator) -> None:
    n_inert = _N_COMPOUNDS - 2 * _N_EFFECTS
    groups = ((kind.effect, _N_EFFECTS), (_WEAK, _N_EFFECTS), (flat(-1.0), n_inert))
    data = [compound for truth, n in groups for compound in kind.wells(truth, n, rng)]
    fits = fit_curves(data, _OPTIONS, rng)
    levels: list[Callable[..., float | None]] = [
        lambda f: f.p_value,
        lambda f: f.equal_scatter_p,
        lambda f: f.cautious_p,
    ]
    own, equal, cautious = (q_values([level(fit) for fit in fits]) for level in levels)
    meanings = [
        interpret_curve(fit, q, _RULES, equal_scatter_q=if_equal, cautious_q=with_caution)
        for fit, q, if_equal, with_caution in zip(fits, own, equal, cautious, strict=True)
    ]
    tally.add([fit.p_value for fit in fits], meanings)


def _cells(tally: _Tally, ec50: float) -> list[str]:
    tested = np.array(tally.p)[np.isfinite(tally.p)]
    type_one = f"{100 * np.mean(tested <= 0.05):.1f} %" if tested.size else "refused"
    reports = [meaning.ec50 for meaning in tally.effects if meaning.ec50.relation is not None]
    closed = [end for end in reports if end.relation is Relation.EQUAL]
    coverages = []
    for ends in (reports, closed):
        holds = sum((end.low or 0.0) <= ec50 <= (end.high or np.inf) for end in ends)
        coverages.append(f"{holds} / {len(ends)} ({100 * holds / len(ends):.1f} %)" if ends else "none")
    false = f"{100 * np.mean(tally.false_shares):.1f} % ({100 * np.mean(tally.bare_shares):.1f} %)"
    return [type_one, false, *coverages, _verdicts(tally.effects), _verdicts(tally.inert)]


def _verdicts(meanings: Sequence[Interpretation]) -> str:
    counts = Counter(str(meaning.verdict) for meaning in meanings)
    return ", ".join(f"{verdict} {100 * count / len(meanings):.1f} %" for verdict, count in counts.most_common())
