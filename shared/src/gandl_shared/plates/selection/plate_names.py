"""Which plate a file belongs to: the names that folders, indexes and files give, held against the plate map."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from gandl_shared.errors import Invalid, Problem
from gandl_shared.plates.layouts.images import ImageFile
from gandl_shared.plates.selection.choice import with_plate


def assign_plates(files: Sequence[ImageFile], plates: Sequence[str]) -> list[ImageFile]:
    """Return the files of the plates of the plate map, each with that plate as its only name.

    Where only folders could name the plate and none does, the files belong to the only plate of the map. Files of
    plates that the map does not have are left out as long as some file fits. Raises Invalid where none fits: with
    both spellings if they are alike, else with the names on both sides.
    """
    names = set(plates)
    assigned = [with_plate(file, plate) for file in files if (plate := _first(file.plates, names)) is not None]
    if assigned:
        return assigned
    if len(plates) == 1 and not any(file.named and file.plates for file in files):
        return [with_plate(file, plates[0]) for file in files]
    raise _no_plate(files, plates)


def spelling(name: str) -> str:
    """The name without what people and programs change: case, blanks, punctuation, leading zeros of a number."""
    text = unicodedata.normalize("NFKC", name).casefold()
    letters = "".join(character for character in text if character.isalnum())
    return letters.lstrip("0") if letters.isdigit() else letters


def _first(candidates: Sequence[str], names: set[str]) -> str | None:
    return next((name for name in candidates if name in names), None)


def _no_plate(files: Sequence[ImageFile], plates: Sequence[str]) -> Invalid:
    candidates = list(dict.fromkeys(name for file in files for name in file.plates))
    if not candidates:
        names = ", ".join(plates[:5])
        detail = f"nothing names the plate of the images, and the plate map has {len(plates)} plates ({names})"
        fix = "put the images of each plate into a folder of its name"
        return Invalid(f"{detail}; {fix}", problems=[Problem(f"{detail}; {fix}", field="plate")])
    alike = {spelling(name): name for name in candidates}
    pairs = [(plate, alike[spelling(plate)]) for plate in plates if spelling(plate) in alike]
    if pairs:
        detail = f"the plate map says '{pairs[0][0]}', the images say '{pairs[0][1]}'"
    else:
        detail = f"the plate map has plate '{plates[0]}', the images are of '{candidates[0]}'"
    fix = "give the plate the same name in both"
    return Invalid(f"{detail}; {fix}", problems=[Problem(f"{detail}; {fix}", field="plate")])
