"""Multipart forms: a right one around files, and those that are built to harm their reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.hostile.seeds import FIELD, tiff

BOUNDARY = "gandl-boundary"
MEDIA = f"multipart/form-data; boundary={BOUNDARY}"


def parts(files: Sequence[tuple[str, str, bytes]]) -> tuple[str, bytes]:
    """Return media type and body of a form of files (field, name, content)."""
    blocks = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'.encode() + content
        for field, name, content in files
    ]
    return MEDIA, b"\r\n".join([*blocks, f"--{BOUNDARY}--\r\n".encode()])


def hostile_forms() -> Iterator[tuple[str, str, bytes]]:
    """Yield kind, media type and body."""
    image = tiff(FIELD)
    _, right = parts([("image", "a.tif", image)])
    for charset in (
        "idna",
        "rot13",
        "zlib",
        "undefined",
        "hex",
        "utf-7",
        "utf-16",
        "unicode_escape",
        "punycode",
        "\xff",
    ):
        yield f"charset {charset}", f"{MEDIA}; charset={charset}", right
        yield f"name in {charset}", f"{MEDIA}; charset={charset}", right.replace(b'"a.tif"', b'"\xff\xfe\\x"')
    for boundary in ("", "a" * 5000, "-", '"', "other"):
        yield "boundary", f"multipart/form-data; boundary={boundary}", right
    yield "no boundary", "multipart/form-data", right
    yield "boundary twice", f"{MEDIA}; boundary=other", right
    yield "empty", MEDIA, b""
    yield "no end", MEDIA, right[:-20]
    yield "cut head", MEDIA, right[:60]
    dispositions = (
        "",
        "form-data",
        'form-data; name="',
        'form-data; filename="a"',
        "form-data; name*=utf-16''%ff%fe%",
        "form-data; name=\"image\"; filename*=idna''%ff",
        'attachment; name="image"',
    )
    for disposition in dispositions:
        yield "disposition", MEDIA, right.replace(b'form-data; name="image"; filename="a.tif"', disposition.encode())
    yield "header of a megabyte", MEDIA, right.replace(b"\r\n\r\n", b"\r\nX: " + b"a" * 2**20 + b"\r\n\r\n", 1)
    yield "thousands of headers", MEDIA, right.replace(b"\r\n\r\n", b"\r\nX: a" * 50_000 + b"\r\n\r\n", 1)
    yield "thousands of fields", MEDIA, parts([("image", "a.tif", b"")] * 20_000)[1]
    yield "thousands of texts", MEDIA, right.replace(b'; filename="a.tif"', b"") * 50
    yield "text of megabytes", MEDIA, right.replace(b'; filename="a.tif"', b"").replace(image, b"a" * 2**21)
    yield "two hundred small files", MEDIA, parts([("image", f"{i}.tif", b"II*\0") for i in range(200)])[1]
    for name in (
        "../../etc/passwd",
        "..",
        "",
        "a" * 100_000,
        "a\0b.tif",
        "con",
        "a.tif#image=2",
        "a#plane=/etc",
        "%2e%2e",
    ):
        yield "file name", MEDIA, parts([("image", name, image)])[1]
    yield "carriage returns", MEDIA, b"\r" * 2**21
    yield "line feeds", MEDIA, b"\n" * 2**21
    yield "dashes", MEDIA, b"-" * 2**21
    yield "boundary again and again", MEDIA, f"\r\n--{BOUNDARY}".encode() * 100_000
    yield "form of another kind", "application/x-www-form-urlencoded", b"image=" + b"%" * 10_000
    for media in ("multipart/form-data;" * 1000, "application/x-npy; a=" + "b" * 10_000, "/", "", "text/\xff"):
        yield "media type", media, right
