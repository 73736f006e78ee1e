"""Protocols of the field on the vectors of a screen: replicates retrieved under restrictions, and mechanisms of action.

Profiles of wells are means of their tiles after the normalisation of the analysis, as `--normalise` chooses it. Without
one, the mean of the negative controls of the cell line is subtracted, because cosine similarity is about the origin.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from gandl_science.arrays import Float, Index, group_means
from gandl_science.assay.retrieval import Retrieval, retrieve
from gandl_shared.plates import Role, Well, plain_column
from gandl_shared.schemas.quality import Quality, RetrievalProbe

from gandl_analysis.pipeline.image_qc import check_images
from gandl_analysis.pipeline.inputs import ScreenInput
from gandl_analysis.pipeline.quality.treatments import treatment_doses
from gandl_analysis.pipeline.tiles import WellTiles, normalised_tiles, tiles_of

REPLICATES, MECHANISMS = "replicates", "mechanism of action"
_MECHANISM, _BATCHES = "moa", ("batch", "experiment")


def with_retrieval(quality: Quality, screen: ScreenInput) -> Quality:
    """Return the quality with the protocols of retrieval of each cell line, if the parameters ask for them."""
    if not screen.parameters.retrieval:
        return quality
    retrieved = retrieval_probes(screen)
    probes = {
        name: each.model_copy(update={"retrieval": retrieved.get(name, ())}) for name, each in quality.probes.items()
    }
    return quality.model_copy(update={"probes": probes})


def retrieval_probes(screen: ScreenInput) -> dict[str, tuple[RetrievalProbe, ...]]:
    """Return all protocols of a screen by cell line; those of mechanisms where the wells have a column `moa`."""
    used, parameters = screen.used_wells, screen.parameters
    image_qc = check_images(screen.profiles, used, parameters.image_qc, screen.card.channel_names)
    raw = tiles_of(screen.profiles, used, image_qc).without_emptied
    tiles = normalised_tiles(raw, parameters.normalisation)
    probes = {}
    for cell_line in dict.fromkeys(well.cell_line for well in used):
        part = tiles.of_cell_line(cell_line)
        part = part.of_wells(part.present)
        profiles = _profiles(part, centred=parameters.normalisation == "none")
        replicates = _replicates(part, profiles, parameters.seed)
        probes[cell_line] = (*replicates, *_mechanisms(part.wells, profiles, parameters.seed))
    return probes


def _probe(task: str, restriction: str, result: Retrieval | None) -> RetrievalProbe:
    if result is None:
        return RetrievalProbe(task=task, restriction=restriction, queries=0)
    return RetrievalProbe(
        task=task,
        restriction=restriction,
        queries=result.queries,
        map=result.mean_average_precision,
        recall_at_1=result.recall_at_1,
        chance=result.chance,
    )


def _profiles(tiles: WellTiles, *, centred: bool) -> Float:
    means = group_means(tiles.vectors, tiles.well, len(tiles.wells))
    negative = np.array([well.role is Role.NEGATIVE for well in tiles.wells], bool)
    return means - means[negative].mean(axis=0) if centred and negative.any() else means


def _replicates(tiles: WellTiles, profiles: Float, seed: int) -> Iterator[RetrievalProbe]:
    """Yield how well the wells of a compound at a dose find each other among all wells of the cell line."""
    wells = tiles.wells
    doses = treatment_doses(wells)
    treatments = _codes([(w.compound, dose) for w, dose in zip(wells, doses, strict=True)])
    groups = np.where([w.role is Role.TREATMENT for w in wells], treatments, -1)
    plates, positions = _codes([w.plate for w in wells]), _codes([w.well for w in wells])
    restrictions: dict[str, list[Index]] = {
        "none": [],
        "not the same plate": [plates],
        "not the same well position": [positions],
    }
    for restriction, excluded in restrictions.items():
        result = retrieve(profiles, groups, excluded, seed=seed)
        yield _probe(REPLICATES, restriction, result)


def _mechanisms(wells: Sequence[Well], profiles: Float, seed: int) -> Iterator[RetrievalProbe]:
    """Yield how often the nearest other treatment has the same mechanism (NSC and NSCB, Ljosa 2013 and Ando 2017).

    The profile of a treatment is the mean of its wells in one batch. A batch is what the column `batch` or `experiment`
    names, else a plate.
    """
    doses = treatment_doses(wells)
    keys = [
        (well.compound, dose, _batch(well), mechanism) if well.role is Role.TREATMENT and mechanism else None
        for well, dose, mechanism in zip(wells, doses, (_column(well, _MECHANISM) for well in wells), strict=True)
    ]
    index = {key: i for i, key in enumerate(dict.fromkeys(key for key in keys if key is not None))}
    if not index:
        return
    rows = np.flatnonzero([key is not None for key in keys])
    treatment = np.array([index[key] for key in keys if key is not None], np.intp)
    means = group_means(profiles[rows], treatment, len(index))
    compounds, batches, mechanisms = (_codes([key[i] for key in index]) for i in (0, 2, 3))
    restrictions = {
        "not the same compound": [compounds],
        "not the same compound and batch": [compounds, batches],
    }
    for restriction, excluded in restrictions.items():
        result = retrieve(means, mechanisms, excluded, seed=seed)
        yield _probe(MECHANISMS, restriction, result)


def _codes(values: Sequence[object]) -> Index:
    index: dict[object, int] = {}
    return np.array([index.setdefault(value, len(index)) for value in values], np.intp)


def _batch(well: Well) -> str:
    return next((text for name in _BATCHES if (text := _column(well, name))), well.plate)


def _column(well: Well, name: str) -> str:
    return next((text for column, text in well.metadata.items() if plain_column(column).lower() == name), "")
