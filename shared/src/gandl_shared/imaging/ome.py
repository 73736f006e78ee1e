"""OME-XML of a TIFF: which pages of this very file are which planes. Text in, page numbers out; no file is opened.

The XML may describe a set of files (`UUID FileName`) or leave its description to another (`BinaryOnly`). Other files
are never read and their planes never made up: what comes back are the planes that lie in this file.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from gandl_shared.errors import InvalidImage

MAX_CHARACTERS = 2**24
"""Most characters of OME-XML that are parsed; a plate of ten thousand planes takes about a fifth."""

_AXES = "CZT"
_STEPS = {"Start": "", "End": "", "Step": "1"}


@dataclass(frozen=True)
class OwnPlanes:
    """Pages of this file by number, slowest axis first: `axes` (of T, Z, C and Q, those longer than one) has `shape`.

    `height` and `width` are the XML's, of every page.
    """

    axes: str
    shape: tuple[int, ...]
    pages: tuple[int, ...]
    height: int
    width: int


@dataclass(frozen=True)
class TiffPages:
    """The file that an XML is about: its name, how many pages it has and how many channels each page has."""

    name: str
    count: int
    samples: int = 1


@dataclass(frozen=True)
class _Image:
    """One image of the XML: sizes of its axes, fastest first, its own planes (number → page), a file named besides."""

    sizes: Mapping[str, int]
    pages: Mapping[int, int]
    other: str | None
    pixels: Element


def own_planes(xml: str, file: TiffPages) -> OwnPlanes | None:
    """The planes of the one image that `file` holds; None where another file describes it (`BinaryOnly`).

    Raises InvalidImage where the XML cannot be parsed or contradicts itself or the file, places no plane in it, or
    places several images in it.
    """
    root = _parsed(xml, file.name)
    elements = [(image, pixels) for image in _children(root, "Image") for pixels in _children(image, "Pixels")]
    if not elements and next(_children(root, "BinaryOnly"), None) is not None:
        return None
    images = [(element, _image(pixels, root.get("UUID"), file)) for element, pixels in elements]
    own = [(element, image) for element, image in images if image.pages]
    if not own:
        raise _wrong(file.name, f"places no plane in this file{_elsewhere(image for _, image in images)}")
    if len(own) > 1:
        raise InvalidImage(f"{file.name} holds {len(own)} images; give one file an image (a field of view)")
    element, image = own[0]
    return _ordered(image, file, _modulo(root, element))


def _parsed(xml: str, name: str) -> Element:
    if len(xml) > MAX_CHARACTERS:
        raise _wrong(name, f"has {len(xml)} characters; at most {MAX_CHARACTERS} are read")
    if "<!DOCTYPE" in xml:
        raise _wrong(name, "has a DOCTYPE, which is not read")
    try:
        return ElementTree.fromstring(xml)
    except (ElementTree.ParseError, ValueError) as error:
        raise _wrong(name, f"cannot be parsed ({error})") from error


def _image(pixels: Element, uuid: str | None, file: TiffPages) -> _Image:
    sizes = _sizes(pixels, file)
    pages: dict[int, int] = {}
    taken: set[int] = set()
    other = None
    for data in _children(pixels, "TiffData"):
        if _is_own(data, uuid, file.name):
            _place(_run(data, sizes, file), pages, taken, file.name)
        else:
            other = next((u.get("FileName") for u in _children(data, "UUID")), None) or "unnamed"
    image = _Image(sizes, pages, other, pixels)
    if pages and other is None and len(pages) != math.prod(sizes.values()):
        raise _wrong(file.name, f"describes {_shown(sizes)} but has {len(pages)} of them in the file")
    return image


def _sizes(pixels: Element, file: TiffPages) -> dict[str, int]:
    """Lengths of C, Z and T, the fastest axis first; C in pages."""
    order = pixels.get("DimensionOrder", "")[2:]
    if sorted(order) != sorted(_AXES):
        raise _wrong(file.name, f"has the DimensionOrder '{pixels.get('DimensionOrder', '')[:20]}'")
    sizes = {axis: _number(pixels, f"Size{axis}", file.name) for axis in order}
    if min(sizes.values()) < 1 or sizes["C"] % file.samples:
        raise _wrong(file.name, f"describes {_shown(sizes)}, with {file.samples} channels a page")
    sizes["C"] //= file.samples
    return sizes


def _is_own(data: Element, uuid: str | None, name: str) -> bool:
    """Planes without UUID are this file's; with one, those of its own UUID or its own name."""
    reference = next(_children(data, "UUID"), None)
    if reference is None:
        return True
    same = uuid is not None and (reference.text or "").strip() == uuid.strip()
    return same or reference.get("FileName", "").lower() == name.lower()


