"""A data set without images of exactly RxRx19a's size and form: 305,520 fields with 1,024 numbers each.

`python -m benchmarks.analysis.published_size OUT` writes `metadata.csv` and `embeddings.parquet` as `gandl fetch`
leaves them, and with `--csv` the publisher's `embeddings.csv` too. The vectors are drawn as those of
`gandl simulate --as rxrx19a`. docs/paper.md says what the analyses of this table take.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from gandl.simulate.cells.pharmacology import Response, WellState
from gandl.simulate.published.rxrx19a import COLUMNS, FEATURES
from gandl.simulate.published.sites import NOTICE
from gandl.simulate.published.vectors import VectorDrawing
from gandl_shared.plates import well_name
from numpy.typing import NDArray

CELL_TYPES = ("HRCE", "VERO")
COMPOUNDS, REPLICATES, SITES = 1672, 3, 4
MOCK, VIRAL, IRRADIATED = 3600, 3600, 894
"""Control wells of each cell type; with the compounds' these are 76,380 wells, and thus 305,520 fields."""
EXPERIMENTS, PLATES = 2, 15
DOSES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
GROUP_WELLS = 1024
SEED = 20261127
_VIRUS = "Active SARS-CoV-2"
_WIDTH = 46


@dataclass(frozen=True, kw_only=True)
class SizedWell:
    """A well by the columns of the publisher, with the true state of its cells; `plate` counts over its experiments."""

    cell_type: str
    plate: int
    name: str
    condition: str
    treatment: str
    dose: float | None
    state: WellState

    @property
    def experiment(self) -> str:
        """The experiment, such as HRCE-1."""
        return f"{self.cell_type}-{1 + self.plate // PLATES}"

    @property
    def plate_number(self) -> int:
        """The number of the plate among those of all cell types."""
        return CELL_TYPES.index(self.cell_type) * EXPERIMENTS * PLATES + self.plate

    def site_id(self, site: int) -> str:
        """The name of a field of the well, such as HRCE-1_1_AA02_2."""
        return f"{self.experiment}_{1 + self.plate % PLATES}_{self.name}_{site}"

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Yield a row of the metadata for each field."""
        dose = "" if self.dose is None else f"{self.dose:g}"
        for site in range(1, SITES + 1):
            well_id = self.site_id(site).rpartition("_")[0]
            address = (self.cell_type, self.experiment, str(1 + self.plate % PLATES), self.name, str(site))
            yield (self.site_id(site), well_id, *address, self.condition, self.treatment, dose, "")


def response(compound: int, rng: np.random.Generator) -> Response:
    """Return what a compound does: two of five rescue, and one of twenty kills as well."""
    rescue = 10 ** rng.uniform(-1.2, 0.5) if compound % 5 < 2 else None
    return Response(ec50_um=rescue, toxicity_ec50_um=3.0 if compound % 20 == 1 else None)


def wells_of(cell_type: str, rng: np.random.Generator) -> list[SizedWell]:
    """Return the wells of a cell type, whose contents lie in random places of all its plates."""
    contents: list[tuple[str, str, float | None, WellState]] = [("Mock", "", None, WellState(rescue=1))] * MOCK
    contents += [(_VIRUS, "", None, WellState(rescue=0))] * VIRAL
    contents += [("UV Inactivated SARS-CoV-2", "", None, WellState(rescue=1))] * IRRADIATED
    for i in range(COMPOUNDS):
        effect = response(i, rng)
        contents += [(_VIRUS, f"compound {i}", d, effect.at(d)) for d in DOSES for _ in range(REPLICATES)]
    wells = []
    for number, k in enumerate(rng.permutation(len(contents)).tolist()):
        position, plate = divmod(number, EXPERIMENTS * PLATES)
        name = well_name(1 + position // _WIDTH, 2 + position % _WIDTH)
        condition, treatment, dose, state = contents[k]
        wells.append(
            SizedWell(
                cell_type=cell_type,
                plate=plate,
                name=name,
                condition=condition,
                treatment=treatment,
                dose=dose,
                state=state,
            )
        )
    return wells


def tables(wells: list[SizedWell]) -> Iterator[pa.Table]:
    """Yield the vectors of some wells at a time, with their site ids."""
    drawing = VectorDrawing(features=FEATURES, cell_types=CELL_TYPES, seed=SEED)
    rng = np.random.default_rng(SEED)
    for start in range(0, len(wells), GROUP_WELLS):
        part = wells[start : start + GROUP_WELLS]
        vectors: NDArray[np.float32] = np.stack(
            [drawing.draw(w.cell_type, w.state, w.plate_number, rng) for w in part for _ in range(SITES)]
        )
        names = [w.site_id(site) for w in part for site in range(1, SITES + 1)]
        columns = {"site_id": pa.array(names)}
        yield pa.table(columns | {f"feature_{i}": vectors[:, i] for i in range(FEATURES)})


def write_tables(out: Path, wells: list[SizedWell], *, as_csv: bool) -> None:
    """Write the tables of these wells to a folder."""
    out.mkdir(parents=True, exist_ok=True)
    (out / NOTICE).write_text("These vectors are drawn by gandl, in the form and the size of RxRx19a.\n")
    with (out / "metadata.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(row for well in wells for row in well.rows())
    parts = tables(wells)
    first = next(parts)
    name = "embeddings.csv" if as_csv else "embeddings.parquet"
    create = pyarrow.csv.CSVWriter if as_csv else pq.ParquetWriter
    options = {} if as_csv else {"use_dictionary": False}
    with create(out / name, first.schema, **options) as tables_writer:
        tables_writer.write_table(first)
        for part in parts:
            tables_writer.write_table(part)


def main() -> None:
    """Write the data set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--csv", action="store_true", help="write embeddings.csv, as the publisher does")
    options = parser.parse_args()
    rng = np.random.default_rng(SEED)
    wells = [well for cell_type in CELL_TYPES for well in wells_of(cell_type, rng)]
    write_tables(options.out, wells, as_csv=options.csv)


if __name__ == "__main__":
    main()
