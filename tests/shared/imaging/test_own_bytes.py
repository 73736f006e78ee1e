"""An image is read from its own bytes: whatever file it names is never opened, and no plane is made up for it."""

from __future__ import annotations

import os
import shutil
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from gandl_shared.errors import BadInput, Forbidden, Invalid, InvalidImage, NotFound, UnsupportedType
from gandl_shared.imaging import decode, read_header, read_image, read_site
from gandl_shared.jobs.roots import resolve_file
from gandl_shared.plates import find_sites, parse_plate_map
from gandl_shared.testing import FileGuard, binary_only_tiff, described_tiff, ome_tiff

PLANES = np.random.default_rng(0).integers(0, 60000, (2, 40, 50)).astype(np.uint16)
SIZES = 'SizeC="2" SizeZ="1" SizeT="1" SizeX="50" SizeY="40"'


def xml(*data: str, sizes: str = SIZES, order: str = "XYCZT", uuid: str = ' UUID="urn:uuid:1"', images: int = 1) -> str:
    pixels = f'<Image><Pixels DimensionOrder="{order}" {sizes}>{"".join(data)}</Pixels></Image>'
    return f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"{uuid}>{pixels * images}</OME>'


def read(description: str, planes: np.ndarray = PLANES, name: str = "a.ome.tif") -> np.ndarray:
    return decode(described_tiff(planes, description), name)


@pytest.fixture
def folder() -> Iterator[Path]:
    """As deep as the names of `named_file` expect."""
    with tempfile.TemporaryDirectory(prefix="gandl-") as name:
        yield Path(name)


def test_a_set_of_files_gives_the_planes_of_this_one(
    folder: Path, named_file: tuple[Path, str], guard: FileGuard, capfd: pytest.CaptureFixture[str]
) -> None:
    target, name = named_file
    path = folder / "own.ome.tif"
    path.write_bytes(ome_tiff(PLANES, elsewhere=name))
    with guard.guarding(target):
        assert read_header(path).channels == 2
        np.testing.assert_array_equal(read_site([path]), PLANES)
        np.testing.assert_array_equal(decode(path.read_bytes(), "renamed.tif"), PLANES)
    assert capfd.readouterr() == ("", "")


def test_a_description_in_another_file_is_not_looked_for(
    folder: Path, named_file: tuple[Path, str], guard: FileGuard, capfd: pytest.CaptureFixture[str]
) -> None:
    target, name = named_file
    path = folder / "own.ome.tif"
    path.write_bytes(binary_only_tiff(PLANES, name))
    with guard.guarding(target):
        assert read_header(path).channels == 2
        np.testing.assert_array_equal(read_site([path]), PLANES)
    assert capfd.readouterr() == ("", "")


def test_a_file_whose_planes_are_all_elsewhere_is_refused(
    folder: Path, named_file: tuple[Path, str], guard: FileGuard
) -> None:
    target, name = named_file
    path = folder / "own.ome.tif"
    path.write_bytes(
        ome_tiff(PLANES, elsewhere=name).replace(b'FileName="own">urn:uuid:1', b'FileName="two">urn:uuid:2')
    )
    with guard.guarding(target):
        for reader in (read_header, read_image):
            with pytest.raises(InvalidImage, match=r"OME-XML of own\.ome\.tif places no plane in this file, only in "):
                reader(path)


def test_the_guard_stops_what_tifffile_would_do(folder: Path, tmp_path: Path, guard: FileGuard) -> None:
    """Without this the tests above would prove nothing."""
    target = tmp_path / "secret.tif"
    tifffile.imwrite(target, PLANES, photometric="minisblack")
    path = folder / "own.ome.tif"
    path.write_bytes(ome_tiff(PLANES, elsewhere=str(target)))
    with pytest.raises(AssertionError, match="opened"), guard.guarding(target), tifffile.TiffFile(path) as tiff:
        assert tiff.series