def _run(data: Element, sizes: Mapping[str, int], file: TiffPages) -> Iterator[tuple[int, int]]:
    """(plane, page) of one TiffData, after its numbers are compared with those of the file."""
    page, total = _number(data, "IFD", file.name, 0), math.prod(sizes.values())
    plane = _first_plane(data, sizes, file.name)
    rest = 1 if "IFD" in data.attrib else min(file.count - page, total - plane)
    count = _number(data, "PlaneCount", file.name, _number(data, "NumPlanes", file.name, rest))
    if page + count > file.count:
        raise _wrong(file.name, f"places {count} planes from page {page} on; the file has {file.count} pages")
    if plane + count > total:
        raise _wrong(file.name, f"places {count} planes from number {plane} on; it describes {_shown(sizes)}")
    return zip(range(plane, plane + count), range(page, page + count), strict=True)


def _first_plane(data: Element, sizes: Mapping[str, int], name: str) -> int:
    plane = 0
    for axis, size in reversed(list(sizes.items())):
        first = _number(data, f"First{axis}", name, 0)
        if first >= size:
            raise _wrong(name, f"places a plane at {axis} {first}; it describes {_shown(sizes)}")
        plane = plane * size + first
    return plane


def _place(run: Iterator[tuple[int, int]], pages: dict[int, int], taken: set[int], name: str) -> None:
    for plane, page in run:
        if plane in pages or page in taken:
            raise _wrong(name, f"places plane {plane} or page {page} twice")
        pages[plane] = page
        taken.add(page)


def _modulo(root: Element, image: Element) -> dict[str, int]:
    """Lengths of the further dimensions (phase, lifetime, other) that are stored along an axis of the image."""
    names = {reference.get("ID") for reference in _children(image, "AnnotationRef")}
    annotations = (a for group in _children(root, "StructuredAnnotations") for a in group if a.get("ID") in names)
    along = (element for annotation in annotations for element in annotation.iter() if "ModuloAlong" in element.tag)
    return {element.tag[-1]: _modulo_length(element) for element in along}


def _modulo_length(along: Element) -> int:
    """Number of labels, or of steps from start to end; 0 where these are no such numbers."""
    if "Start" not in along.attrib:
        return sum(1 for _ in _children(along, "Label"))
    try:
        start, end, step = (float(along.get(key, default)) for key, default in _STEPS.items())
        return round((end - start) / step) + 1
    except (ValueError, ArithmeticError):
        return 0


def _ordered(image: _Image, file: TiffPages, modulo: Mapping[str, int]) -> OwnPlanes:
    """Planes by number, which is the order of the axes; together they must fill a block.

    An axis all of whose places are another dimension is no longer a time or a depth, and called Q as tifffile does.
    """
    lengths: dict[str, int] = {}
    step = 1
    for axis, size in image.sizes.items():
        lengths[axis] = len({plane // step % size for plane in image.pages})
        step *= size
    if math.prod(lengths.values()) != len(image.pages):
        raise _wrong(file.name, f"places {len(image.pages)} planes in the file that are no block of {_shown(lengths)}")
    long = [(axis, length) for axis, length in reversed(lengths.items()) if length > 1]
    axes = "".join("Q" if modulo.get(axis) == length else axis for axis, length in long)
    pages = tuple(page for _, page in sorted(image.pages.items()))
    height, width = (_number(image.pixels, f"Size{axis}", file.name) for axis in "YX")
    return OwnPlanes(axes, tuple(length for _, length in long), pages, height, width)


def _children(element: Element, tag: str) -> Iterator[Element]:
    """Those of that name in any version of the OME schema."""
    return (child for child in element if child.tag.rsplit("}", 1)[-1] == tag)


def _number(element: Element, attribute: str, name: str, default: int | None = None) -> int:
    text = element.get(attribute)
    if text is None and default is not None:
        return default
    try:
        value = int(text or "")
    except ValueError:
        value = -1
    if value < 0:
        raise _wrong(name, f"has the {attribute} '{(text or '')[:20]}' where a number belongs")
    return value


def _shown(sizes: Mapping[str, int]) -> str:
    return f"{sizes['C']} × {sizes['Z']} × {sizes['T']} planes (C × Z × T)"


def _elsewhere(images: Iterable[_Image]) -> str:
    other = next((image.other for image in images if image.other), None)
    return f", only in '{other[:100]}'" if other else ""


def _wrong(name: str, problem: str) -> InvalidImage:
    return InvalidImage(f"the OME-XML of {name} {problem}; export the image again, complete and in one file")
