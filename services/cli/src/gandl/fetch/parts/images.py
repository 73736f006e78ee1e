"""Parts that are images: one archive of all plates, read in ranges, or one archive for each plate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gandl_shared.errors import NotFound

from gandl.fetch.data_set import RemoteFile
from gandl.fetch.download import download, sha256_of
from gandl.fetch.parts.collection import Choice, Content, PartRecord, Workplace
from gandl.fetch.parts.plates import PlateImage, fetch_plates, loose_files, members
from gandl.fetch.parts.remote_zip import open_zip

PlaceOf = Callable[[str, Choice], tuple[str, str] | None]
"""Return the folder of the plate and the name of an image by its path, None for other files and other plates."""


@dataclass(frozen=True, kw_only=True)
class ArchivePart:
    """All images in one archive. Of the archive on the server, only the chosen images are transferred."""

    file: RemoteFile
    place_of: PlaceOf
    edges: tuple[int, int]
    content: Content = Content.IMAGES

    def remote_files(self, choice: Choice) -> Sequence[RemoteFile]:
        """Return the archive."""
        return (self.file,)

    def space(self, choice: Choice) -> int:
        """Return the size of all images; the size of some of them is known when the archive's directory is read."""
        return 0 if choice.is_partial else self.file.expected_bytes

    def is_local(self, workplace: Workplace) -> bool:
        """Return whether the local copy has the archive or a folder of images."""
        return workplace.local(self.file.name, "images") is not None

    def is_complete(self, workplace: Workplace) -> bool:
        """Return False: only the archive tells which images there are."""
        return False

    def fetch(self, workplace: Workplace) -> list[PartRecord]:
        """Fetch the chosen images. Raises NotFound where there is none, and as `fetch_plates` does."""
        source = workplace.local(self.file.name, "images")
        workplace.on_step("reading the images")
        with self._images(source, workplace.choice) as images:
            every = list(images)
            if not every:
                raise NotFound(
                    "there is no image of the chosen cell types and experiments; see the names in metadata.csv"
                )
            count = fetch_plates(every, workplace, self.edges)
        size = sum(image.size for image in every)
        name = self.file.name if source is None else source.name
        return [PartRecord(name=name, size=size, sha256=None, files=count)] if count else []

    @contextmanager
    def _images(self, source: Path | None, choice: Choice) -> Iterator[Iterator[PlateImage]]:
        def place_of(path: str) -> tuple[str, str] | None:
            return self.place_of(path, choice)

        if source is not None and source.is_dir():
            yield loose_files(source, place_of)
            return
        with open_zip(source or self.file.url) as archive:
            yield members(archive, place_of)


@dataclass(frozen=True, kw_only=True)
class PlateArchivesPart:
    """One archive for each plate, downloaded one after the other; `plates` has the plate and its archive."""

    plates: Sequence[tuple[str, RemoteFile]]
    experiment_of: Callable[[str], str]
    cell_type: str
    place_of: PlaceOf
    edges: tuple[int, int]
    content: Content = Content.IMAGES

    def plates_of(self, choice: Choice) -> list[tuple[str, RemoteFile]]:
        """Return the plates of a choice; an experiment may also be the name of a plate."""
        return [
            (plate, file)
            for plate, file in self.plates
            if choice.takes_plate(self.experiment_of(plate), self.cell_type)
            or choice.takes_plate(plate, self.cell_type)
        ]

    def remote_files(self, choice: Choice) -> Sequence[RemoteFile]:
        """Return the archives of the chosen plates."""
        return [file for _, file in self.plates_of(choice)]

    def space(self, choice: Choice) -> int:
        """Return the size of the images and of one archive, as far as it is known."""
        sizes = [file.expected_bytes for file in self.remote_files(choice)]
        return 2 * sum(sizes)

    def is_local(self, workplace: Workplace) -> bool:
        """Return whether the local copy has an archive or the folder of a plate."""
        names = [name for plate, file in self.plates_of(workplace.choice) for name in (file.name, plate)]
        return workplace.local(*names, "images") is not None

    def is_complete(self, workplace: Workplace) -> bool:
        """Return whether the target has a folder of each chosen plate."""
        plates = self.plates_of(workplace.choice)
        return bool(plates) and all((workplace.target / "images" / plate).is_dir() for plate, _ in plates)

    def fetch(self, workplace: Workplace) -> list[PartRecord]:
        """Fetch the plates that are not there. Raises NotFound where the choice or the local copy has no plate."""
        plates = self.plates_of(workplace.choice)
        if not plates:
            names = ", ".join(dict.fromkeys(self.experiment_of(plate) for plate, _ in self.plates))
            raise NotFound(f"there is no plate of the chosen experiments; there are {names}")
        records = [
            record
            for plate, file in plates
            if not (workplace.target / "images" / plate).is_dir()
            for record in self._fetch(plate, file, workplace)
        ]
        if not records and workplace.source is not None:
            raise NotFound(f"{workplace.source} has no archive and no folder of {plates[0][0]} or another chosen plate")
        return records

    def _fetch(self, plate: str, file: RemoteFile, workplace: Workplace) -> list[PartRecord]:
        source = workplace.local(file.name, plate)
        images = workplace.local("images")
        if source is None and images is not None and (images / plate).is_dir():
            source = images / plate
        if source is None:
            if workplace.source is not None:
                return []
            workplace.on_step(f"downloading {file.name}")
            source = download(file, workplace.work, workplace.on_bytes)
        workplace.on_step(f"checking {plate}")

        def place_of(path: str) -> tuple[str, str] | None:
            where = self.place_of(path, Choice())
            return where if where is not None and where[0] == plate else None

        if source.is_dir():
            count = fetch_plates(loose_files(source, place_of), workplace, self.edges)
            return [PartRecord(name=plate, size=0, sha256=None, files=count)]
        with open_zip(source) as archive:
            count = fetch_plates(members(archive, place_of), workplace, self.edges)
        record = PartRecord(name=source.name, size=source.stat().st_size, sha256=sha256_of(source), files=count)
        if workplace.source is None:
            source.unlink()
        return [record]
