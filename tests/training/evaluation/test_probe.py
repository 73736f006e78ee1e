"""The control probe on vectors whose answer is known, and against the analysis of the same screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from gandl_analysis.pipeline.analyse import analyse
from gandl_analysis.pipeline.inputs import ScreenInput
from gandl_science.axis.folds import grouped_folds
from gandl_science.positions import Positions
from gandl_shared.imaging import site_metrics, tile_contrast, tile_origins
from gandl_shared.plates import Role, SiteId, Well
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.quality import GroupQuality
from gandl_shared.store.profiles import Profiles, join_profiles, site_profiles
from gandl_shared.testing import fake_card
from gandl_training.data.field_store import FieldRecord, FieldStore, StoreIndex
from gandl_training.evaluation.control_tiles import ControlTiles, control_tiles
from gandl_training.evaluation.probe import embed_tiles, probe, score_controls
from numpy.typing import NDArray

SIZE = 16
LEVELS = {Role.POSITIVE: 125.0, Role.NEGATIVE: 95.0, Role.TREATMENT: 110.0}


def positions_of(wells: int) -> Positions:
    """Return the positions of wells on one plate: rows 1 to 4 alternate in pairs, and each well has its own column."""
    n = np.arange(wells)
    return Positions(plates=["P1"] * wells, rows=n % 8 // 2 + 1, columns=n + 1)


def made_up_controls(wells: int = 24, tiles: int = 20) -> ControlTiles:
    """Return wells of which every third is a positive control, on four rows of one plate."""
    well = np.repeat(np.arange(wells), tiles)
    labels = np.where(np.arange(wells) % 3 == 0, 1, -1)
    folds = grouped_folds(positions_of(wells), labels)
    assert folds is not None
    return ControlTiles(tiles=np.zeros((len(well), 1, 2, 2), np.uint8), well=well, labels=labels, folds=folds)


def test_separable_vectors_give_a_perfect_probe_and_random_labels_chance() -> None:
    controls, rng = made_up_controls(), np.random.default_rng(1)
    n = len(controls.well)
    vectors = rng.normal(size=(n, 10)) + rng.normal(size=(24, 10))[controls.well] * 0.1
    vectors[:, 0] += 10 * controls.labels[controls.well]
    result = probe(vectors.astype(np.float32), controls)
    assert result.accuracy == 1.0
    assert result.z_prime is not None and result.z_prime > 0.8
    labels = rng.permuted(controls.labels)
    shuffled = grouped_folds(positions_of(24), labels)
    assert shuffled is not None
    # Wells differ from each other, but the classes do not: folds that split wells would call this separable.
    noise = rng.normal(size=(24, 10))[controls.well] * 5 + rng.normal(size=(n, 10))
    chance = probe(noise.astype(np.float32), replace(controls, labels=labels, folds=shuffled))
    assert chance.accuracy < 0.75
    assert chance.z_prime is None or chance.z_prime < 0


def test_a_well_without_tiles_after_thinning_does_not_count() -> None:
    controls, rng = made_up_controls(), np.random.default_rng(2)
    vectors = rng.normal(size=(len(controls.well), 5)).astype(np.float32)
    vectors[:, 0] += 5 * controls.labels[controls.well]
    keep = controls.well != 0
    thinned = replace(controls, tiles=controls.tiles[keep], well=controls.well[keep])
    assert np.isnan(score_controls(vectors[keep], thinned).on[0])
    result = probe(vectors[keep], thinned)
    assert result.z_prime is not None and np.isfinite(result.z_prime)


def test_tiles_are_embedded_in_batches() -> None:
    tiles = np.random.default_rng(0).integers(0, 256, (130, 2, 4, 4), np.uint8)
    sizes: list[int] = []

    def embed(batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        sizes.append(len(batch))
        return batch.mean((2, 3), dtype=np.float32)

    assert np.array_equal(embed_tiles(embed, tiles), tiles.mean((2, 3), dtype=np.float32))
    assert sizes == [64, 64, 2]


@dataclass(frozen=True, kw_only=True)
class SmallScreen:
    """A screen of generated fields: its wells, two fields per well in a store, and the profiles of the same tiles."""

    wells: Sequence[Well]
    store: FieldStore

    def vectors(self, tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return a fixed random projection of the pixels, tile by tile so that no batch matters."""
        weights = np.random.default_rng(7).normal(size=(tiles[0].size, 12)) / 2000
        return np.stack([np.tanh(tile.ravel() @ weights) for tile in tiles]).astype(np.float32)

    def profiles(self) -> Profiles:
        """Return what a worker stores for these fields: vectors, the metrics of each site and the contrast of tiles."""
        return join_profiles([self._of_field(i) for i in range(len(self.store.fields))])

    def _of_field(self, i: int) -> Profiles:
        record, field = self.store.index.records[i], np.array(self.store.fields[i])
        origins = tile_origins(field.shape[1], field.shape[2], SIZE)
        tiles = np.stack([field[:, y : y + SIZE, x : x + SIZE] for y, x in origins])
        position = SiteId(record.plate, record.well, record.site)
        return site_profiles(position, origins, str(i), self.vectors(tiles), site_metrics(field), tile_contrast(tiles))

    def quality(self) -> Mapping[str, GroupQuality]:
        """Return `cell_lines` of quality.json, as the analysis computes it with default parameters."""
        screen = ScreenInput(
            name="small",
            profiles=self.profiles(),
            wells=self.wells,
            parked=(),
            parameters=AnalysisParameters(),
            card=fake_card(),
            model_id="a" * 64,
            limits={},
        )
        return analyse(screen).analysis.quality.cell_lines


