"""Opening a folder that `gandl screen` or `gandl analyse` wrote, as a screen of the service."""

from __future__ import annotations

import json
import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gandl_shared.db import Database, ModelUse, NewScreen
from gandl_shared.models import ModelCard, TableCard
from gandl_shared.plates import PlateMap, Site, SiteId
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.limits import IntensityLimits
from gandl_shared.schemas.screen import ScreenRequest
from gandl_shared.store import Profiles, Store, Thumbnail

from gandl_analysis.formats.embeddings import read_header
from gandl_analysis.formats.output_folder import EMBEDDINGS, read_folder_thumbnails
from gandl_analysis.formats.reread import folder_exclusions, read_folder
from gandl_analysis.formats.store_layout import write_card
from gandl_analysis.pipeline.axes.checks import check_controls
from gandl_analysis.pipeline.inputs import NO_LIMITS, ScreenInput
from gandl_analysis.service.intake.image_folders import PlacedImages, place_images

MAX_NAME = 200
MAX_LISTED = 20
_DEFAULTS = " with the default parameters, which may differ from those of its report"
_OWN = " with the parameters of its report, but without the axes of another screen"


@dataclass(frozen=True, kw_only=True)
class OpenedFolder:
    """A folder of results to open, without links. `images` is where its images are below the image root; where it is
    None, the folder says so. `parameters` are None for those of the folder."""

    folder: Path
    image_root: Path
    images: str | None = None
    parameters: AnalysisParameters | None = None


def open_output(output: OpenedFolder, database: Database, store: Store) -> tuple[str, int]:
    """Store the vectors and wells of a folder as a screen; return its id and that of its analysis.

    The folder stays as it is. The analysis runs again with the parameters of the folder, or with the default ones where
    an older version of gandl wrote it; a note of the screen says which. Its thumbnails come along, and its images stay
    where they are; another note says where they are not below the image root.

    Raises NotFound and Invalid as `read_folder` does, Malformed for damaged thumbnails, Invalid where the wells lack
    controls for an axis of their own, and what `place_images` raises.
    """
    folder = output.folder
    own = None if output.parameters else _own_parameters(folder)
    stated = output.parameters or own or AnalysisParameters()
    screen = read_folder(folder, stated)
    check_controls(screen.used_wells)
    keys = _site_keys(screen.profiles)
    images = place_images(folder, output.image_root, keys, output.images)
    thumbnails = read_folder_thumbnails(folder)
    which = "" if output.parameters else _DEFAULTS if own is None else _OWN
    notes = [f"opened from the folder {folder.name}: its vectors are analysed again{which}"]
    notes += [] if images.note is None or isinstance(screen.card, TableCard) else [images.note]
    new = _new_screen(folder, screen, images, keys, (*notes, *_notes(folder, screen)))
    screen_id = secrets.token_hex(8)
    try:
        store.put_vectors(screen_id, 0, screen.profiles)
        for batch, part in _batches(thumbnails, new).items():
            store.put_thumbnails(screen_id, batch, part)
        write_card(store, screen_id, screen.card)
        return screen_id, database.screens.create_embedded(screen_id, new)
    except BaseException:
        store.delete(screen_id)
        raise


def _new_screen(
    folder: Path, screen: ScreenInput, images: PlacedImages, keys: Mapping[SiteId, str], notes: tuple[str, ...]
) -> NewScreen:
    """Return the rows of the screen. The sites are done, so that no worker embeds them again."""
    pair = json.loads(screen.limits_from) if screen.limits_from.startswith("[") else None
    limits = screen.limits_from if pair is None else IntensityLimits(low=tuple(pair[0]), high=tuple(pair[1]))
    card, name = screen.card, screen.name[:MAX_NAME]
    size, downscale = (card.size, card.downscale) if isinstance(card, ModelCard) else (0, 1)
    root = images.folder or folder
    return NewScreen(
        name=name,
        images=root,
        model=ModelUse(name=card.name[:MAX_NAME], id=screen.model_id, size=size, downscale=downscale),
        request=ScreenRequest.model_validate(
            {
                "name": name,
                "images": str(folder),
                "plate_map": str(folder),
                "analysis": screen.parameters,
                "limits": "plate" if limits == NO_LIMITS else limits,
            }
        ),
        plate_map=PlateMap(tuple(screen.wells), str(folder)),
        limits=dict(screen.limits),
        sites=tuple(
            Site(**each.site._asdict(), root=root, names=each.names, planes=each.planes) for each in images.sites
        ),
        keys={each.site: keys[each.site] for each in images.sites},
        layout=screen.image_layout,
        notes=notes,
        intensities=dict(screen.intensities),
    )


def _notes(folder: Path, screen: ScreenInput) -> tuple[str, ...]:
    """Return what the folder says beside its numbers: what its tables exclude, its notes, and sites without vectors."""
    n_excluded = len(folder_exclusions(folder, screen.wells))
    excluded = f"{n_excluded} wells or fields of view that its tables exclude count again; leave them out on its pages"
    parked = [f"{p.plate} {p.well}, site {p.site}: {p.error}" for p in screen.parked[:MAX_LISTED]]
    more = len(screen.parked) - len(parked)
    return (
        *([excluded] if n_excluded else []),
        *screen.notes,
        *parked,
        *([f"{more} more sites have no vectors"] if more > 0 else []),
    )


def _site_keys(profiles: Profiles) -> dict[SiteId, str]:
    """Return the identity of the vectors of each site."""
    columns = zip(profiles.plates, profiles.wells, profiles.sites, profiles.keys, strict=True)
    return {SiteId(str(plate), str(well), str(site)): str(key) for plate, well, site, key in columns}


def _batches(thumbnails: Sequence[Thumbnail], new: NewScreen) -> dict[int, list[Thumbnail]]:
    """Return the thumbnails by the batch of their site; those of unlisted sites form a batch of their own."""
    size = new.sites_per_batch
    numbers = {site.id: number // size for number, site in enumerate(new.sites)}
    last = -(-len(new.sites) // size)
    batches: dict[int, list[Thumbnail]] = defaultdict(list)
    for each in thumbnails:
        batches[numbers.get(each.site, last)].append(each)
    return batches


def _own_parameters(folder: Path) -> AnalysisParameters | None:
    """Return the parameters that the folder states. Exclusions need decisions and other axes a screen, and the service
    has neither of this folder."""
    file = folder / EMBEDDINGS
    parameters = read_header(file).parameters if file.is_file() else None
    return None if parameters is None else parameters.model_copy(update={"exclusions": None, "axis_from": None})
