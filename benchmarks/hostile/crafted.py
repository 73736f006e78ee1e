"""Files that are built to harm a reader: one function for each kind."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator, Sequence

import numpy as np
from gandl_shared.clients.wire import to_npy

from benchmarks.hostile.seeds import FIELD, tiff

Entry = tuple[int, int, int, int]
"""A tag of a classic TIFF: number, type, count, and value or address."""


def page(next_address: int, entries: Sequence[Entry]) -> bytes:
    """Return one directory of a classic TIFF."""
    packed = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return struct.pack("<H", len(entries)) + packed + struct.pack("<I", next_address)


def page_bytes(entries: Sequence[Entry]) -> int:
    """Return the length of a directory."""
    return 2 + 12 * len(entries) + 4


def square(edge: int, address: int, length: int, compression: int = 1) -> list[Entry]:
    """Return the tags of a page of edge × edge pixels of 16 bit in one strip."""
    return [
        (256, 4, 1, edge),
        (257, 4, 1, edge),
        (258, 3, 1, 16),
        (259, 3, 1, compression),
        (262, 3, 1, 1),
        (273, 4, 1, address),
        (277, 3, 1, 1),
        (278, 4, 1, edge),
        (279, 4, 1, length),
    ]


HEAD = struct.pack("<2sHI", b"II", 42, 8)


def chain(count: int, target: int | None = None, edge: int = 16) -> bytes:
    """Return a TIFF of `count` pages that share their pixels; the last page leads back to page `target`."""
    length = page_bytes(square(edge, 0, 0))
    start = 8 + count * length
    pages = []
    for number in range(count):
        following = 8 + (number + 1) * length if number < count - 1 else 0
        if number == count - 1 and target is not None:
            following = 8 + target * length
        pages.append(page(following, square(edge, start, edge * edge * 2)))
    return HEAD + b"".join(pages) + bytes(edge * edge * 2)


def one_page(extra: Sequence[Entry], changes: Sequence[Entry] = (), tail: bytes = b"") -> bytes:
    """Return a TIFF of one page with further tags, or other values of its tags."""
    entries = square(64, 0, 8192)
    numbers = {entry[0] for entry in (*extra, *changes)}
    entries = [entry for entry in entries if entry[0] not in numbers] + list(extra) + list(changes)
    start = 8 + page_bytes(entries)
    entries = [(273, 4, 1, start) if entry[0] == 273 and 273 not in numbers else entry for entry in entries]
    return HEAD + page(0, entries) + bytes(8192) + tail


def described(text: str) -> bytes:
    """Return a TIFF of two planes whose first page has this description."""
    return tiff(FIELD, description=text, metadata=None)


def ome(sizes: str, data: str, images: int = 1, head: str = "") -> bytes:
    """Return a TIFF of two planes with an OME-XML."""
    pixels = f'<Image><Pixels DimensionOrder="XYCZT" {sizes}>{data}</Pixels></Image>'
    return described(f'{head}<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">{pixels * images}</OME>')


def hostile_tiffs() -> Iterator[tuple[str, bytes]]:
    """Yield TIFFs by kind."""
    size = 'SizeX="64" SizeY="64" '
    yield from (("directory circle", chain(count, target)) for count, target in ((1, 0), (2, 0), (5, 3), (300, 7)))
    yield from ((f"{count} tiny pages", chain(count)) for count in (3, 2000, 20000, 40000))
    yield "head only", HEAD
    yield "four bytes", HEAD[:4]
    yield "eight bytes of BigTIFF", b"II+\0\x08\0\0\0"
    yield "first page outside", struct.pack("<2sHI", b"II", 42, 2**31)
    yield "no tags", HEAD + page(0, [])
    for edge in (0, 1, 2**16, 2**31 - 1, 2**32 - 1):
        yield f"edge {edge}", one_page([], [(256, 4, 1, edge), (257, 4, 1, edge)])
    yield "deflate bomb", _deflate_bomb(2**14)
    yield "no strips", one_page([], [(273, 4, 0, 0), (279, 4, 0, 0)])
    yield "strip without bytes", one_page([], [(279, 4, 1, 0)])
    yield "rows per strip 0", one_page([], [(278, 4, 1, 0)])
    yield "too few strips", one_page([], [(278, 4, 1, 1)])
    yield "short strip", one_page([], [(279, 4, 1, 100)])
    for bits in (0, 1, 3, 31, 64, 255, 65535):
        yield f"{bits} bits", one_page([], [(258, 3, 1, bits)])
    for samples in (0, 3, 1000, 65535):
        yield f"{samples} samples", one_page([], [(277, 3, 1, samples)])
    for compression in (2, 5, 6, 7, 8, 32773, 34712, 34887, 34925, 50000, 50001, 65000):
        yield f"compression {compression}", one_page([], [(259, 3, 1, compression)])
    for predictor in (2, 3, 34892, 9):
        yield f"predictor {predictor}", one_page([(317, 3, 1, predictor)])
    for photometric in (0, 3, 6, 32803, 65535):
        yield f"photometric {photometric}", one_page([], [(262, 3, 1, photometric)])
    for kind in (0, 2, 3, 4, 7, 12, 16, 255):
        yield f"description of type {kind} that claims gigabytes", one_page([(270, kind, 2**32 - 1, 8)])
    yield "tags that share bytes", _shared_tags(4000, 100_000)
    yield "sub-directories", one_page([(330, 4, 200_000, 8)], tail=bytes(800_000))
    yield "sub-directory circle", one_page([(330, 4, 1, 8)])
    yield "tile of no size", one_page([(322, 4, 1, 0), (323, 4, 1, 0), (324, 4, 1, 8), (325, 4, 1, 8192)])
    yield "huge tile", one_page([(322, 4, 1, 2**31), (323, 4, 1, 2**31), (324, 4, 1, 8), (325, 4, 1, 8192)])
    yield "depth", one_page([(32997, 4, 1, 2**31 - 1)])
    for tag in (33628, 33629, 33630, 33631, 34412, 34361, 37706, 50838, 50839, 51123, 34118, 34680, 65420, 65426):
        yield f"private tag {tag}", one_page([(tag, 4, 2000, 8)])
        yield f"short private tag {tag}", one_page([(tag, 7, 4, 2**32 - 1)])
    huge = "1000000000"
    for axis in "CZT":
        others = " ".join(f'Size{other}="1"' for other in "CZT" if other != axis)
        yield f"OME Size{axis}", ome(f'{size}{others} Size{axis}="{huge}"', "<TiffData/>")
    sizes = f'{size}SizeC="2" SizeZ="1" SizeT="1"'
    yield "OME PlaneCount", ome(sizes, f'<TiffData PlaneCount="{huge}"/>')
    yield "OME number of 100,000 digits", ome(sizes.replace('"2"', f'"{"9" * 100_000}"'), "<TiffData/>")
    yield "OME of many elements", ome(sizes, '<TiffData IFD="0"/>' * 50_000)
    yield "OME of many images", ome(sizes, '<TiffData IFD="0"/>', images=20_000)
    yield "OME other file", ome(sizes, '<TiffData><UUID FileName="other.tif">urn:uuid:1</UUID></TiffData>')
    yield "OME entities", ome(sizes, "<TiffData/>", head=f"<!DOCTYPE OME [{_entities()}]>")
    yield "OME depth", described("<OME>" + "<a>" * 100_000 + "</a>" * 100_000 + "</OME>")
    yield "OME attributes", described("<OME " + " ".join(f'a{i}="1"' for i in range(50_000)) + "/>")
    for text in (f"images={huge}", f"images={huge}\nchannels={huge}", "images=-1", "images=2\nchannels=0", "images=a"):
        yield "ImageJ counts", described(f"ImageJ=1.53t\n{text}\n")
    for shape in (f"[{huge}, 64, 64]", "[-1, 64, 64]", "[0]", f"[{', '.join(['1'] * 10_000)}]", '"a"', "[[[", "{}"):
        yield "shape", described('{"shape": ' + shape + "}")
    yield "JSON depth", described('{"shape": ' + "[" * 200_000)
    yield "ScanImage", described("state.configPath='a'\n" * 20_000)
    yield "SIS", described("SIS\0" * 1000)


def _deflate_bomb(edge: int) -> bytes:
    """Return a page of edge × edge zeros, which zlib makes a thousandth as large."""
    engine = zlib.compressobj(9)
    block = bytes(edge * 2)
    data = b"".join(engine.compress(block) for _ in range(edge)) + engine.flush()
    return HEAD + page(0, square(edge, 8 + page_bytes(square(0, 0, 0)), len(data), 8)) + data


def _shared_tags(pages: int, length: int) -> bytes:
    """Return pages whose descriptions are the same bytes."""
    one = page_bytes([*square(16, 0, 0), (270, 2, 1, 0)])
    start = 8 + pages * one
    directories = []
    for number in range(pages):
        following = 8 + (number + 1) * one if number < pages - 1 else 0
        directories.append(page(following, [*square(16, start, 512), (270, 2, length, start + 512)]))
    return HEAD + b"".join(directories) + bytes(512) + b"a" * (length - 1) + b"\0"


def _entities() -> str:
    names = [f'<!ENTITY a{i} "{f"&a{i - 1};" * 10 if i else "aaaaaaaaaa"}">' for i in range(10)]
    return "".join(names)


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG with a right checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(chunks: Sequence[bytes], *, edge: int = 64, bits: int = 8, colour: int = 0, lace: int = 0) -> bytes:
    """Return a PNG with its head and end around `chunks`."""
    head = struct.pack(">IIBBBBB", edge, edge, bits, colour, 0, 0, lace)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(chunks) + chunk(b"IEND", b"")


def hostile_pngs() -> Iterator[tuple[str, bytes]]:
    """Yield PNGs by kind."""
    rows = chunk(b"IDAT", zlib.compress(bytes(64 * 65)))
    bomb = zlib.compress(bytes(2**26), 9)
    yield "no pixels", png_of([])
    yield "short pixels", png_of([chunk(b"IDAT", zlib.compress(bytes(100)))])
    yield "pixels that are no deflate", png_of([chunk(b"IDAT", b"a" * 500)])
    yield "too many pixels", png_of([chunk(b"IDAT", bomb)])
    for edge in (0, 1, 16384, 2**31 - 1, 2**32 - 1):
        yield f"edge {edge}", png_of([rows], edge=edge)
    yield "channel bomb", png_of([chunk(b"IDAT", zlib.compress(bytes(8192 * 8193), 9))], edge=8192)
    for kind in (b"zTXt", b"iTXt", b"iCCP", b"tEXt", b"eXIf", b"gAMA", b"pHYs", b"tRNS", b"cHRM", b"sRGB", b"PLTE"):
        yield f"{kind.decode()} of no length", png_of([chunk(kind, b""), rows])
        yield f"{kind.decode()} of one byte", png_of([chunk(kind, b"a"), rows])
        yield f"{kind.decode()} bomb", png_of([chunk(kind, b"a\0\0" + bomb), rows])
        yield (
            f"{kind.decode()} ten thousand times",
            png_of([chunk(kind, b"a\0\0" + zlib.compress(b"a"))] * 10_000 + [rows]),
        )
    yield "animation", png_of([chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0)), rows])
    yield "frames", png_of([chunk(b"acTL", struct.pack(">II", 20_000, 0)), rows] + [_frame(i) for i in range(20_000)])
    for bits, colour in ((0, 0), (3, 0), (16, 3), (8, 3), (1, 3), (8, 2), (8, 7), (255, 255)):
        yield f"{bits} bits of colour {colour}", png_of([rows], bits=bits, colour=colour)
    for lace in (1, 2, 255):
        yield f"interlace {lace}", png_of([rows], lace=lace)
    yield "chunk that claims gigabytes", png_of([struct.pack(">I", 2**31 - 1) + b"IDAT" + b"a"])
    yield "unknown chunks", png_of([chunk(b"abCd", b"")] * 50_000 + [rows])
    yield "signature only", b"\x89PNG\r\n\x1a\n"


def _frame(number: int) -> bytes:
    return chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, 64, 64, 0, 0, 1, 1, 0, 0))


def hostile_arrays() -> Iterator[tuple[str, bytes]]:
    """Yield `.npy` bodies by kind."""
    shapes = ("(True, 2, 16, 16)", "(0, 2, 99999999999999999999, 16)", "(-1, 2, 16, 16)", "(1.0, 2, 16, 16)", "()")
    shapes += (
        f"({'1, ' * 300})",
        "(2**70, 2, 16, 16)",
        "(0, 2, 0, 0)",
        "('a',)",
        "None",
        "(1, 2, 16)",
        "(4096, 0, 16, 16)",
    )
    for shape in shapes:
        yield "shape", array_of(shape=shape)
    for kind in ("|O", "<M8", "|V9", "<U9999999", "|S0", "<f2", "<f8", "<c16", "?", ">i4", "a", "<u3", "(3,)<u2", ","):
        yield "type", array_of(kind=kind)
    yield "nested head", array_of(shape="(" * 9000)
    yield "long head", array_of(shape="(" + "1," * 4000 + ")")
    yield "operators", array_of(shape="(9**9**9,)")
    yield "two keys", array_of(extra="'descr': '|O', ")
    for version in (0, 3, 255):
        yield "version", b"\x93NUMPY" + bytes([version, 0]) + b"\x76\0" + b" " * 118
    yield "head that claims gigabytes", b"\x93NUMPY\x02\0" + struct.pack("<I", 2**32 - 1) + b"{" * 1000
    yield "no head", b"\x93NUMPY"
    yield "zip", b"PK\x03\x04" + bytes(500)
    yield "pickle", b"\x80\x04\x95" + bytes(500)
    yield "limits of floats", to_npy(np.full((1, 2, 64, 64), 3.4e38, np.float32))
    yield "not a number", to_npy(np.full((1, 2, 64, 64), np.nan, np.float32))
    yield "one row", to_npy(np.zeros((1, 2, 1, 10**6), np.uint16))
    yield "many small fields", to_npy(np.zeros((20_000, 2, 4, 4), np.uint16))
    yield "many empty fields", to_npy(np.zeros((10**6, 2, 0, 0), np.uint8))


def array_of(shape: str = "(1, 2, 16, 16)", kind: str = "|u1", extra: str = "") -> bytes:
    """Return an `.npy` of 512 bytes whose head says something else."""
    head = "{" + f"{extra}'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, " + "}"
    text = head.encode() + b" " * (-(len(head) + 11) % 64) + b"\n"
    buffer = io.BytesIO()
    buffer.write(b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text + bytes(512))
    return buffer.getvalue()
