"""The OME-XML of a TIFF file: which page of this file is which plane. Text in, page numbers out; no file is opened.

The XML may describe a set of files (`UUID FileName`), or refer to the description in another file (`BinaryOnly`). Other
files are never read, and their planes are never replaced by zeros: the result contains only planes of this file.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from gandl_shared.errors import InvalidImage

MAX_CHARACTERS = 2**24
"""The longest OME-XML that is parsed, in characters; ten thousand planes take about a fifth."""

_AXES = "CZT"
_STEPS = {"Start": "", "End": "", "Step": "1"}


@dataclass(frozen=True, kw_only=True)
class OwnPlanes:
    """The numbers of the pages of this file, the slowest axis first.

    `axes` are those of T, Z, C and Q that are longer than one, and `shape` are their lengths. `height` and `width` of a
    page are those of the XML, and `names` are those of the channels of the pages, empty where the XML gives none.
    """

    axes: str
    shape: tuple[int, ...]
    pages: tuple[int, ...]
    height: int
    width: int
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class TiffPages:
    """The file that an XML describes: its name, its number of pages, and the number of channels per page."""

    name: str
    count: int
    samples: int = 1


@dataclass(frozen=True, kw_only=True)
class _Image:
    """One image of the XML.

    `sizes` are the lengths of its axes, the fastest first; `pages` maps planes to pages of this file; `other` is the
    name of another file with further planes.
    """

    sizes: Mapping[str, int]
    pages: Mapping[int, int]
    other: str | None
    pixels: Element


def own_images(xml: str, file: TiffPages) -> tuple[OwnPlanes, ...] | None:
    """Return the planes of each image in `file`, or None if another file describes them (`BinaryOnly`).

    Images of which this file has no plane are left out. Raises InvalidImage if the XML cannot be parsed, contradicts
    itself or the file, or has no plane in this file.
    """
    root = _parsed(xml, file.name)
    elements = [(image, pixels) for image in _children(root, "Image") for pixels in _children(image, "Pixels")]
    if not elements and next(_children(root, "BinaryOnly"), None) is not None:
        return None
    images = [(element, _image(pixels, root.get("UUID"), file)) for element, pixels in elements]
    own = [(element, image) for element, image in images if image.pages]
    if not own:
        raise _wrong(file.name, f"places no plane in this file{_elsewhere(image for _, image in images)}")
    pages = [page for _, image in own for page in image.pages.values()]
    if len(set(pages)) < len(pages):
        raise _wrong(file.name, f"gives the same page to several of its {len(own)} images")
    return tuple(_ordered(image, file, _modulo(root, element)) for element, image in own)


def _parsed(xml: str, name: str) -> Element:
    if len(xml) > MAX_CHARACTERS:
        raise _wrong(name, f"has {len(xml)} characters; gandl reads at most {MAX_CHARACTERS}")
    # A DOCTYPE can define short names for long texts, so that a small file fills the memory.
    if "<!DOCTYPE" in xml:
        raise _wrong(name, "has a DOCTYPE, which gandl does not read")
    try:
        return ElementTree.fromstring(xml)
    except (ElementTree.ParseError, ValueError) as error:
        raise _wrong(name, f"cannot be parsed ({error})") from error


def _image(pixels: Element, uuid: str | None, file: TiffPages) -> _Image:
    sizes = _sizes(pixels, file)
    pages: dict[int, int] = {}
    used: set[int] = set()
    other = None
    for data in _children(pixels, "TiffData"):
        if _is_own(data, uuid, file.name):
            _add_planes(_planes_of(data, sizes, file), pages, used, file.name)
        else:
            other = next((u.get("FileName") for u in _children(data, "UUID")), None) or "unnamed"
    image = _Image(sizes=sizes, pages=pages, other=other, pixels=pixels)
    # If no other file has the missing planes, they were lost, for instance because an export was stopped.
    if pages and other is None and len(pages) != math.prod(sizes.values()):
        raise _wrong(file.name, f"describes {_describe(sizes)} but has {len(pages)} of them in the file")
    return image


def _sizes(pixels: Element, file: TiffPages) -> dict[str, int]:
    """Return the lengths of C, Z and T in pages, the fastest axis first."""
    order = pixels.get("DimensionOrder", "")[2:]
    if sorted(order) != sorted(_AXES):
        raise _wrong(file.name, f"has the DimensionOrder '{pixels.get('DimensionOrder', '')[:20]}'")
    sizes = {axis: _number(pixels, f"Size{axis}", file.name) for axis in order}
    if min(sizes.values()) < 1 or sizes["C"] % file.samples:
        raise _wrong(file.name, f"describes {_describe(sizes)}, with {file.samples} channels per page")
    # A page may hold several channels, but TiffData counts pages.
    sizes["C"] //= file.samples
    return sizes


def _is_own(data: Element, uuid: str | None, name: str) -> bool:
    """Return True for planes of this file: those without UUID, and those with the UUID or the name of this file."""
    reference = next(_children(data, "UUID"), None)
    if reference is None:
        return True
    # Some file systems change the case of names, so a difference in case does not make it another file.
    same = uuid is not None and (reference.text or "").strip() == uuid.strip()
    return same or reference.get("FileName", "").lower() == name.lower()


def _planes_of(data: Element, sizes: Mapping[str, int], file: TiffPages) -> Iterator[tuple[int, int]]:
    """Return (plane, page) of one TiffData element. Raises InvalidImage if its numbers do not fit the file."""
    page, total = _number(data, "IFD", file.name, 0), math.prod(sizes.values())
    plane = _first_plane(data, sizes, file.name)
    # By the OME schema, an element with IFD places one plane and one without it places all that remain.
    # Older versions of the schema call the number of planes NumPlanes.
    rest = 1 if "IFD" in data.attrib else min(file.count - page, total - plane)
    count = _number(data, "PlaneCount", file.name, _number(data, "NumPlanes", file.name, rest))
    if page + count > file.count:
        raise _wrong(file.name, f"places {count} planes from page {page} on; the file has {file.count} pages")
    if plane + count > total:
        raise _wrong(file.name, f"places {count} planes from number {plane} on; it describes {_describe(sizes)}")
    return zip(range(plane, plane + count), range(page, page + count), strict=True)


def _first_plane(data: Element, sizes: Mapping[str, int], name: str) -> int:
    plane = 0
    for axis, size in reversed(list(sizes.items())):
        first = _number(data, f"First{axis}", name, 0)
        if first >= size:
            raise _wrong(name, f"places a plane at {axis} {first}; it describes {_describe(sizes)}")
        plane = plane * size + first
    return plane


def _add_planes(planes: Iterator[tuple[int, int]], pages: dict[int, int], used: set[int], name: str) -> None:
    for plane, page in planes:
        if plane in pages or page in used:
            raise _wrong(name, f"places plane {plane} or page {page} twice")
        pages[plane] = page
        used.add(page)


def _modulo(root: Element, image: Element) -> dict[str, int]:
    """Return the lengths of further dimensions (phase, lifetime, other) that are stored along an axis of the image."""
    names = {reference.get("ID") for reference in _children(image, "AnnotationRef")}
    annotations = (a for group in _children(root, "StructuredAnnotations") for a in group if a.get("ID") in names)
    along = (element for annotation in annotations for element in annotation.iter() if "ModuloAlong" in element.tag)
    return {element.tag[-1]: _modulo_length(element) for element in along}


def _modulo_length(along: Element) -> int:
    """Return the number of labels, or of steps from start to end, or 0 if these are not numbers."""
    if "Start" not in along.attrib:
        return sum(1 for _ in _children(along, "Label"))
    try:
        start, end, step = (float(along.get(key, default)) for key, default in _STEPS.items())
        return round((end - start) / step) + 1
    except (ValueError, ArithmeticError):
        return 0


def _ordered(image: _Image, file: TiffPages, modulo: Mapping[str, int]) -> OwnPlanes:
    """Return the planes by their numbers, which is the order of the axes. Together they must fill a block.

    An axis that is another dimension along its whole length is no longer a time or a depth; it is called Q, as in
    tifffile.
    """
    lengths: dict[str, int] = {}
    step = 1
    for axis, size in image.sizes.items():
        lengths[axis] = len({plane // step % size for plane in image.pages})
        step *= size
    # Planes with gaps between them cannot become an array, and a guess could exchange channels.
    if math.prod(lengths.values()) != len(image.pages):
        raise _wrong(
            file.name,
            f"places {len(image.pages)} planes in the file, which do not fill a block of {_describe(lengths)}",
        )
    long = [(axis, length) for axis, length in reversed(lengths.items()) if length > 1]
    axes = "".join("Q" if modulo.get(axis) == length else axis for axis, length in long)
    pages = tuple(page for _, page in sorted(image.pages.items()))
    height, width = (_number(image.pixels, f"Size{axis}", file.name) for axis in "YX")
    shape = tuple(length for _, length in long)
    names = _names(image)
    return OwnPlanes(axes=axes, shape=shape, pages=pages, height=height, width=width, names=names)


def _names(image: _Image) -> tuple[str, ...]:
    """Return the name or the dye of the channel of each page, in the order of the planes."""
    named = [channel.get("Name") or channel.get("Fluor") or "" for channel in _children(image.pixels, "Channel")]
    # A page may hold several channels, and an XML may leave channels out; then the names say nothing about pages.
    if len(named) != image.sizes["C"]:
        return ()
    faster = list(image.sizes)[: list(image.sizes).index("C")]
    step = math.prod(image.sizes[axis] for axis in faster)
    return tuple(named[plane // step % len(named)] for plane in sorted(image.pages))


def _children(element: Element, tag: str) -> Iterator[Element]:
    """Return the children of this name in any version of the OME schema."""
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
        raise _wrong(name, f"has the {attribute} '{(text or '')[:20]}' which is not a number")
    return value


def _describe(sizes: Mapping[str, int]) -> str:
    return f"{sizes['C']} × {sizes['Z']} × {sizes['T']} planes (C × Z × T)"


def _elsewhere(images: Iterable[_Image]) -> str:
    other = next((image.other for image in images if image.other), None)
    return f", only in '{other[:100]}'" if other else ""


def _wrong(name: str, problem: str) -> InvalidImage:
    return InvalidImage(f"the OME-XML of {name} {problem}; export the image again, complete and in one file")
