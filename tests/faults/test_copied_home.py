"""The backup of `gandl up`: its folder, copied while it is stopped, shows the same results elsewhere and goes on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from gandl_shared.clients.analysis import AnalysisClient
from gandl_shared.schemas.screen import ScreenRequest, ScreenState
from gandl_shared.testing import free_port

from tests.cases import plates
from tests.e2e.running_stack import stack

pytestmark = pytest.mark.slow


def test_a_copied_home_has_the_same_results_and_takes_new_screens(tmp_path: Path) -> None:
    images = plates.write_images(tmp_path / "images")
    plates.write_plate_map(images / "map.csv")
    request = ScreenRequest(images="images", plate_map="images/map.csv", model="gandl-bbbc013-64")
    with stack(tmp_path / "home", tmp_path, free_port()) as first, AnalysisClient(first.url) as client:
        screen = client.submit(request).id
        *_, status = client.watch(screen)
        assert status.state is ScreenState.DONE
        wells = client.wells_csv(screen)
    shutil.copytree(tmp_path / "home", tmp_path / "copy")
    shutil.rmtree(tmp_path / "home")
    with stack(tmp_path / "copy", tmp_path, free_port()) as second, AnalysisClient(second.url) as client:
        assert client.wells_csv(screen) == wells
        *_, status = client.watch(client.submit(request).id)
        assert (status.state, client.wells_csv(status.id)) == (ScreenState.DONE, wells)
