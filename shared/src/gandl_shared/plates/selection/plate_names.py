"""Which plate a file belongs to: the names that folders, indexes and files give, held against the plate map."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from gandl_shared.errors import Invalid, Problem, raise_if
from gandl_shared.plates.layouts.images import ImageFile
from gandl_shared.plates.selection.choice import with_plate


def assign_plates(files: Sequence[ImageFile], plates: Sequence[str]) -> list[ImageFile]:
    """Return the files of the plates of the plate map, each with that plate as its only name.

    Where only folders could name the plate and none does, the files belong to the only plate of the map. Files of
    plates that the map does not have are left out. Raises Invalid with one problem for each plate of the map without
    files: with both spellings if they are alike, else with the names on both sides.
    """
    names = set(plates)
    assigned = [with_plate(file, plate) for file in files if (plate := _first(file.plates, names)) is not None]
    if not assigned and len(plates) == 1 and not any(file.named and file.plates for file in files):
        return [with_plate(file, plates[0]) for file in files]
    present = {file.plates[0] for file in assigned}
    # Names of plates that are in both are no other spelling of a plate that is only in one.
    others = [file for file in files if not names & set(file.plates)]
    problems = [_no_plate(plate, others, len(plates)) for plate in plates if plate not in present]
    raise_if(problems, Invalid, "the images of some plates cannot be told")
    return assigned


def spelling(name: str) -> str:
    """The name without what people and programs change: case, blanks, punctuation, leading zeros of a number."""
    text = unicodedata.normalize("NFKC", name).casefold()
    # Spreadsheets turn the plate 1 into 1.0.
    text = re.sub(r"^(\d+)\.0+$", r"\1", text)
    letters = "".join(character for character in text if character.isalnum())
    return letters.lstrip("0") if letters.isdigit() else letters


def _first(candidates: Sequence[str], names: set[str]) -> str | None:
    return next((name for name in candidates if name in names), None)


def _no_plate(plate: str, files: Sequence[ImageFile], n_plates: int) -> Problem:
    candidates = list(dict.fromkeys(name for file in files for name in file.plates))
    alike = next((name for name in candidates if spelling(name) == spelling(plate)), None)
    fix = "give the plate the same name in both"
    if alike is not None:
        detail = f"the plate map says '{plate}', the images say '{alike}'"
    elif candidates:
        detail = f"the plate map has plate '{plate}', the images are of '{candidates[0]}'"
    elif files:
        detail = f"nothing names the plate of the images, and the plate map has {n_plates} plates, such as '{plate}'"
        fix = "put the images of each plate into a folder of its name"
    else:
        detail = f"no image is of plate '{plate}'"
        fix = "add its images, or remove its rows from the plate map"
    return Problem(f"{detail}; {fix}", field="plate")
