"""Screens with a name. Their seeds were fixed before any model was trained and never change."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gandl_shared.errors import NotFound

from gandl.simulate.cells.pharmacology import Response
from gandl.simulate.microscope.effects import Effects
from gandl.simulate.plates.design import Compound, Controls, DoseLadder, ScreenDesign

_VERO = "VERO-like"


def _both(name: str, response: Response, vero: Response | None = None) -> Compound:
    return Compound(name, response, {} if vero is None else {_VERO: vero})


_DEMO = ScreenDesign(
    compounds=(
        _both("Rescuvir", Response(0.5, 1.5, 0.95), Response(1.2, 1.5, 0.95)),
        _both("Steepomab", Response(2.5, 2.5, 0.9)),
        _both("Partialine", Response(1.0, 1.2, 0.6)),
        _both("Narrowtide", Response(0.4, 1.8, 0.95, toxicity_ec50_um=9.0, toxicity_slope=2.5)),
        _both("Inertol", Response()),
        _both("Toxapine", Response(toxicity_ec50_um=3.0, toxicity_slope=2.0)),
    ),
    replicates=2,
    replicates_per_plate=2,
    seed=20261101,
)

_SCREEN_24 = ScreenDesign(
    compounds=(
        _both("Antivirin A", Response(0.3, 1.2, 0.95), Response(0.9, 1.2, 0.95)),
        _both("Antivirin B", Response(0.8, 1.8, 0.9)),
        _both("Antivirin C", Response(1.5, 1.0, 1.0), Response(0.6, 1.4, 0.9)),
        _both("Antivirin D", Response(3.0, 2.0, 0.85), Response(5.0, 2.0, 0.95)),
        _both("Antivirin E", Response(6.0, 2.2, 0.95)),
        _both("Antivirin F", Response(1.0, 1.6, 0.65), Response()),
        _both("Window A", Response(0.4, 1.6, 0.95, 10.0, 2.5), Response(0.5, 1.6, 0.9, 7.0, 2.5)),
        _both("Window B", Response(0.8, 2.0, 0.9, 14.0, 3.0)),
        _both("Inert A", Response()),
        _both("Inert B", Response()),
        _both("Toxin A", Response(toxicity_ec50_um=2.0, toxicity_slope=1.8)),
        _both("Toxin B", Response(toxicity_ec50_um=8.0, toxicity_slope=2.5), Response(toxicity_ec50_um=4.0)),
    ),
    replicates=4,
    seed=20261102,
)

_TRAINING = ScreenDesign(
    compounds=(
        *(Compound(f"Rescue {k}", Response(0.3 * 1.8**k, 1.0 + 0.2 * k, 1.0 - 0.05 * k)) for k in range(6)),
        *(Compound(f"Window {k}", Response(0.3 + 0.3 * k, 1.5, 0.95, 4.0 + 4 * k, 2.0)) for k in range(3)),
        Compound("Inert", Response()),
        *(Compound(f"Toxin {k}", Response(toxicity_ec50_um=1.0 * 3**k, toxicity_slope=1.5)) for k in range(3)),
    ),
    ladder=DoseLadder(top_um=30.0, count=4, step=5.0),
    replicates=4,
    controls=Controls(positive=22, negative=22),
    effects=Effects().scaled(1.3),
    seed=20261103,
)

PRESETS: Mapping[str, ScreenDesign] = MappingProxyType({"demo": _DEMO, "screen-24": _SCREEN_24, "training": _TRAINING})
"""`demo`: 2 plates of every behaviour. `screen-24`: the evaluation, 8 plates, 24 curves. `training`: to train on."""


def preset(name: str) -> ScreenDesign:
    """The design of that name. Raises NotFound listing those there are."""
    if name not in PRESETS:
        raise NotFound(f"unknown preset {name!r}; there are {', '.join(PRESETS)}")
    return PRESETS[name]
