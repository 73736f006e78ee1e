"""A folder of `gandl screen` becomes a screen of the stack, once."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl.stack.folders import open_folders
from gandl.stack.home import Home
from gandl_analysis.formats.output_folder import write_files
from gandl_analysis.pipeline.analyse import analyse
from gandl_shared.db import Database
from gandl_shared.errors import NotFound

from tests.analysis.simulated_screens import Simulated


def test_a_folder_is_opened_once_and_its_analysis_waits(tmp_path: Path) -> None:
    out, home = tmp_path / "out", Home(tmp_path / "home")
    home.create()
    out.mkdir()
    screen = Simulated(seed=1078).screen()
    write_files(analyse(screen), screen.profiles, out)
    first = open_folders(home, [out])
    assert open_folders(home, [out]) == first
    database = Database.connect(home.database_url)
    assert [status.id for status in database.screens.statuses()] == [first[out]]
    assert database.waiting().analyses == 1
    database.close()


def test_another_folder_is_refused(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create()
    with pytest.raises(NotFound, match="give the output folder of `gandl screen`"):
        open_folders(home, [tmp_path])
