"""Submission, status and cost per site of screens of growing size: `python -m benchmarks.services.scale --page PAGE`.

The database and the store are real, the engine costs nothing, and no image is read, so that what remains is what the
services themselves cost. Submission and batches are measured in processor time, which other programs change little, and
the pages by the clock, because somebody waits for them. Each size runs in a process of its own, whose largest memory is
its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import numpy as np
from gandl_shared.db import Database, LeasedBatch, NewScreen
from gandl_shared.imaging import SiteMetrics
from gandl_shared.jobs.plan import sites_per_batch
from gandl_shared.plates import PlateMap, Role, Site, Well
from gandl_shared.store import Store, join_profiles, site_profiles
from gandl_shared.testing import new_screen

from benchmarks.tables import write_between

SIZES = (2_000, 20_000, 200_000)
SITES_PER_WELL = 4
MAX_BATCHES = 200
"""So many batches are done at each size, which is enough for a mean; the others wait and are in the way."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """The costs of a screen of `sites`: times in milliseconds, memory in MiB."""

    sites: int
    submission_per_site: float
    status: float
    page: float
    batch_per_site: float
    memory: float


def measure(sites: int) -> Scale:
    """Return the costs of a screen of so many sites in this process."""
    with tempfile.TemporaryDirectory() as folder:
        # What a service does once, such as loading libraries and preparing statements, is no cost per site.
        first = Database.connect(f"sqlite:///{folder}/first.db")
        first.screens.create(screen_of(8))
        embed(first, Store(Path(folder) / "first"))
        first.close()
        db, store = Database.connect(f"sqlite:///{folder}/gandl.db"), Store(Path(folder) / "store")
        new = screen_of(sites)
        base = memory()
        submission = milliseconds(lambda: db.screens.create(new), clock=time.process_time)
        peak = memory() - base
        (status,) = db.screens.statuses()
        start = time.process_time()
        done = embed(db, store)
        batch = (time.process_time() - start) * 1000 / done
        result = Scale(
            sites=sites,
            submission_per_site=submission / sites,
            status=min(milliseconds(lambda: db.screens.status(status.id)) for _ in range(5)),
            page=min(milliseconds(lambda: db.screens.page(0, 100)) for _ in range(5)),
            batch_per_site=batch,
            memory=peak,
        )
        db.close()
    return result


def screen_of(sites: int) -> NewScreen:
    """Return a screen of 384-well plates with so many sites, with the batches that the service would make of it."""
    names = [f"{row}{column:02d}" for row in "ABCDEFGHIJKLMNOP" for column in range(1, 25)]
    wells = [
        Well(
            plate=f"P{n // 384:03d}",
            well=names[n % 384],
            role=Role.TREATMENT,
            compound="X",
            concentration_um=1.0,
            cell_line="U2OS",
            table_row=n + 2,
            metadata={},
        )
        for n in range(sites // SITES_PER_WELL)
    ]
    small = new_screen(2)
    return replace(
        small,
        plate_map=PlateMap(tuple(wells), "map.csv"),
        limits=dict.fromkeys((well.plate for well in wells), small.limits["P1"]),
        sites=tuple(
            Site(plate=w.plate, well=w.well, site=str(s), root=small.images, names=(f"{w.plate}_{w.well}_{s}.tif",) * 2)
            for w in wells
            for s in range(SITES_PER_WELL)
        ),
        sites_per_batch=sites_per_batch(sites),
    )


def embed(db: Database, store: Store) -> int:
    """Do up to `MAX_BATCHES` batches, and return the number of their sites."""
    batches, done = 0, 0
    while batches < MAX_BATCHES and (lease := db.batches.lease("benchmark", 60)) is not None:
        finish(db, store, lease)
        batches, done = batches + 1, done + len(lease.sites)
    return done


def finish(db: Database, store: Store, lease: LeasedBatch) -> None:
    """Store vectors of one tile per site, and close the batch."""
    metrics = SiteMetrics(**{field.name: np.zeros(2, np.float32) for field in fields(SiteMetrics)})
    vectors, contrast = np.zeros((1, 512), np.float32), np.zeros(1, np.float32)
    profiles = [site_profiles(s.site.id, ((0, 0),), "0" * 64, vectors, metrics, contrast) for s in lease.sites]
    store.put_vectors(lease.screen_id, lease.number, join_profiles(profiles))
    db.batches.finish(lease, {s.number: "0" * 64 for s in lease.sites}, {})


def milliseconds(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the time of a piece of work by a clock."""
    start = clock()
    work()
    return (clock() - start) * 1000


def memory() -> float:
    """Return the largest memory of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def table(scales: list[Scale]) -> str:
    """Return the costs as a table in Markdown."""
    head = (
        "| sites | submission, ms per site | status, ms | first page of screens, ms | batch, ms per site | "
        "memory of the submission, MiB |\n|---|---|---|---|---|---|"
    )
    rows = [
        f"| {s.sites:,} | {s.submission_per_site:.3f} | {s.status:.1f} | {s.page:.1f} | {s.batch_per_site:.2f} | "
        f"{s.memory:.0f} |"
        for s in scales
    ]
    return "\n".join([head, *rows])


def main() -> None:
    """Measure every size in a process of its own, print the table, and write it into a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=int, help="measure this size in this process and print JSON")
    parser.add_argument("--page", type=Path, help="page of docs/ whose table is written again")
    options = parser.parse_args()
    if options.sites is not None:
        print(json.dumps(asdict(measure(options.sites))))
        return
    command = [sys.executable, "-m", "benchmarks.services.scale", "--sites"]
    lines = [subprocess.run([*command, str(n)], check=True, capture_output=True, text=True).stdout for n in SIZES]
    text = table([Scale(**json.loads(line)) for line in lines])
    print(text)
    if options.page is not None:
        write_between(options.page, "scale", text)


if __name__ == "__main__":
    main()