def test_one_channel_of_a_set_is_one_channel() -> None:
    data = [f'<TiffData FirstC="{c}" IFD="0"><UUID FileName="w{c}.tif">urn:uuid:{c}</UUID></TiffData>' for c in (0, 1)]
    np.testing.assert_array_equal(read(xml(*data), PLANES[1:]), PLANES[1:])
    np.testing.assert_array_equal(read(xml(*data, uuid=""), PLANES[:1], "P1/W0.tif"), PLANES[:1])


@pytest.mark.parametrize("style", ["names", "master"])
def test_the_fields_of_a_plate_described_in_every_file(style: str, capfd: pytest.CaptureFixture[str]) -> None:
    """One image of the XML is this file's, as Micro-Manager and OMERO write it."""
    pixels = [
        f'<Image><Pixels DimensionOrder="XYCZT" {SIZES}>'
        f'<TiffData IFD="0" PlaneCount="2"><UUID FileName="{i}.tif">urn:uuid:{i}</UUID></TiffData></Pixels></Image>'
        for i in range(3)
    ]
    body = "".join(pixels) if style == "names" else '<BinaryOnly MetadataFile="0.tif" UUID="urn:uuid:0"/>'
    np.testing.assert_array_equal(read(f'<OME UUID="urn:uuid:1">{body}</OME>'), PLANES)
    assert capfd.readouterr() == ("", "")


def test_planes_are_put_in_the_order_of_their_channels() -> None:
    swapped = xml('<TiffData IFD="0" FirstC="1"/>', '<TiffData IFD="1" FirstC="0"/>')
    np.testing.assert_array_equal(read(swapped), PLANES[::-1])
    np.testing.assert_array_equal(read(xml("<TiffData/>")), PLANES)
    np.testing.assert_array_equal(read(xml('<TiffData NumPlanes="2"/>', order="XYTZC")), PLANES)


def test_a_page_belongs_to_one_image_only() -> None:
    with pytest.raises(InvalidImage, match=r"a\.ome\.tif gives the same page to several of its 3 images"):
        read(xml('<TiffData IFD="0" PlaneCount="2"/>', images=3))


@pytest.mark.parametrize(
    ("description", "words"),
    [
        (xml(), "places no plane in this file;"),
        ("<OME></OME>", "places no plane in this file;"),
        (xml('<TiffData PlaneCount="1000000000"/>'), "places 1000000000 planes from page 0 on; the file has 2 pages"),
        (xml("<TiffData/>", sizes=SIZES.replace('C="2"', 'C="1000000000"')), "describes 1000000000 × 1 × 1 planes"),
        (xml("<TiffData/>", sizes=SIZES.replace('C="2"', 'C="3"')), "describes 3 × 1 × 1 planes .* has 2 of them"),
        (xml('<TiffData PlaneCount="2"/>', sizes=SIZES.replace('C="2"', 'C="1"')), "places 2 planes from number 0"),
        (xml('<TiffData IFD="7"/>', '<TiffData IFD="0"/>'), "places 1 planes from page 7 on; the file has 2 pages"),
        (xml('<TiffData IFD="0" FirstC="9"/>'), "places a plane at C 9"),
        (xml('<TiffData IFD="0"/>', '<TiffData IFD="1"/>'), "places plane 0 or page 1 twice"),
        (xml('<TiffData IFD="0"/>', '<TiffData IFD="0" FirstC="1"/>'), "places plane 1 or page 0 twice"),
        (xml("<TiffData/>", sizes=SIZES.replace('C="2"', 'C="many"')), "has the SizeC 'many'"),
        (xml("<TiffData/>", sizes=SIZES.replace('C="2"', 'C="-2"')), "has the SizeC '-2'"),
        (xml("<TiffData/>", sizes=SIZES.replace('C="2"', 'C="0"')), "describes 0 × 1 × 1 planes"),
        (xml("<TiffData/>", sizes=SIZES.replace('C="2"', f'C="{"9" * 5000}"')), "has the SizeC '9"),
        (xml("<TiffData/>", order="XYCZ"), "has the DimensionOrder 'XYCZ'"),
        (xml("<TiffData/>", sizes=SIZES.replace('X="50"', 'X="51"')), "states 40×51 pixels but the page has 40×50"),
        ("<OME><Image></OME>", "cannot be parsed"),
        ('<!DOCTYPE OME [<!ENTITY a "b">]>' + xml("<TiffData/>"), "has a DOCTYPE"),
    ],
)  # fmt: skip
def test_xml_that_contradicts_itself_or_the_file_is_refused(description: str, words: str) -> None:
    with pytest.raises(InvalidImage, match=rf"OME-XML of a\.ome\.tif {words}"):
        read(description)


