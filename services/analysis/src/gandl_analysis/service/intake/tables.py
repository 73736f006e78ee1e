"""A table of features in a request, as a screen of the service: read from its path or its bytes, and its rows."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gandl_shared.db import ModelUse, NewScreen
from gandl_shared.jobs import names_below, resolve_file
from gandl_shared.plates import PlateMap
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.screen import ScreenRequest, TableRequest

from gandl_analysis.formats.profiles.read import ProfileTable, TableOptions, read_profile_table
from gandl_analysis.pipeline.inputs import EarlierAxes

MAX_NAME = 200
MAX_LISTED_ROWS = 20
"""At most so many rows without vectors are named in the notes of a screen."""
_LATER = EarlierAxes((), "the axes that the parameters name")


def read_table_request(request: TableRequest, root: Path) -> ProfileTable:
    """Read the table of a request. Raises Forbidden for a path outside the root, and what `read_profile_table` does."""
    # With the axes of an earlier screen, which are read when the analysis runs, the wells need no controls.
    earlier = None if request.analysis.axis_from is None else _LATER
    with names_below(root), _files(request, root) as (table, plate_map):
        options = TableOptions(plate_map=plate_map, positive=request.positive_control, level=request.level)
        return read_profile_table(table, request.analysis, options, earlier)


@contextmanager
def _files(request: TableRequest, root: Path) -> Iterator[tuple[Path, Path | None]]:
    """Yield the paths of table and plate map; what the request brings itself is written to a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / request.table_name
        if request.table is not None:
            table = resolve_file(root, request.table)
        elif request.table_base64 is not None:
            table.write_bytes(request.table_base64)
        plate_map = None if request.plate_map is None else resolve_file(root, request.plate_map)
        if request.plate_map_csv is not None:
            plate_map = Path(folder) / "plate_map_csv"
            plate_map.write_text(request.plate_map_csv, encoding="utf-8")
        yield table, plate_map


def new_screen(table: ProfileTable, request: TableRequest, parameters: AnalysisParameters) -> NewScreen:
    """Return the rows of a screen whose vectors come from a table: it has wells, and no images and no sites."""
    screen = table.screen
    name, source = (request.name or screen.name)[:MAX_NAME], request.table or request.table_name
    parked = [f"{p.plate} {p.well}: {p.error}" for p in screen.parked[:MAX_LISTED_ROWS]]
    more = len(screen.parked) - len(parked)
    notes = (*screen.notes, *parked, *([f"{more} more rows have no vector"] if more else []))
    return NewScreen(
        name=name,
        images=Path(source),
        model=ModelUse(name=screen.card.name[:MAX_NAME], id=screen.model_id, size=0, downscale=1),
        # The table takes the place of both images and plate map.
        request=ScreenRequest(name=name, images=source, plate_map=source, analysis=parameters),
        plate_map=PlateMap(tuple(screen.wells), source),
        limits={},
        sites=(),
        notes=notes,
    )
