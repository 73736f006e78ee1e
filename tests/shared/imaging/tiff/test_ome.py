"""The OME-XML of a file: which page is which plane."""

from __future__ import annotations

import pytest
from gandl_shared.errors import InvalidImage
from gandl_shared.imaging.tiff.ome import OwnPlanes, TiffPages, own_images


def xml(data: str, *, order: str = "XYCZT", c: int = 2, z: int = 1, t: int = 1) -> str:
    sizes = f'SizeX="5" SizeY="4" SizeC="{c}" SizeZ="{z}" SizeT="{t}"'
    pixels = f'<Pixels DimensionOrder="{order}" Type="uint16" {sizes}>{data}</Pixels>'
    namespace = 'xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"'
    return f'<OME {namespace} UUID="urn:uuid:1"><Image>{pixels}</Image></OME>'


def only_image(text: str, file: TiffPages) -> OwnPlanes:
    images = own_images(text, file)
    assert images is not None
    (image,) = images
    return image


def test_one_element_without_numbers_is_the_whole_file_in_order() -> None:
    planes = only_image(xml("<TiffData/>", c=3), TiffPages("a.ome.tif", 3))
    assert (planes.axes, planes.shape, planes.pages, planes.height, planes.width) == ("C", (3,), (0, 1, 2), 4, 5)


@pytest.mark.parametrize(
    ("order", "axes", "shape", "pages"),
    [("XYCZT", "ZC", (3, 2), (0, 1, 2, 3, 4, 5)), ("XYZCT", "CZ", (2, 3), (0, 1, 2, 3, 4, 5))],
)
def test_the_dimension_order_names_the_axes(
    order: str, axes: str, shape: tuple[int, ...], pages: tuple[int, ...]
) -> None:
    planes = only_image(xml("<TiffData/>", order=order, c=2, z=3), TiffPages("a.ome.tif", 6))
    assert (planes.axes, planes.shape, planes.pages) == (axes, shape, pages)


def test_planes_may_be_in_any_order_of_the_pages() -> None:
    data = '<TiffData IFD="1" FirstC="0" PlaneCount="1"/><TiffData IFD="0" FirstC="1" PlaneCount="1"/>'
    planes = only_image(xml(data), TiffPages("a.ome.tif", 2))
    assert planes.pages == (1, 0)


def test_planes_of_another_file_are_left_out() -> None:
    own = '<TiffData IFD="0" FirstC="0" PlaneCount="1"><UUID>urn:uuid:1</UUID></TiffData>'
    other = '<TiffData IFD="0" FirstC="1" PlaneCount="1"><UUID FileName="b.ome.tif">urn:uuid:2</UUID></TiffData>'
    planes = only_image(xml(own + other), TiffPages("a.ome.tif", 1))
    assert (planes.axes, planes.pages) == ("", (0,))
    with pytest.raises(InvalidImage, match="places no plane in this file, only in 'b.ome.tif'"):
        own_images(xml(other), TiffPages("a.ome.tif", 1))


def test_a_description_in_another_file_is_none_of_this_one() -> None:
    assert own_images('<OME><BinaryOnly MetadataFile="b.ome"/></OME>', TiffPages("a.ome.tif", 1)) is None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ('<TiffData IFD="0" PlaneCount="3"/>', "places 3 planes from page 0 on; the file has 2 pages"),
        ('<TiffData IFD="0" FirstC="2" PlaneCount="1"/>', "places a plane at C 2"),
        ('<TiffData IFD="one"/>', "has the IFD 'one'"),
        ('<TiffData IFD="0" PlaneCount="1"/><TiffData IFD="0" FirstC="1" PlaneCount="1"/>', "twice"),
        ('<TiffData IFD="0" PlaneCount="1"/>', "but has 1 of them"),
    ],
)
def test_numbers_that_do_not_fit_the_file_are_refused(data: str, words: str) -> None:
    with pytest.raises(InvalidImage, match=words):
        own_images(xml(data), TiffPages("a.ome.tif", 2))