def test_more_xml_than_any_plate_needs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gandl_shared.imaging.tiff.ome.MAX_CHARACTERS", 100)
    with pytest.raises(InvalidImage, match="gandl reads at most 100"):
        read(xml("<TiffData/>"))


@pytest.mark.parametrize("axis", "ZT")
def test_depths_and_times_stay_refused(axis: str) -> None:
    sizes = SIZES.replace('C="2"', 'C="1"').replace(f'{axis}="1"', f'{axis}="2"')
    with pytest.raises(UnsupportedType, match=rf"a\.ome\.tif has axes {axis}YX"):
        read(xml("<TiffData/>", sizes=sizes))


@pytest.mark.parametrize("axes", ["CYX", "QYX", "HYX"])
def test_what_tifffile_writes_as_ome_is_read_as_it_was(tmp_path: Path, axes: str) -> None:
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(path, PLANES, photometric="minisblack", metadata={"axes": axes})
    np.testing.assert_array_equal(read_image(path), PLANES)


def micro_manager(rows: list[tuple[int, int, int, int]], magic: int = 54773648, index: int = 3453623) -> bytes:
    """A stack as Micro-Manager writes it; `rows` are channel, slice, frame and position, one for each of two pages."""
    height, width = PLANES.shape[1:]
    start, size, length = 16 + PLANES.nbytes, PLANES[0].nbytes, 2 + 10 * 12 + 4
    data, addresses = b"", [start, start + length]
    for i, following in enumerate((addresses[1], 0)):
        tags = [(256, width), (257, height), (258, 16), (259, 1), (262, 1), (273, 16 + i * size), (277, 1)]
        tags += [(278, height), (279, size)]
        entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
        entries += struct.pack("<HHII", 51123, 2, 8, 16)  # its own metadata, whatever they say
        data += struct.pack("<H", len(tags) + 1) + entries + struct.pack("<I", following)
    table = b"".join(struct.pack("<5I", *row, address) for row, address in zip(rows, addresses, strict=False))
    head = struct.pack("<2sHIII", b"II", 42, start, magic, start + len(data))
    return head + PLANES.tobytes() + data + struct.pack("<II", index, len(rows)) + table


def test_a_micro_manager_stack_reads_no_other_file_of_its_set(
    tmp_path: Path, guard: FileGuard, capfd: pytest.CaptureFixture[str]
) -> None:
    own, other = tmp_path / "set_MMStack_1.ome.tif", tmp_path / "set_MMStack_2.ome.tif"
    own.write_bytes(micro_manager([(1, 0, 0, 3), (0, 0, 0, 3)]))
    shutil.copy(own, other)
    with guard.guarding(other):
        assert read_header(own).channels == 2
        np.testing.assert_array_equal(read_image(own), PLANES[::-1])
    assert capfd.readouterr() == ("", "")


def test_depths_and_times_of_micro_manager_are_refused_and_a_position_must_be_named() -> None:
    for second, words in (((0, 1, 0, 0), "axes ZYX"), ((0, 0, 1, 0), "axes TYX"), ((0, 0, 0, 1), "holds 2 images")):
        with pytest.raises((UnsupportedType, InvalidImage), match=words):
            decode(micro_manager([(0, 0, 0, 0), second]), "a.tif")
    positions = micro_manager([(0, 0, 0, 1), (0, 0, 0, 0)])
    np.testing.assert_array_equal(decode(positions, "a.tif#image=1"), PLANES[1:])
    np.testing.assert_array_equal(decode(positions, "a.tif#image=2"), PLANES[:1])


