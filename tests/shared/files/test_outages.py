"""Whether a file is at fault or its storage is away, for each number of an error."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import pytest
from gandl_shared.errors import Outage
from gandl_shared.files.outages import is_remote_outage, outage

AWAY = (  # noqa: SIM905 - a list of names is read more easily without quotes around each
    "EIO ENOSPC EDQUOT EROFS ESTALE ETIMEDOUT EHOSTDOWN EHOSTUNREACH ENETDOWN ENETUNREACH ECONNREFUSED ECONNRESET "
    "ENOTCONN ECOMM EREMOTEIO ENODEV ENOMEM EMFILE ENFILE EAGAIN EBUSY EINTR ENOKEY EKEYEXPIRED EUCLEAN ENOLCK"
).split()
OF_THE_FILE = "EINVAL EISDIR ELOOP ENAMETOOLONG EFBIG EOVERFLOW EILSEQ ENXIO".split()  # noqa: SIM905


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The path of an absent image in a folder that holds another one."""
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "other.tif").touch()
    return folder / "image.tif"


def os_error(name: str) -> OSError:
    number = getattr(errno, name)
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize("name", AWAY)
def test_the_state_of_a_disk_or_network_is_an_outage(name: str, image: Path) -> None:
    away = outage(os_error(name), image)
    assert isinstance(away, Outage)
    assert away.detail.startswith(f"{image} cannot be reached for the moment: ")


@pytest.mark.parametrize("name", OF_THE_FILE)
def test_what_is_wrong_with_the_file_is_no_outage(name: str, image: Path) -> None:
    assert outage(os_error(name), image) is None


@pytest.mark.parametrize("name", ["ENOENT", "ENOTDIR", "EACCES", "EPERM"])
def test_a_file_that_is_missing_or_forbidden_in_a_readable_folder_is_at_fault(name: str, image: Path) -> None:
    assert outage(os_error(name), image) is None


@pytest.mark.parametrize("name", ["ENOENT", "ENOTDIR"])
def test_a_file_whose_folder_is_missing_is_away(name: str, image: Path) -> None:
    away = outage(os_error(name), image.parent / "plate" / "image.tif")
    assert away is not None
    assert "images/plate cannot be reached" in away.detail


def test_an_empty_folder_is_a_mount_point_without_its_disk(image: Path) -> None:
    (image.parent / "other.tif").unlink()
    away = outage(os_error("ENOENT"), image)
    assert away is not None
    assert "is empty, as if its disk were not mounted" in away.detail


def test_a_folder_that_is_back_already_was_away(image: Path) -> None:
    image.touch()
    away = outage(os_error("ENOENT"), image)
    assert away is not None
    assert "was away for a moment" in away.detail


def test_a_link_to_a_folder_that_is_away_is_followed(image: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "disk")
    away = outage(os_error("ENOENT"), link / "image.tif")
    assert away is not None
    assert re.search(r"the folder \S+/disk cannot be reached", away.detail)


def test_a_file_in_the_role_of_a_folder_is_at_fault(image: Path) -> None:
    assert outage(os_error("ENOTDIR"), image.parent / "other.tif" / "image.tif") is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open every folder")
def test_a_folder_that_may_not_be_opened_is_away(image: Path) -> None:
    image.parent.chmod(0)
    away = outage(os_error("EACCES"), image)
    image.parent.chmod(0o700)
    assert away is not None


def test_folders_that_may_be_missing_are_not_asked(image: Path, tmp_path: Path) -> None:
    chunk = image.parent / "0" / "0" / "c"
    assert outage(os_error("ENOENT"), chunk, folder=image.parent) is None
    assert outage(os_error("ENOENT"), tmp_path / "gone" / "0" / "c", folder=tmp_path / "gone") is not None


@pytest.mark.parametrize("error", [TimeoutError("no answer"), ConnectionResetError("closed")])
def test_errors_of_connections_have_no_number_and_are_outages(error: OSError, image: Path) -> None:
    assert outage(error, image) is not None


def test_an_error_that_a_library_made_up_is_no_outage(image: Path) -> None:
    assert outage(OSError("cannot identify image file"), image) is None


class ClientConnectionError(Exception):
    """Stands for the error of aiohttp."""


class EndpointConnectionError(type("ConnectionError", (Exception,), {})):  # type: ignore[misc]
    """Stands for the error of botocore, whose root is no error of Python's connections."""


class Answer(Exception):
    """Stands for an answer of a server that is an error."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def refusal(code: str, kind: type[OSError]) -> OSError:
    """Return what the client of S3 makes of an answer with a code."""
    error = kind("refused")
    error.__cause__ = Exception()
    error.__cause__.response = {"Error": {"Code": code}}  # type: ignore[attr-defined]
    return error


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (refusal("ExpiredToken", PermissionError), True),
        (refusal("NoSuchBucket", FileNotFoundError), True),
        (refusal("AccessDenied", PermissionError), False),
        (refusal("NoSuchKey", FileNotFoundError), False),
        (TimeoutError("no answer"), True),
        (os_error("EIO"), True),
        (os_error("EBUSY"), True),
        (os_error("EINVAL"), False),
        (ClientConnectionError("refused"), True),
        (EndpointConnectionError("refused"), True),
        (Answer(503), True),
        (Answer(429), True),
        (Answer(416), False),
        (ValueError("no such codec"), False),
    ],
)
def test_a_server_that_does_not_answer_is_an_outage(error: Exception, *, away: bool) -> None:
    assert is_remote_outage(error) is away
