"""Opening a folder that `gandl screen` or `gandl analyse` wrote, as a screen of the service."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

from gandl_shared.db import Database, ModelUse, NewScreen
from gandl_shared.models import ModelCard
from gandl_shared.plates import PlateMap
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.limits import IntensityLimits
from gandl_shared.schemas.screen import ScreenRequest
from gandl_shared.store import Store

from gandl_analysis.formats.embeddings import read_header
from gandl_analysis.formats.output_folder import EMBEDDINGS, read_folder_thumbnails
from gandl_analysis.formats.reread import folder_exclusions, read_folder
from gandl_analysis.formats.store_layout import write_card
from gandl_analysis.pipeline.axes.checks import check_controls
from gandl_analysis.pipeline.inputs import NO_LIMITS

MAX_NAME = 200
MAX_LISTED = 20
_DEFAULTS = " with the default parameters, which may differ from those of its report"
_OWN = " with the parameters of its report, but without the axes of another screen"


def open_output(
    folder: Path, database: Database, store: Store, parameters: AnalysisParameters | None = None
) -> tuple[str, int]:
    """Store the vectors and wells of a folder as a screen; return its id and that of its analysis.

    The folder stays as it is. The analysis runs again with the parameters of the folder, or with the default ones where
    an older version of gandl wrote it; a note of the screen says which. Its thumbnails come along, but it does not say
    where its images are.

    Raises NotFound and Invalid as `read_folder` does, Malformed for damaged thumbnails, and Invalid where the wells
    lack controls for an axis of their own.
    """
    own = None if parameters else _own_parameters(folder)
    stated = parameters or own or AnalysisParameters()
    screen = read_folder(folder, stated)
    check_controls(screen.used_wells)
    thumbnails = read_folder_thumbnails(folder)
    which = "" if parameters else _DEFAULTS if own is None else _OWN
    note = f"opened from the folder {folder.name}: its vectors are analysed again{which}"
    n_excluded = len(folder_exclusions(folder, screen.wells))
    excluded = f"{n_excluded} wells or fields of view that its tables exclude count again; leave them out on its pages"
    pair = json.loads(screen.limits_from) if screen.limits_from.startswith("[") else None
    limits = screen.limits_from if pair is None else IntensityLimits(low=tuple(pair[0]), high=tuple(pair[1]))
    card, name = screen.card, screen.name[:MAX_NAME]
    size, downscale = (card.size, card.downscale) if isinstance(card, ModelCard) else (0, 1)
    parked = [f"{p.plate} {p.well}, site {p.site}: {p.error}" for p in screen.parked[:MAX_LISTED]]
    more = len(screen.parked) - len(parked)
    new = NewScreen(
        name=name,
        images=folder,
        model=ModelUse(name=card.name[:MAX_NAME], id=screen.model_id, size=size, downscale=downscale),
        request=ScreenRequest.model_validate(
            {
                "name": name,
                "images": str(folder),
                "plate_map": str(folder),
                "analysis": stated,
                "limits": "plate" if limits == NO_LIMITS else limits,
            }
        ),
        plate_map=PlateMap(tuple(screen.wells), str(folder)),
        limits=dict(screen.limits),
        sites=(),
        layout=screen.image_layout,
        notes=(
            note,
            *([excluded] if n_excluded else []),
            *screen.notes,
            *parked,
            *([f"{more} more sites have no vectors"] if more > 0 else []),
        ),
        intensities=dict(screen.intensities),
    )
    screen_id = secrets.token_hex(8)
    try:
        store.put_vectors(screen_id, 0, screen.profiles)
        if thumbnails:
            store.put_thumbnails(screen_id, 0, thumbnails)
        write_card(store, screen_id, card)
        return screen_id, database.screens.create_embedded(screen_id, new)
    except BaseException:
        store.delete(screen_id)
        raise


def _own_parameters(folder: Path) -> AnalysisParameters | None:
    """Return the parameters that the folder states. Exclusions need decisions and other axes a screen, and the service
    has neither of this folder."""
    file = folder / EMBEDDINGS
    parameters = read_header(file).parameters if file.is_file() else None
    return None if parameters is None else parameters.model_copy(update={"exclusions": None, "axis_from": None})