def test_an_index_that_does_not_fit_is_refused() -> None:
    for content in (micro_manager([(0, 0, 0, 0)] * 2), micro_manager([(0, 0, 0, 0)]), micro_manager([], index=1)):
        with pytest.raises(InvalidImage, match=r"Micro-Manager stack"):
            decode(content, "a.tif")


def test_an_ndtiff_stack_is_not_read_by_the_index_beside_it(tmp_path: Path, guard: FileGuard) -> None:
    path, index = tmp_path / "a.tif", tmp_path / "NDTiff.index"
    path.write_bytes(micro_manager([], magic=483729))
    index.write_bytes(b"")
    with guard.guarding(index), pytest.raises(UnsupportedType, match=r"a\.tif is an NDTiff stack"):
        read_image(path)


def test_a_fifo_in_place_of_an_image_is_refused(tmp_path: Path) -> None:
    fifo = tmp_path / "a.tif"
    os.mkfifo(fifo)
    for reader in (read_header, read_image):
        with pytest.raises(InvalidImage, match=r"a\.tif cannot be opened: it is a folder, a FIFO or a device"):
            reader(fifo)


def test_a_device_a_folder_and_a_descriptor_are_refused(tmp_path: Path) -> None:
    (tmp_path / "own.tif").write_bytes(ome_tiff(PLANES))
    (tmp_path / "null.tif").symlink_to("/dev/zero")
    (tmp_path / "folder.tif").mkdir()
    with (tmp_path / "own.tif").open("rb") as file:
        (tmp_path / "fd.tif").symlink_to(f"/proc/self/fd/{file.fileno()}")
        (tmp_path / "far.tif").symlink_to("fd.tif")
        direct = Path(f"/proc/self/fd/{file.fileno()}")
        for path in (*(tmp_path / f"{n}.tif" for n in ("null", "folder", "fd", "far")), direct, Path("/dev/stdin")):
            with pytest.raises(
                InvalidImage, match="cannot be opened: it (leads into /proc|is a folder, a FIFO or a de)"
            ):
                read_image(path)
    np.testing.assert_array_equal(read_image(tmp_path / "own.tif"), PLANES)


def test_links_to_images_are_followed_and_circles_end(tmp_path: Path) -> None:
    (tmp_path / "own.tif").write_bytes(ome_tiff(PLANES))
    (tmp_path / "link.tif").symlink_to("own.tif")
    (tmp_path / "a.tif").symlink_to("b.tif")
    (tmp_path / "b.tif").symlink_to("a.tif")
    np.testing.assert_array_equal(read_image(tmp_path / "link.tif"), PLANES)
    with pytest.raises(BadInput, match=r"a\.tif cannot be opened"):
        read_image(tmp_path / "a.tif")


def test_a_plate_map_names_files_inside_the_images_folder_only(
    folder: Path, named_file: tuple[Path, str], guard: FileGuard
) -> None:
    """By its own name and through a link."""
    target, name = named_file
    (folder / "link.tif").symlink_to(name)
    with guard.guarding(target):
        for path in (name, "link.tif"):
            rows = f"P1,A01,mock,{path}\nP1,A02,viral,{path}\n"
            wells = parse_plate_map(f"plate,well,role,channel_1\n{rows}", source="map.csv")
            with pytest.raises(Invalid, match="is outside the images folder"):
                find_sites(folder, wells)


def test_a_request_names_files_inside_the_root_only(
    folder: Path, named_file: tuple[Path, str], guard: FileGuard
) -> None:
    target, name = named_file
    (folder / "link.csv").symlink_to(name)
    os.mkfifo(folder / "fifo.csv")
    with guard.guarding(target):
        for path in (name, "link.csv"):
            with pytest.raises(Forbidden, match="is outside"):
                resolve_file(folder, path)
        with pytest.raises(NotFound, match=r"fifo\.csv"):
            resolve_file(folder, "fifo.csv")