def wells_of(
    layout: Mapping[str, str], *, plates: Sequence[str], cell_line: str, experiment: str = ""
) -> Iterator[Well]:
    """Yield the wells of plates whose rows have roles by letter: p and n are controls, t is a treatment."""
    roles = {"p": Role.POSITIVE, "n": Role.NEGATIVE, "t": Role.TREATMENT}
    for plate in plates:
        for row, letters in layout.items():
            for column, letter in enumerate(letters, start=1):
                role = roles[letter]
                yield Well(
                    plate=plate,
                    well=f"{row}{column:02d}",
                    role=role,
                    compound="X" if role is Role.TREATMENT else None,
                    concentration_um=float(column) if role is Role.TREATMENT else None,
                    cell_line=cell_line,
                    table_row=2,
                    metadata={"Experiment": experiment} if experiment else {},
                )


def small_screen(wells: Sequence[Well]) -> SmallScreen:
    """Generate two fields per well; some tiles are blank, and one control has an empty and another a burnt field."""
    rng = np.random.default_rng(3)
    fields, records = [], []
    for n, well in enumerate(wells):
        for site in (1, 2):
            cells = np.kron(rng.normal(LEVELS[well.role] + 8 * rng.normal(), 30, (10, 10)), np.ones((4, 4)))
            field = (cells + rng.normal(0, 5, (2, 40, 40))).clip(0, 255).astype(np.uint8)
            field[:, :16, :16] = np.where(rng.random() < 0.2, 90, field[:, :16, :16])
            if site == 2 and n in (1, 2):
                field[:] = 90 if n == 1 else 255
            fields.append(field)
            records.append(
                FieldRecord(
                    plate=well.plate,
                    well=well.well,
                    site=str(site),
                    role=well.role.value,
                    cell_line=well.cell_line,
                    experiment=well.experiment,
                )
            )
    index = StoreIndex(channels=("a", "b"), downscale=1, low=(0.0, 0.0), high=(255.0, 255.0), records=tuple(records))
    return SmallScreen(wells=wells, store=FieldStore(np.stack(fields), index))


ROWS = {"A": "pptnn", "B": "ppttnn", "C": "pntt", "D": "tnnp"}
SCREENS = {
    "one plate, by row": (list(wells_of(ROWS, plates=["P1"], cell_line="U2OS")), "row"),
    "three plates with controls, still by row": (
        list(wells_of(ROWS, plates=["P1", "P2", "P3"], cell_line="U2OS")),
        "row",
    ),
    "two cell lines": (
        [
            *wells_of(ROWS, plates=["P1"], cell_line="HRCE"),
            *wells_of({"E": "ppnnt", "F": "pnt"}, plates=["P1"], cell_line="VERO"),
        ],
        "row",
    ),
    "no treatments, by plate": (
        list(wells_of({"A": "ppnn", "B": "pnn"}, plates=["P1", "P2", "P3"], cell_line="U2OS")),
        "plate",
    ),
    "one class per plate, by experiment": (
        [
            well
            for e in ("1", "2")
            for row in (
                wells_of({"A": "ppp"}, plates=[f"P{e}"], cell_line="U2OS", experiment=e),
                wells_of({"A": "nnntt"}, plates=[f"N{e}"], cell_line="U2OS", experiment=e),
            )
            for well in row
        ],
        "experiment",
    ),
    "one row of controls, by column": (list(wells_of({"A": "ppnntt"}, plates=["P1"], cell_line="U2OS")), "column"),
}


@pytest.mark.parametrize("name", SCREENS)
def test_the_probe_is_the_quality_of_the_analysis(name: str) -> None:
    """The same wells, images and vectors: Z′ and accuracy of the probe equal those of quality.json, bit for bit."""
    wells, unit = SCREENS[name]
    screen = small_screen(wells)
    for cell_line, quality in screen.quality().items():
        controls = control_tiles(screen.store, SIZE, cell_line)
        result = probe(embed_tiles(screen.vectors, controls.tiles), controls)
        assert quality.grouped_by == unit
        assert result.z_prime is not None
        assert (result.z_prime, result.accuracy) == (quality.z_prime, quality.accuracy)
        assert 0.5 < result.accuracy < 1.0


def test_neither_has_a_z_prime_where_the_axis_points_the_wrong_way(tmp_path: Path) -> None:
    """Positive controls are darker on one plate and brighter on the other, and whole plates are held out."""
    wells = list(wells_of({"A": "ppnn"}, plates=["P1", "P2"], cell_line="U2OS"))
    screen = small_screen(wells)
    flipped = np.array([record.plate == "P2" for record in screen.store.index.records])
    fields = np.where(flipped[:, None, None, None], 220 - screen.store.fields.clip(0, 220), screen.store.fields)
    screen = replace(screen, store=replace(screen.store, fields=fields.astype(np.uint8)))
    controls = control_tiles(screen.store, SIZE, "U2OS")
    result = probe(embed_tiles(screen.vectors, controls.tiles), controls)
    quality = screen.quality()["U2OS"]
    assert (result.z_prime, quality.z_prime) == (None, None)
    assert result.accuracy == quality.accuracy
