"""Images in plates: members of an archive or files of a folder, checked; a plate appears when it is whole."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gandl_shared.errors import BadInput, InvalidImage
from PIL import Image, UnidentifiedImageError

from gandl.fetch.data_set import megabytes
from gandl.fetch.parts.collection import Workplace

MIN_FREE_SHARE = 0.02
"""So much of a disk stays free, because file systems need room for their own records."""


@dataclass(frozen=True, kw_only=True)
class PlateImage:
    """An image of a published data set: the folder of its plate below the images folder, and its name in it."""

    folder: str
    name: str
    size: int
    copy_to: Callable[[Path], None]

    @property
    def path(self) -> str:
        """The path below the images folder."""
        return f"{self.folder}/{self.name}"


def members(archive: zipfile.ZipFile, place_of: Callable[[str], tuple[str, str] | None]) -> Iterator[PlateImage]:
    """Yield the images among the members of an archive, by `place_of`, which returns folder and name of a path."""
    for member in archive.infolist():
        position = None if member.is_dir() else place_of(member.filename)
        if position is None:
            continue

        def copy_to(path: Path, member: zipfile.ZipInfo = member) -> None:
            # The reader compares the CRC-32 of the member at its end.
            with archive.open(member) as content, path.open("wb") as file:
                shutil.copyfileobj(content, file, 1 << 20)

        yield PlateImage(folder=position[0], name=position[1], size=member.file_size, copy_to=copy_to)


def loose_files(folder: Path, place_of: Callable[[str], tuple[str, str] | None]) -> Iterator[PlateImage]:
    """Yield the images among the files below a folder. Links are passed over."""
    for path in sorted(folder.rglob("*")):
        position = place_of(str(PurePosixPath(path.relative_to(folder.parent).as_posix())))
        if position is None or path.is_symlink() or not path.is_file():
            continue

        def copy_to(target: Path, path: Path = path) -> None:
            try:
                # A second name of the same bytes needs no space; another disk needs a copy.
                os.link(path, target)
            except OSError:
                shutil.copyfile(path, target)

        yield PlateImage(folder=position[0], name=position[1], size=path.stat().st_size, copy_to=copy_to)


def fetch_plates(images: Iterable[PlateImage], workplace: Workplace, edges: tuple[int, int]) -> int:
    """Fetch images plate by plate into `target/images`, and return how many are new.

    Images that are there already in their size are kept. `edges` are height and width in pixels. Raises BadInput where
    the disk is too small, and InvalidImage naming a file that has another size or does not decode.
    """
    target, work = workplace.target / "images", workplace.work / "images"
    plates: dict[str, dict[str, PlateImage]] = {}
    for image in images:
        plates.setdefault(image.folder, {})[image.name] = image
    missing = [
        i for of in plates.values() for i in of.values() if not _has(target / i.path, i) and not _has(work / i.path, i)
    ]
    total = sum(image.size for image in missing)
    _check_space(workplace, total)
    done = 0
    for folder, of in plates.items():
        if all(_has(target / image.path, image) for image in of.values()):
            continue
        (work / folder).mkdir(parents=True, exist_ok=True)
        for image in of.values():
            if _has(target / image.path, image) or _has(work / image.path, image):
                continue
            _fetch(image, work / image.path, edges)
            done += image.size
            workplace.on_bytes(done, total)
        _move(work / folder, target / folder)
    return len(missing)


def _has(path: Path, image: PlateImage) -> bool:
    return path.is_file() and path.stat().st_size == image.size


def _check_space(workplace: Workplace, total: int) -> None:
    disk = shutil.disk_usage(next(p for p in (workplace.target, *workplace.target.resolve().parents) if p.is_dir()))
    free = disk.free - int(MIN_FREE_SHARE * disk.total)
    if total > free:
        raise BadInput(
            f"the images need {megabytes(total)} at {workplace.target}, where {megabytes(max(free, 0))} can be used; "
            "choose some with --experiment or --cell-type, or give another folder by --to"
        )


def _fetch(image: PlateImage, path: Path, edges: tuple[int, int]) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        image.copy_to(part)
        check_image(part, image.path, edges)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def check_image(path: Path, name: str, edges: tuple[int, int]) -> None:
    """Decode an image. Raises InvalidImage for another size in pixels, and for a file that does not decode."""
    height, width = edges
    try:
        with Image.open(path, formats=["PNG", "TIFF"]) as picture:
            # The size is compared before the pixels are decoded, so that no header can ask for a huge array.
            if picture.size != (width, height):
                raise InvalidImage(
                    f"{name} has {picture.size[0]}×{picture.size[1]} pixels, not {width}×{height}; remove it and run "
                    "the same command again"
                )
            picture.load()
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise InvalidImage(f"{name} is no image that can be decoded: {error}") from error


def _move(folder: Path, target: Path) -> None:
    """Give the images of a plate their place, all at once where the plate is new."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        folder.replace(target)
        return
    for path in sorted(folder.iterdir()):
        path.replace(target / path.name)
    folder.rmdir()
