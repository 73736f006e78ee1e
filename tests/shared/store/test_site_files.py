"""Where images are, as Parquet: a file of gandl comes back, and a file that leads out of its folder is refused."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from gandl_shared.errors import Invalid, Malformed
from gandl_shared.plates import SiteId
from gandl_shared.store import ImageFolder, SiteFiles, is_text, read_site_files, write_site_files

FIRST = SiteFiles(site=SiteId("P/1 é", "A01", "1"), names=("a b.tif", "P1/ü.ome.tif#image=2"))
SECOND = SiteFiles(site=SiteId("P/1 é", "A02", "s 1"), names=("z0.tif", "z1.tif"), planes=(2, 0))


def content_of(images: ImageFolder) -> io.BytesIO:
    buffer = io.BytesIO()
    write_site_files(buffer, images)
    buffer.seek(0)
    return buffer


def test_a_file_comes_back() -> None:
    images = ImageFolder(folder="../images", sites=(FIRST, SECOND))
    assert read_site_files(content_of(images), "images.parquet") == images


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../x.tif", "a/../../x.tif", "..", "", "a\0b.tif", "../x.tif#image=2", "/x#image=1", "a" * 4097],
)
def test_a_name_that_leads_out_is_refused_with_its_row(name: str) -> None:
    images = ImageFolder(folder="images", sites=(FIRST, SiteFiles(site=SECOND.site, names=("a.tif", name))))
    with pytest.raises(Invalid) as refusal:
        read_site_files(content_of(images), "images.parquet")
    (problem,) = refusal.value.problems
    assert (problem.file, problem.row, problem.field) == ("images.parquet", 2, "files")


@pytest.mark.parametrize("folder", ["/etc", "", "/", "a\0b"])
def test_a_folder_that_is_not_relative_is_refused(folder: str) -> None:
    with pytest.raises(Invalid, match="relative to the results"):
        read_site_files(content_of(ImageFolder(folder=folder, sites=(FIRST,))), "images.parquet")


@pytest.mark.parametrize("planes", [(1,), (3, -1), (2, 1)])
def test_planes_that_do_not_fit_the_files_are_refused(planes: tuple[int, ...]) -> None:
    site = SiteFiles(site=FIRST.site, names=FIRST.names, planes=planes)
    with pytest.raises(Invalid, match="do not fit"):
        read_site_files(content_of(ImageFolder(folder="i", sites=(site,))), "images.parquet")


def test_a_site_that_occurs_twice_is_refused() -> None:
    with pytest.raises(Invalid, match="row 1 already"):
        read_site_files(content_of(ImageFolder(folder="i", sites=(FIRST, FIRST))), "images.parquet")


def test_another_file_is_refused() -> None:
    table = io.BytesIO()
    pq.write_table(pa.table({"x": [1]}), table)
    for content in (b"no parquet", table.getvalue()):
        with pytest.raises(Malformed, match="does not say where images are"):
            read_site_files(io.BytesIO(content), "images.parquet")


def test_a_missing_value_is_refused() -> None:
    table = pq.read_table(content_of(ImageFolder(folder="i", sites=(FIRST,))))
    empty = pa.array([None], pa.list_(pa.string()))
    broken = table.set_column(table.column_names.index("files"), "files", empty)
    buffer = io.BytesIO()
    pq.write_table(broken, buffer)
    with pytest.raises((Malformed, Invalid)):
        read_site_files(buffer, "images.parquet")


def test_a_name_of_other_bytes_is_no_text() -> None:
    assert is_text("μ.tif")
    assert not is_text("\udcff.tif")
