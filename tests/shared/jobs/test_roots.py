"""No request names a folder or file outside the image root."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_shared.errors import BadInput, Forbidden, NotFound, Problem
from gandl_shared.jobs import names_below, resolve_file, resolve_folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with a folder, a file, a link within and links out; beside it what must stay out of reach."""
    root = tmp_path / "root"
    (root / "plates" / "p1").mkdir(parents=True)
    (root / "plates" / "map.csv").write_text("x")
    (tmp_path / "root-secret").mkdir()
    (tmp_path / "root-secret" / "map.csv").write_text("x")
    (root / "within").symlink_to(root / "plates")
    (root / "out").symlink_to(tmp_path / "root-secret")
    (root / "plates" / "out.csv").symlink_to(tmp_path / "root-secret" / "map.csv")
    return root


def test_what_is_allowed(root: Path) -> None:
    plates = (root / "plates").resolve()
    for name in ("plates", "plates/", "./plates", "within", str(root / "plates"), str(plates)):
        assert resolve_folder(root, name) == plates
    assert resolve_file(root, "plates/map.csv") == plates / "map.csv"


def test_an_archive_of_a_plate_counts_as_a_folder(root: Path) -> None:
    (root / "P1.zarr.zip").write_bytes(b"PK")
    assert resolve_folder(root, "P1.zarr.zip") == (root / "P1.zarr.zip").resolve()
    for name in ("P2.zarr.zip", "plates/map.csv", "https://127.0.0.1/P1.zarr"):
        with pytest.raises((NotFound, Forbidden)):
            resolve_folder(root, name)


def test_a_root_that_is_a_link_itself(root: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(root)
    assert resolve_folder(link, "plates") == resolve_folder(link, str(link / "plates")) == (root / "plates").resolve()


@pytest.mark.parametrize(
    "name",
    ["..", "../root-secret", "plates/../../root-secret", "plates/../plates", "/etc", "/", "out", "out/x", "a\0b", ""],
)
def test_what_leads_out_is_refused(root: Path, name: str) -> None:
    with pytest.raises(Forbidden, match="outside the image folder"):
        resolve_folder(root, name)


def test_siblings_that_begin_alike_are_outside(root: Path, tmp_path: Path) -> None:
    for name in (str(tmp_path / "root-secret"), f"{root}/../root-secret"):
        with pytest.raises(Forbidden):
            resolve_folder(root, name)


def test_a_file_behind_a_link_out_is_refused(root: Path) -> None:
    with pytest.raises(Forbidden):
        resolve_file(root, "plates/out.csv")


def test_what_is_not_there(root: Path) -> None:
    for call, name in ((resolve_folder, "nothing"), (resolve_folder, "plates/map.csv"), (resolve_file, "plates")):
        with pytest.raises(NotFound, match=name):
            call(root, name)


@pytest.mark.parametrize("name", ["x" * 4096, "plates/" + "y" * 300, "a/" * 2000])
def test_names_that_no_file_system_takes_are_not_there(root: Path, name: str) -> None:
    with pytest.raises(NotFound) as caught:
        resolve_folder(root, name)
    assert len(caught.value.detail) < 300


def test_links_in_a_circle_are_not_there(root: Path) -> None:
    (root / "a").symlink_to(root / "b")
    (root / "b").symlink_to(root / "a")
    with pytest.raises(NotFound):
        resolve_folder(root, "a")


def test_errors_name_files_from_the_root_on(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    for form in (root, tmp_path / "link"):
        with pytest.raises(BadInput) as caught, names_below(tmp_path / "link"):
            raise BadInput(
                f"{form}/plates/p1 has no image, {form} neither, {form}-secret too",
                problems=[Problem(f"{form}/plates is empty", file=f"{form}/plates/map.csv", row=2)],
            )
        assert str(caught.value) == f"plates/p1 has no image, the image folder neither, {form}-secret too"
        assert caught.value.problems == (Problem("plates is empty", file="plates/map.csv", row=2),)
