"""A folder of `gandl screen` becomes a screen of the stack, once."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl.screening.run import ScreenJob, run
from gandl.stack.folders import open_folders
from gandl.stack.home import Home
from gandl_analysis.formats.output_folder import write_files
from gandl_analysis.pipeline.analyse import analyse
from gandl_analysis.service.pixels.images import ImageRequest
from gandl_analysis.service.pixels.pictures import Pictures
from gandl_analysis.service.pixels.requests import view_of
from gandl_analysis.service.pixels.well_detail import unavailable
from gandl_shared.db import Database
from gandl_shared.errors import Conflict, Forbidden, NotFound
from gandl_shared.plates import SiteId
from gandl_shared.store import Store
from gandl_shared.testing import FakeEmbedder, Layout, fake_card, write_plate

from tests.analysis.simulated_screens import Simulated
from tests.cli.command_line import Gandl


def test_a_folder_is_opened_once_and_its_analysis_waits(tmp_path: Path) -> None:
    out, home = tmp_path / "out", Home(tmp_path / "home")
    home.create()
    out.mkdir()
    screen = Simulated(seed=1078).screen()
    write_files(analyse(screen), screen.profiles, out)
    first = open_folders(home, [out], tmp_path)
    assert open_folders(home, [out], tmp_path) == first
    database = Database.connect(home.database_url)
    assert [status.id for status in database.screens.statuses()] == [first[out]]
    assert database.waiting().analyses == 1
    database.close()


def test_the_images_of_a_folder_are_shown_if_they_are_those_that_were_embedded(tmp_path: Path, gandl: Gandl) -> None:
    plate, out, again = write_plate(tmp_path / "plate", Layout()), tmp_path / "out", tmp_path / "deeper/again"
    run(ScreenJob(images=plate.images, plate_map=plate.platemap, out=out, limits="card"), FakeEmbedder(fake_card()))
    assert gandl("analyse", out, "--out", again).code == 0
    home = Home(tmp_path / "home")
    home.create()
    opened = open_folders(home, [out, again], tmp_path)
    database = Database.connect(home.database_url)
    pictures = Pictures(database, Store(home.store), tmp_path)
    site = SiteId("P1", "A01", "1")
    for screen in opened.values():
        progress, subject = database.screens.status(screen).progress, pictures.screen(screen)
        assert (progress.sites, progress.done) == (len(plate.plate_map.used),) * 2
        request = ImageRequest(view=view_of(subject.channels, ["1"]))
        assert pictures.image(subject, site, request).render().startswith(b"\x89PNG")
        assert pictures.thumbnails.one(subject, site) is not None
    file = plate.image("A01")
    file.write_bytes(plate.image("A02").read_bytes())
    with pytest.raises(Conflict, match="have changed since they were embedded"):
        pictures.image(subject, site, request)
    file.unlink()
    (tmp_path / "secret").write_bytes(b"of somebody else")
    file.symlink_to(tmp_path.parent)
    with pytest.raises(Forbidden, match="link out of the images folder"):
        pictures.image(subject, site, request)
    plate.images.rename(tmp_path / "elsewhere")
    record = pictures.site_records(screen, *site[:2])[0]
    reason = unavailable(pictures, subject, record) or ""
    assert "is no longer there" in reason
    assert "put the images back into 'plate/" in reason
    assert "open the folder of results again" in reason
    database.close()


def test_another_folder_is_refused(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create()
    with pytest.raises(NotFound, match="give the output folder of `gandl screen`"):
        open_folders(home, [tmp_path], tmp_path)
