"""Assay quality of the invented screen: metrics of its controls, probes and image quality control."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev

from gandl_shared.schemas.quality import (
    CellLineProbes,
    ConfoundingProbe,
    ControlConfusion,
    FailedSite,
    GroupQuality,
    PlateImages,
    PositionEffect,
    Quality,
    UnseenPlates,
)
from gandl_shared.schemas.screen import WellScore
from gandl_shared.schemas.vocabulary import ImageReason, Role


def example_quality(wells: Sequence[WellScore]) -> Quality:
    """Return the quality of the invented wells; sites of plate HRCE-2 failed image quality control."""
    return Quality(
        cell_lines={line: _group_quality([w for w in wells if w.cell_line == line]) for line in ("HRCE", "VERO")},
        plates={
            plate: _group_quality([w for w in wells if w.plate == plate])
            for plate in dict.fromkeys(w.plate for w in wells)
        },
        probes={"HRCE": _probes("HRCE-1", 0.002), "VERO": _probes("VERO-1", 0.4)},
        images=_images(wells),
    )


def _probes(plate: str, p_value: float) -> CellLineProbes:
    position = PositionEffect(
        plate=plate,
        rows={"A": -0.02, "B": 0.31},
        columns={"1": 0.05, "2": -0.04},
        row_p_value=p_value,
        column_p_value=0.6,
        row_p_adjusted=p_value,
        column_p_adjusted=0.8,
        residuals={"A01": 0.1},
    )
    return CellLineProbes(
        leakage=(ConfoundingProbe(what="plate", classes=4, n=32, accuracy=0.63, chance=0.25, p_value=p_value),),
        positions=(position,),
        unseen_plates=UnseenPlates(plates=4, z_prime=0.41, accuracy=0.96, roc_auc=1.0),
    )


def _images(wells: Sequence[WellScore]) -> dict[str, PlateImages]:
    failed = (
        FailedSite(well="A05", site="2", reasons=(ImageReason.BLURRED,), excluded=False),
        FailedSite(well="B09", site="1", reasons=(ImageReason.OVEREXPOSED, ImageReason.BLURRED), excluded=True),
    )
    counts = {plate: 2 * sum(w.plate == plate for w in wells) for plate in dict.fromkeys(w.plate for w in wells)}
    return {
        plate: PlateImages(sites=n, focus_judged=True, failed=failed if plate == "HRCE-2" else ())
        for plate, n in counts.items()
    }


def _group_quality(wells: Sequence[WellScore]) -> GroupQuality:
    positive, negative = (
        [w.efficacy for w in wells if w.role == role and w.efficacy is not None]
        for role in (Role.POSITIVE, Role.NEGATIVE)
    )
    distance, spreads = fmean(positive) - fmean(negative), (stdev(positive), stdev(negative))
    z_prime = 1 - 3 * sum(spreads) / distance
    return GroupQuality(
        z_prime=z_prime,
        z_prime_robust=z_prime + 0.02,
        ssmd=distance / math.hypot(*spreads),
        v_factor=z_prime - 0.04,
        roc_auc=1.0,
        accuracy=0.981,
        confusion=ControlConfusion(
            positive_right=len(positive), positive_wrong=0, negative_right=len(negative), negative_wrong=0
        ),
        n_positive=len(positive),
        n_negative=len(negative),
        grouped_by="plate",
        verdict="good",
        reasons=(f"Z′ {z_prime:.2f}",),
    )
