"""Designs with a name. Their seeds were fixed before any model was trained, and they never change."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gandl_shared.errors import NotFound

from gandl.simulate.cells.pharmacology import Response
from gandl.simulate.microscope.effects import Effects
from gandl.simulate.plates.design import Compound, Controls, DoseLadder, ScreenDesign

_VERO = "VERO-like"


def _compound(name: str, response: Response, vero: Response | None = None) -> Compound:
    return Compound(name, response, {} if vero is None else {_VERO: vero})


_DEMO = ScreenDesign(
    compounds=(
        _compound(
            "Rescuvir",
            Response(ec50_um=0.5, slope=1.5, max_rescue=0.95),
            Response(ec50_um=1.2, slope=1.5, max_rescue=0.95),
        ),
        _compound("Steepomab", Response(ec50_um=2.5, slope=2.5, max_rescue=0.9)),
        _compound("Partialine", Response(ec50_um=1.0, slope=1.2, max_rescue=0.6)),
        _compound(
            "Narrowtide", Response(ec50_um=0.4, slope=1.8, max_rescue=0.95, toxicity_ec50_um=9.0, toxicity_slope=2.5)
        ),
        _compound("Inertol", Response()),
        _compound("Toxapine", Response(toxicity_ec50_um=3.0, toxicity_slope=2.0)),
    ),
    replicates=2,
    replicates_per_plate=2,
    seed=20261101,
)

_SCREEN_24 = ScreenDesign(
    compounds=(
        _compound(
            "Antivirin A",
            Response(ec50_um=0.3, slope=1.2, max_rescue=0.95),
            Response(ec50_um=0.9, slope=1.2, max_rescue=0.95),
        ),
        _compound("Antivirin B", Response(ec50_um=0.8, slope=1.8, max_rescue=0.9)),
        _compound(
            "Antivirin C",
            Response(ec50_um=1.5, slope=1.0, max_rescue=1.0),
            Response(ec50_um=0.6, slope=1.4, max_rescue=0.9),
        ),
        _compound(
            "Antivirin D",
            Response(ec50_um=3.0, slope=2.0, max_rescue=0.85),
            Response(ec50_um=5.0, slope=2.0, max_rescue=0.95),
        ),
        _compound("Antivirin E", Response(ec50_um=6.0, slope=2.2, max_rescue=0.95)),
        _compound("Antivirin F", Response(ec50_um=1.0, slope=1.6, max_rescue=0.65), Response()),
        _compound(
            "Window A",
            Response(ec50_um=0.4, slope=1.6, max_rescue=0.95, toxicity_ec50_um=10.0, toxicity_slope=2.5),
            Response(ec50_um=0.5, slope=1.6, max_rescue=0.9, toxicity_ec50_um=7.0, toxicity_slope=2.5),
        ),
        _compound(
            "Window B", Response(ec50_um=0.8, slope=2.0, max_rescue=0.9, toxicity_ec50_um=14.0, toxicity_slope=3.0)
        ),
        _compound("Inert A", Response()),
        _compound("Inert B", Response()),
        _compound("Toxin A", Response(toxicity_ec50_um=2.0, toxicity_slope=1.8)),
        _compound("Toxin B", Response(toxicity_ec50_um=8.0, toxicity_slope=2.5), Response(toxicity_ec50_um=4.0)),
    ),
    replicates=4,
    seed=20261102,
)

_TRAINING = ScreenDesign(
    compounds=(
        *(
            Compound(f"Rescue {k}", Response(ec50_um=0.3 * 1.8**k, slope=1.0 + 0.2 * k, max_rescue=1.0 - 0.05 * k))
            for k in range(6)
        ),
        *(
            Compound(
                f"Window {k}",
                Response(
                    ec50_um=0.3 + 0.3 * k, slope=1.5, max_rescue=0.95, toxicity_ec50_um=4.0 + 4 * k, toxicity_slope=2.0
                ),
            )
            for k in range(3)
        ),
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
"""`demo` has 2 plates with every behaviour, `screen-24` has 8 plates for evaluation, and `training` is to train on."""


def preset(name: str) -> ScreenDesign:
    """Return the design of that name. Raises NotFound with the names that there are."""
    if name not in PRESETS:
        raise NotFound(f"unknown preset {name!r}; there are {', '.join(PRESETS)}")
    return PRESETS[name]
