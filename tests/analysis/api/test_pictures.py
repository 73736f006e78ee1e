"""Pictures over HTTP: sites, thumbnails and sprites, and what is refused."""

from __future__ import annotations

import io
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from tests.analysis.service.stack import Stack, running_stack


def pixels(content: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(content)))


def image(stack: Stack, well: str, channel: int) -> Path:
    return stack.home / f"root/plate/Images/P1/{well}_s1_w{channel}.tif"


def with_own_images(stack: Stack) -> Stack:
    """Let the screens of a copied stack read the copied images; they were seeded in another folder."""
    with closing(sqlite3.connect(stack.home / "gandl.db")) as database, database:
        database.execute("UPDATE screens SET images = ?", [str(stack.home / "root/plate/Images")])
    return stack


@pytest.fixture
def own(stack: Stack) -> Stack:
    """A service with images that a test may spoil."""
    return with_own_images(stack)


@pytest.fixture(scope="module")
def common(seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The same for tests that only read."""
    home = tmp_path_factory.mktemp("common") / "home"
    shutil.copytree(seeded, home)
    with running_stack(home) as stack:
        yield with_own_images(stack)


def test_a_channel_alone_is_the_field_under_the_limits_of_the_plate(common: Stack) -> None:
    screen = common.first
    limits = common.database.screens.get(screen).limits["P1"]
    raw = tifffile.imread(image(common, "C04", 2)).astype(np.float64)
    expected = np.clip(np.rint((raw - limits.low[1]) / (limits.high[1] - limits.low[1]) * 255), 0, 255)
    answer = common.client.get(f"/screens/{screen}/images/P1/C04/1?channel=2")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert np.abs(pixels(answer.content).astype(float) - expected).max() <= 1


def test_the_composite_adds_the_channels_in_their_colours(common: Stack) -> None:
    address = f"/screens/{common.first}/images/P1/C04/1"
    grey = [pixels(common.client.get(f"{address}?channel={n}").content).astype(int) for n in (1, 2)]
    both = pixels(common.client.get(f"{address}?channel=2&channel=c1&colour=red&colour=00ff00").content).astype(int)
    assert np.abs(both[:, :, 1] - np.minimum(grey[0] + np.rint(grey[1] * 40 / 255), 255)).max() <= 1
    composite = pixels(common.client.get(address).content).astype(int)
    # Stains without a known colour are green and magenta.
    np.testing.assert_array_equal(composite[:, :, 1], grey[0])
    np.testing.assert_array_equal(composite[:, :, 0], grey[1])


def test_part_level_and_limits_are_those_of_the_request(common: Stack) -> None:
    address = f"/screens/{common.first}/images/P1/A01/1"
    raw = tifffile.imread(image(common, "A01", 1)).astype(np.float64)
    part = pixels(common.client.get(f"{address}?channel=1&crop=4,8,16,12&level=1&limits=0,200").content)
    expected = np.rint(np.clip(raw[8:20, 4:20].reshape(6, 2, 8, 2).mean(axis=(1, 3)) / 200 * 255, 0, 255))
    assert part.shape == (6, 8)
    assert np.abs(part - expected).max() <= 1


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("crop=1,2,3", "write x,y,width,height"),
        ("crop=20,0,16,8", "not inside the image, which is 32 pixels wide"),
        ("crop=-1,0,4,4", "write x,y,width,height"),
        ("level=9", "less than or equal to 6"),
        ("level=6", "take a lower level"),
        ("channel=DAPI", "the channels of this screen are 1 (c1), 2 (c2)"),
        ("channel=1&limits=5,5", "each high above its low"),
        ("limits=0,5", "limits of 2 channels"),
        ("channel=1&limits=nan,5", "each high above its low"),
        ("channel=1&colour=pink", "is no colour"),
        ("channel=1&colour=red&colour=blue", "2 colours for 1 channels"),
        ("zoom=2", "unknown parameter"),
    ],
)
def test_a_request_without_meaning_is_refused_with_the_right_form(common: Stack, query: str, words: str) -> None:
    answer = common.client.get(f"/screens/{common.first}/images/P1/A01/1?{query}")
    assert answer.status_code == 422, answer.text
    assert words in answer.json()["detail"]


def test_a_client_that_has_the_picture_gets_304_until_the_pixels_differ(common: Stack) -> None:
    address = f"/screens/{common.first}/images/P1/A01/1?channel=1"
    tag = common.client.get(address).headers["etag"]
    again = common.client.get(address, headers={"If-None-Match": f'"other", W/{tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    other = common.client.get(f"{address}&level=1", headers={"If-None-Match": tag})
    assert other.status_code == 200


def test_the_form_is_the_one_that_the_client_prefers(common: Stack) -> None:
    address = f"/screens/{common.first}/images/P1/A01/1"
    for accept, kind in (("image/webp,*/*;q=0.5", "webp"), ("image/jpeg", "jpeg"), ("text/html", "png")):
        answer = common.client.get(address, headers={"Accept": accept})
        assert answer.headers["content-type"] == f"image/{kind}"
        assert pixels(answer.content).shape == (32, 32, 3)
    jpeg = common.client.get(f"{address}?format=jpeg", headers={"Accept": "image/png"})
    assert jpeg.headers["content-type"] == "image/jpeg"


def test_images_that_moved_are_404_and_the_thumbnail_stays(own: Stack) -> None:
    screen = own.first
    before = own.client.get(f"/screens/{screen}/thumbnails/P1/A01/1").content
    image(own, "A01", 2).unlink()
    answer = own.client.get(f"/screens/{screen}/images/P1/A01/1?channel=1")
    assert answer.status_code == 404
    assert answer.json()["detail"] == (
        "image P1/A01_s1_w2.tif is no longer there. The thumbnail that was made when it was embedded is still there"
    )
    assert own.client.get(f"/screens/{screen}/thumbnails/P1/A01/1").content == before


def test_a_folder_that_moved_is_404_and_its_path_is_not_told(own: Stack) -> None:
    folder = own.home / "root/plate/Images"
    folder.rename(folder.with_name("moved"))
    answer = own.client.get(f"/screens/{own.first}/images/P1/A01/1?channel=1")
    assert answer.status_code == 404
    assert "its folder was moved, or its disk is away. The thumbnail" in answer.json()["detail"]
    assert str(own.home) not in answer.text


def test_images_that_changed_are_refused_because_they_are_not_what_was_measured(own: Stack) -> None:
    screen, path = own.first, image(own, "A01", 1)
    address = f"/screens/{screen}/images/P1/A01/1"
    assert own.client.get(address).status_code == 200
    tifffile.imwrite(path, 255 - tifffile.imread(path))
    answer = own.client.get(address)
    assert (answer.status_code, answer.json()["error"]) == (409, "Conflict")
    assert "have changed since they were embedded" in answer.json()["detail"]


def test_images_outside_the_root_are_forbidden_whatever_the_database_says(stack: Stack) -> None:
    # The screens of the seeded folder name images that are not below the root of this copy.
    answer = stack.client.get(f"/screens/{stack.first}/images/P1/A01/1")
    assert (answer.status_code, answer.json()["error"]) == (403, "Forbidden")
    assert stack.client.get(f"/screens/{stack.first}/thumbnails/P1/A01/1").status_code == 200


def test_a_link_out_of_the_folder_is_forbidden(own: Stack, tmp_path: Path) -> None:
    path = image(own, "B02", 1)
    outside = tmp_path / "secret.tif"
    path.rename(outside)
    path.symlink_to(outside)
    assert own.client.get(f"/screens/{own.first}/images/P1/B02/1").status_code == 403


@pytest.mark.parametrize("address", ["images/P1/A01/9", "images/P1/Z99/1", "images/P9/A01/1", "sprites/P9"])
def test_what_the_screen_does_not_have_is_404(shared_stack: Stack, address: str) -> None:
    answer = shared_stack.client.get(f"/screens/{shared_stack.first}/{address}")
    assert (answer.status_code, answer.json()["error"]) == (404, "NotFound")


def test_a_screen_that_has_not_begun_has_no_thumbnails(shared_stack: Stack) -> None:
    answer = shared_stack.client.get(f"/screens/{shared_stack.waiting}/thumbnails/P1/A01/1")
    assert answer.status_code == 404
    assert "it was not embedded" in answer.json()["detail"]


def test_a_sprite_has_every_well_at_its_position(shared_stack: Stack) -> None:
    address = f"/screens/{shared_stack.first}/sprites/P1"
    index = shared_stack.client.get(f"{address}?edge=16", headers={"Accept": "application/json"}).json()
    assert (index["rows"], index["columns"], index["edge"], len(index["wells"])) == (8, 12, 16, 64)
    assert next(cell for cell in index["wells"] if cell["well"] == "C04") == {
        "well": "C04",
        "site": "1",
        "x": 48,
        "y": 32,
    }
    picture = pixels(shared_stack.client.get(f"{address}?edge=16&format=png&channel=1").content)
    assert picture.shape == (8 * 16, 12 * 16, 3)
    thumbnail = pixels(shared_stack.client.get(f"/screens/{shared_stack.first}/thumbnails/P1/C04/1?channel=1").content)
    cell = picture[32:48, 48:64, 0].astype(float)
    assert abs(cell.mean() - thumbnail.mean()) < 2
    # Wells get brighter from left to right, all under the same limits; the plate map has no wells beyond column 8.
    means = [picture[:, column * 16 : column * 16 + 16].mean() for column in range(8)]
    assert means == sorted(means)
    assert (picture[:, 8 * 16 :] == 24).all()
    assert shared_stack.client.get(address).headers["content-type"] == "image/jpeg"


def test_a_typical_tile_is_one_of_the_tiles_of_its_site(common: Stack) -> None:
    screen = common.first
    tile = pixels(common.client.get(f"/screens/{screen}/thumbnails/P1/C04/1?part=tile&channel=1").content)
    field = pixels(common.client.get(f"/screens/{screen}/images/P1/C04/1?channel=1").content)
    assert tile.shape == (16, 16)
    differences = [np.abs(field[y : y + 16, x : x + 16].astype(int) - tile).mean() for y in (0, 16) for x in (0, 16)]
    # JPEG smooths the noise of the test images; another tile differs by far more.
    assert 8 > min(differences) < sorted(differences)[1] / 2


def test_names_with_a_slash_lead_to_their_plate(shared_stack: Stack) -> None:
    answer = shared_stack.client.get(f"/screens/{shared_stack.first}/thumbnails/{quote('A/B', safe='')}/A01/1")
    assert "on plate 'A/B'" in answer.json()["detail"]
