"""Thumbnails of a folder of results that was opened: the database knows none of its sites."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from gandl_analysis.formats.output_folder import write_files
from gandl_analysis.pages.evidence.wells import UNKNOWN_FILES
from gandl_analysis.pipeline.analyse import analyse
from gandl_analysis.service.intake.outputs import OpenedFolder, open_output
from gandl_shared.plates import SiteId
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.store import GreyPicture, Thumbnail

from tests.analysis.service.stack import Stack
from tests.analysis.simulated_screens import Simulated


def test_an_opened_folder_has_its_thumbnails_and_says_that_its_images_are_unknown(stack: Stack) -> None:
    screen = Simulated().screen(AnalysisParameters(alpha=0.01))
    analysed = analyse(screen)
    channels = len(screen.card.channel_names)
    picture = GreyPicture.of(np.full((channels, 16, 16), 90, np.uint8))
    sites = list(dict.fromkeys(SiteId(s.plate, s.well, s.site) for s in analysed.sites))
    thumbnails = [
        Thumbnail(site=site, key="k", height=32, width=32, y=0, x=0, field=picture, tile=picture) for site in sites
    ]
    folder = stack.settings.image_root / "results"
    write_files(analysed, screen.profiles, folder, thumbnails=lambda: thumbnails)
    opened, analysis = open_output(
        OpenedFolder(folder=folder, image_root=stack.settings.image_root), stack.database, stack.store
    )
    assert stack.runs().run(analysis)

    # The parameters come along, and a note says so.
    stored = stack.database.analyses.of_screen(opened)[0].parameters
    assert stored.alpha == 0.01
    assert any("with the parameters of its report" in note for note in stack.database.screens.get(opened).notes)

    site = sites[0]
    get = stack.client.get
    index = get(f"/screens/{opened}/sprites/{site.plate}", headers={"Accept": "application/json"}).json()
    assert len(index["wells"]) == len({each.well for each in sites if each.plate == site.plate})
    address = f"{site.plate}/{site.well}/{site.site}"
    assert get(f"/screens/{opened}/thumbnails/{address}").status_code == 200
    refused = get(f"/screens/{opened}/images/{address}")
    assert refused.status_code == 404
    assert "has no images of well" in refused.json()["detail"]
    assert "still there" in refused.json()["detail"]
    text = get(f"/ui/screens/{opened}/wells/{site.plate}/{site.well}").text
    assert f"{UNKNOWN_FILES} The picture below" in text
    assert f"/screens/{opened}/thumbnails/{address}" in text
    assert get(f"/screens/{opened}/sprites/elsewhere").status_code == 404
    report = get(f"/screens/{opened}/report").text
    assert '<figure class="strip"' in report
    shutil.rmtree(Path(stack.settings.store) / opened / "thumbnails")
    plate = get(f"/ui/screens/{opened}/plates/{site.plate}?view=pictures").text
    assert "No thumbnails of this screen are stored" in plate
    assert 'class="sprite"' not in plate
