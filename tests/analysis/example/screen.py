"""An invented screen with every kind of curve, to test pages and to look at them.

Nothing here is measured. There are two cell lines, twelve compounds at six doses in four replicates, controls, sites
that could not be read, sites that failed image quality control, and a position effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from gandl_analysis.pipeline.result import AnalysisProvenance, ScreenAnalysis
from gandl_shared.models import Channel, ModelCard, Parity, TrainingRecord
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.curve import Curve
from gandl_shared.schemas.limits import IntensityLimits
from gandl_shared.schemas.screen import ParkedSite, WellScore

from tests.analysis.example.compounds import COMPOUNDS
from tests.analysis.example.curves import example_curve
from tests.analysis.example.quality import example_quality
from tests.analysis.example.wells import example_wells

NOISE = {"HRCE": 0.11, "VERO": 0.2}
"""The cell lines, each with the standard deviation of its efficacies."""
PARKED = (
    ParkedSite(plate="HRCE-1", well="C07", site="2", error="truncated TIFF: 81,920 of 131,072 bytes"),
    ParkedSite(plate="HRCE-1", well="C07", site="1", error="truncated TIFF: 1,024 of 131,072 bytes"),
    ParkedSite(plate="VERO-2", well="B04", site="1", error="channel w3 is missing: VERO-2/B04_s1_w3.tif"),
)


def example_analysis(names: Sequence[str] = (), *, seed: int = 3) -> ScreenAnalysis:
    """Return the invented screen; `names` gives other names to the first compounds."""
    others = [compound.name for compound in COMPOUNDS[len(names) :]]
    compounds = [replace(c, name=name) for c, name in zip(COMPOUNDS, [*names, *others], strict=True)]
    rng = np.random.default_rng(seed)
    wells: list[WellScore] = []
    curves: list[Curve] = []
    for cell_line, noise in NOISE.items():
        of_cell_line = tuple(example_wells(cell_line, compounds, noise, rng))
        wells.extend(of_cell_line)
        curves.extend(example_curve(compound, cell_line, of_cell_line) for compound in compounds)
    return ScreenAnalysis(
        wells=tuple(wells),
        curves=tuple(curves),
        quality=example_quality(wells),
        parked=PARKED,
        provenance=_provenance(wells),
    )


def _provenance(wells: Sequence[WellScore]) -> AnalysisProvenance:
    card = ModelCard(
        name="gandl-example-64",
        channels=tuple(
            Channel(name=f"w{k + 1}", stain=stain, low=100, high=9000)
            for k, stain in enumerate(("Hoechst", "ConA", "Phalloidin", "Syto14", "WGA"))
        ),
        size=64,
        downscale=2,
        pixel_size_um=0.65,
        tap="fc",
        parameters=2_140_161,
        training=TrainingRecord(
            data="an invented screen",
            licence="CC0-1.0",
            kimg=96.0,
            seed=1,
            command="gandl train images --platemap map.csv --out run --resolution 64",
            version="0.1.0",
            commit="0000000",
        ),
        parity=Parity(images=64, torch_max=2.1e-6, batch_max=8.4e-7, providers=("CPUExecutionProvider",)),
        metrics={"tile_accuracy": 0.981},
    )
    plates = tuple(dict.fromkeys(w.plate for w in wells))
    return AnalysisProvenance(
        gandl_version="0.1.0",
        screen_name="Example screen",
        model_id="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        model=card,
        parameters=AnalysisParameters(),
        limits={p: IntensityLimits(low=(112.0,) * 5, high=(8840.0, 7120.0, 9011.0, 6543.0, 8002.0)) for p in plates},
        plate_map="example.csv",
        n_sites=2 * len(wells),
        n_tiles=sum(w.n_tiles for w in wells),
        axis_hash="60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
    )
