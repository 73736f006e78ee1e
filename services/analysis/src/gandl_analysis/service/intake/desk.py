"""What comes in by the pages: previews of new screens, uploads, and folders of other runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gandl_shared.db import Database
from gandl_shared.jobs import Queue, resolve_file, resolve_folder
from gandl_shared.store import Store

from gandl_analysis.formats.output_folder import EMBEDDINGS, IMAGES, SITES, THUMBNAILS, WELLS
from gandl_analysis.service.intake.outputs import OpenedFolder, open_output
from gandl_analysis.service.intake.preview import Preview, preview
from gandl_analysis.service.intake.uploads import Uploads
from gandl_analysis.service.models import ModelCatalog


@dataclass(frozen=True, kw_only=True)
class Intake:
    """Looks at folders below the image root before they become screens."""

    image_root: Path
    models: ModelCatalog
    uploads: Uploads
    database: Database
    store: Store
    queue: Queue

    def preview(self, *, folder: str, plate_map: str | None, model: str | None) -> Preview:
        """Return what a screen would be. Problems are part of the answer."""
        return preview(self.image_root, self.models, folder=folder, plate_map=plate_map, model=model)

    def open_output(self, folder: str, images: str | None = None) -> str:
        """Open a folder that `gandl screen` wrote; return the id of its screen.

        `images` is the folder of its images below the image root, None for the one that the results name. Raises
        Forbidden, NotFound, Invalid.
        """
        path = resolve_folder(self.image_root, folder)
        # A file of the folder may itself be a link that leads out of the root.
        for name in (EMBEDDINGS, WELLS, *(name for name in (SITES, THUMBNAILS, IMAGES) if (path / name).is_symlink())):
            resolve_file(self.image_root, f"{folder}/{name}")
        output = OpenedFolder(folder=path, image_root=self.image_root, images=images)
        screen, analysis = open_output(output, self.database, self.store)
        self.queue.analysis_ready(analysis)
        return screen
