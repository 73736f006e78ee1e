"""Images without a plate map: the files that make one image, by their channels or by a pattern of their names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gandl_shared.errors import BadInput, Invalid, NotFound, Problem, raise_if
from gandl_shared.imaging import read_header, split_sites
from gandl_shared.plates import PATTERNS, Site
from gandl_shared.plates.patterns import FilesByField, channel_tokens, list_images, match_files, pattern_of

_ALL_CHANNELS = ""
"""The channel token of patterns without `{channel}`: each file holds all channels."""


def image_sites(
    paths: Sequence[Path], width: int, *, pattern: str | None = None, channels: Sequence[str] | None = None
) -> tuple[Site, ...]:
    """Return all images of these files and folders, each of `width` channels.

    Without a pattern, a file with `width` channels is one image, or several where it holds several fields of view:
    `plate` is its folder and `site` its name. Otherwise the preset is used that makes most images. Raises NotFound,
    BadInput, and Invalid naming every incomplete image.
    """
    sites: list[Site] = []
    for root, names in _names_by_root(paths).items():
        # The first file decides, because the files of one folder come from one instrument.
        if pattern is None and channels is None and _channels(root / names[0]) == width:
            whole = [Site(plate=str(Path(n).parent), well="", site=Path(n).name, root=root, names=(n,)) for n in names]
            sites += [replace(site, site=Path(site.names[0]).name) for site in split_sites(whole)]
        else:
            sites += split_sites(_combined(root, names, width, pattern, channels))
    return tuple(sites)


def _channels(path: Path) -> int:
    """Return the number of channels of the first image in a file."""
    return read_header(path.with_name(f"{path.name}#image=1")).channels


def _names_by_root(paths: Sequence[Path]) -> dict[Path, list[str]]:
    """Return the names of the images of each folder, sorted. A file counts under its own folder."""
    names: dict[Path, list[str]] = defaultdict(list)
    for path in paths:
        if not path.exists():
            raise NotFound(f"image or folder {path} is not there")
        if path.is_dir():
            names[path] += list_images(path)
        else:
            names[path.parent].append(path.name)
    return names


def _combined(
    root: Path, names: Sequence[str], width: int, pattern: str | None, channels: Sequence[str] | None
) -> list[Site]:
    """Combine files of one channel each into images of `width` channels."""
    fields = match_files(names, pattern_of(pattern)) if pattern else _best_preset(root, names, width)
    if not fields:
        raise BadInput(f"no image in {root} fits the pattern '{pattern}', such as {names[0]}")
    selection = list(channels) if channels else channel_tokens(fields)
    if selection == [_ALL_CHANNELS]:
        width = _check_stack(root / names[0], width)
    if len(selection) != width:
        raise Invalid(
            f"the images in {root} have channels {', '.join(selection)}; the model takes {width}: see --channels"
        )
    problems = [
        Problem(f"channel {token} is not there", file=next(iter(files.values())))
        for files in fields.values()
        for token in selection
        if token not in files
    ]
    raise_if(problems, Invalid, "incomplete images")
    return [
        Site(
            plate=field.plate or "",
            well=field.well,
            site=field.site,
            root=root,
            names=tuple(files[token] for token in selection),
        )
        for field, files in sorted(fields.items(), key=lambda entry: (entry[0].plate or "", *entry[0][1:]))
    ]


def _check_stack(path: Path, width: int) -> int:
    """Return 1, the number of files per image. Raises Invalid if the file has not all channels of the model."""
    channels = _channels(path)
    if channels != width:
        raise Invalid(f"{path.name} has {channels} channels; the model takes {width}")
    return 1


def _best_preset(root: Path, names: Sequence[str], width: int) -> FilesByField:
    """Return the files as the preset combines them that makes most images of `width` files. Raises Invalid."""
    candidates = [match_files(names, pattern) for pattern in PATTERNS.values() if "{channel}" in pattern]
    best = max(candidates, key=lambda fields: sum(len(files) == width for files in fields.values()))
    if not any(len(files) == width for files in best.values()):
        channels = _channels(root / names[0])
        detail = f"{names[0]} has {channels} channels, the model takes {width}, and no preset combines the files"
        raise Invalid(f"{detail}; give --pattern, or one of {', '.join(PATTERNS)}")
    return best
