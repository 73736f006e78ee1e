"""One file for each plate, well, site and channel: chosen by stated rules, or refused with the option that decides.

Time points, focal planes, repeated measurements and copies all give several files for one channel of a site. Taking the
last one would answer with the wrong cells and say nothing, so nothing is taken that was not chosen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from gandl_shared.errors import Invalid, Problem, raise_if
from gandl_shared.plates.layouts.images import PROJECTION, ImageFile
from gandl_shared.schemas.choice import ImageChoice, Reduction

FieldChannel = tuple[str, str, str, str]  # plate, well, site, channel


@dataclass(frozen=True, kw_only=True)
class ChosenFiles:
    """The files of each channel of each site. Several focal planes remain only where they are to be reduced."""

    files: Mapping[FieldChannel, tuple[ImageFile, ...]]
    reduction: Reduction


def choose_files(files: Sequence[ImageFile], choice: ImageChoice) -> ChosenFiles:
    """Keep the files that `choice` selects. Each file must have exactly one plate name.

    Raises Invalid with one problem for each kind of choice that is still open, naming two of the files and the option,
    or for a choice that no file fits.
    """
    matches = _below(files, choice.subfolder)
    matches = _with_value(matches, "measurement", choice.measurement, "--measurement")
    matches = _with_value(matches, "time", choice.timepoint, "--timepoint")
    plane = None if choice.reduction is not Reduction.NONE else choice.plane
    matches = _with_value(matches, "plane", plane, "--z")
    if choice.reduction is not Reduction.NONE:
        # The instrument's own projection is no focal plane; the reduction starts from the planes.
        matches = [file for file in matches if file.plane != PROJECTION] or matches
    groups: dict[FieldChannel, list[ImageFile]] = defaultdict(list)
    for file in matches:
        groups[file.plates[0], file.well, file.site, file.channel].append(file)
    raise_if(_open_choices(groups.values(), choice.reduction), Invalid, "the images leave a choice open")
    ordered = {key: tuple(sorted(group, key=lambda file: _natural(file.plane))) for key, group in groups.items()}
    return ChosenFiles(files=ordered, reduction=choice.reduction)


def plates_in_two_folders(files: Iterable[ImageFile]) -> list[Problem]:
    """Return a problem for each plate whose images of one channel are in two folders of its name.

    Two acquisitions under one name, such as `day1/P1` and `day2/P1`, would otherwise become one plate.
    """
    examples: dict[tuple[str, str], dict[PurePosixPath, str]] = {}
    for file in files:
        for folder in PurePosixPath(file.name).parents:
            if folder.name == file.plates[0]:
                examples.setdefault((file.plates[0], file.channel), {}).setdefault(folder, file.name)
                break
    # All channels of a plate lie alike, so one of them is enough for the message.
    scattered = {plate: names for (plate, _), names in examples.items() if len(names) > 1}
    return [
        Problem(
            f"plate {plate} is in the folders {_some([str(folder) for folder in names])}; choose one with --subfolder, "
            "give the plates different names, or give --pattern if they are one plate",
            file=next(iter(names.values())),
            field="subfolder",
        )
        for plate, names in scattered.items()
    ]


def _below(files: Sequence[ImageFile], subfolder: str | None) -> list[ImageFile]:
    if subfolder is None:
        return list(files)
    folder = PurePosixPath(subfolder)
    matches = [file for file in files if folder in PurePosixPath(file.name).parents]
    if not matches:
        folders = sorted({str(PurePosixPath(file.name).parent) for file in files})
        raise Invalid(f"no image is below the subfolder '{subfolder}'; the images are in {_some(folders)}")
    return matches


def _with_value(files: Sequence[ImageFile], attribute: str, value: str | None, option: str) -> list[ImageFile]:
    if value is None:
        return list(files)
    matches = [file for file in files if _number(getattr(file, attribute)) == _number(value)]
    if not matches:
        values = sorted({getattr(file, attribute) for file in files}, key=_natural)
        there_are = _some([each for each in values if each]) or "none"
        detail = f"no image has {attribute} {value}; there are {there_are}; give another {option}"
        raise Invalid(detail, problems=[Problem(detail, field=option.removeprefix("--"))])
    return matches


def _open_choices(groups: Iterable[Sequence[ImageFile]], reduction: Reduction) -> list[Problem]:
    """One problem per kind of choice, with the first group as the example and a count of all."""
    open_groups: dict[str, list[Sequence[ImageFile]]] = defaultdict(list)
    for group in groups:
        if len(group) > 1:
            kind = _kind(group)
            if kind != "plane" or reduction is Reduction.NONE:
                open_groups[kind].append(group)
    return [_problem(kind, examples) for kind, examples in open_groups.items()]


def _kind(group: Sequence[ImageFile]) -> str:
    """What tells the files of a group apart; the coarsest difference is asked for first."""
    for attribute in ("measurement", "time", "plane"):
        if len({getattr(file, attribute) for file in group}) > 1:
            # Two files that agree in all attributes are copies, however many planes there are beside them.
            return "copy" if _has_copies(group) else attribute
    folders = {PurePosixPath(file.name).parent for file in group}
    return "folder" if len(folders) > 1 else "copy"


def _has_copies(group: Sequence[ImageFile]) -> bool:
    return len({(file.measurement, file.time, file.plane) for file in group}) < len(group)


def _problem(kind: str, groups: Sequence[Sequence[ImageFile]]) -> Problem:
    first = groups[0]
    two = f"{first[0].name} and {first[1].name}"
    where = f"site {first[0].site} of well {first[0].well} of plate {first[0].plates[0]}"
    channel = f", channel {first[0].channel}" if first[0].channel else ""
    values = sorted({getattr(file, kind, "") for group in groups for file in group}, key=_natural)
    asks = {
        "measurement": f"the plate was measured more than once ({_some(values)}); choose one with --measurement N",
        "time": f"there are several time points ({_some(values)}); choose one with --timepoint N",
        "plane": f"there are several focal planes ({_some(values)}); choose with --z PLANE, --z max or --z focus",
        "folder": "files of the same name pattern are in several folders; choose one with --subfolder FOLDER",
        "copy": "the files look like copies; remove one of them, or choose with --pattern",
    }
    more = f" (and {len(groups) - 1} more)" if len(groups) > 1 else ""
    detail = f"{two} are both {where}{channel}{more}: {asks[kind]}"
    option = {"measurement": "measurement", "time": "timepoint", "plane": "z", "folder": "subfolder"}.get(kind)
    return Problem(detail, file=first[0].name, field=option)


def _number(text: str) -> str:
    return str(int(text)) if text.isdigit() else text.lower()


def _natural(text: str) -> tuple[int, int, str]:
    return (0, int(text), text) if text.isdigit() else (1, 0, text)


def _some(values: Sequence[str], most: int = 5) -> str:
    return ", ".join(values[:most]) + (f" and {len(values) - most} more" if len(values) > most else "")


def with_plate(file: ImageFile, plate: str) -> ImageFile:
    """Return the file with `plate` as its one plate."""
    return replace(file, plates=(plate,))
