"""Inspecting a folder of images before a screen: its layout, its content, and what is still open.

It follows the steps of `plan_screen`, but goes on after a problem and reports it, so that one look shows everything.
"""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from gandl_shared.errors import GandlError, Problem
from gandl_shared.imaging import Raw, evenly_spread, read_site, split_sites
from gandl_shared.imaging.limits import HIGH_PERCENTILE, LOW_PERCENTILE
from gandl_shared.jobs.headers import check_headers
from gandl_shared.models import ModelCard
from gandl_shared.plates import PlateMap, Site, order_of, plate_inventory
from gandl_shared.plates.layouts import ImageFile, Inventory
from gandl_shared.plates.selection import (
    ChosenFiles,
    LinkCheck,
    assemble,
    assign_plates,
    channel_names,
    check_pixel_sizes,
    choose_files,
    files_by_field,
    wells_with_images,
)
from gandl_shared.plates.sites import skips_incomplete
from gandl_shared.schemas.choice import ImageChoice, MissingChannels, Reduction
from gandl_shared.schemas.image_layout import ChannelContent, ImageReport, PlateContent
from gandl_shared.schemas.screen import ProblemBody

MAX_SAMPLE = 12
"""The range of the pixels is taken from at most so many fields."""
MAX_LISTED = 20

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is inspected: a folder, and as far as they are known a plate map and a model, with the user's choices.

    `plate_map_name` and `model_name` are how the command names them. `positive` is the positive control that the user
    chose for a published data set.
    """

    images: Path
    plate_map: PlateMap | None = None
    plate_map_name: str = "MAP.csv"
    card: ModelCard | None = None
    model_name: str = "MODEL.onnx"
    pattern: str | None = None
    positive: tuple[str, ...] = ()
    channels: tuple[str, ...] | None = None
    choice: ImageChoice = field(default_factory=ImageChoice)


class _Problems(list[Problem]):
    """Collects the problems of steps that fail, so that the steps after them can go on."""

    def of(self, step: Callable[[], T], default: T) -> T:
        """Return the result of a step, or `default` after noting why it failed."""
        try:
            return step()
        except GandlError as error:
            self.extend(error.problems or [Problem(error.detail)])
            return default


def inspect_images(subject: Subject, *, max_headers: int | None = None) -> ImageReport:
    """Return what a folder of images holds. Raises NotFound, and BadInput where no layout fits.

    The headers of at most `max_headers` files and the pixels of at most MAX_SAMPLE fields are read.
    """
    problems = _Problems()
    inventory = plate_inventory(subject.images, subject.plate_map, subject.pattern)
    subject = _of_images(subject, inventory, problems)
    files = _files_of_plates(inventory, subject, problems)
    choices = problems.of(lambda: choose_files(files, subject.choice), None)
    fields = choices or ChosenFiles(files=_first_files(files), reduction=subject.choice.reduction)
    inputs = () if subject.card is None else subject.card.inputs
    order = problems.of(lambda: order_of(inventory, fields, inputs, subject.channels), None)
    tokens = order.tokens if order else tuple(dict.fromkeys(channel for _, _, _, channel in fields.files))
    links = LinkCheck(subject.images)
    by_field = files_by_field(fields.files).items()
    assembled = [assemble(subject.images, site, of, tokens, links) for site, of in by_field]
    lacks = [each.lack for each in assembled if each.lack is not None]
    problems += [] if skips_incomplete(inventory, subject.choice) else lacks[:MAX_LISTED]
    problems += [link for each in assembled for link in each.links]
    complete = [each.site for each in assembled if each.lack is None]
    sites = problems.of(lambda: split_sites(complete), tuple(complete))
    if choices is not None and order is not None:
        problems += _header_problems(sites, subject, max_headers)
    sample = _sample(sites, fields.reduction)
    names = channel_names(tokens, inventory.channels)
    absent = replace(inventory, files=tuple(files)).missing if inventory.is_published else inventory.missing
    return ImageReport(
        layout=inventory.layout,
        plates=_plates([each.site for each in assembled], len(sites) - len(complete)),
        channels=tuple(
            ChannelContent(
                channel=each.token,
                channel_name=each.name,
                input=inputs[number].name if order and number < len(inputs) else None,
                **_range(sample, number, len(tokens)),
            )
            for number, each in enumerate(names)
        ),
        channel_order=order.reason if order else None,
        planes=_values(file.plane for file in files),
        timepoints=_values(file.time for file in files),
        measurements=_values(file.measurement for file in files),
        reduction=subject.choice.reduction,
        pixel_size_um=problems.of(lambda: check_pixel_sizes(fields.files), None),
        height=sample[0].shape[1] if sample else None,
        width=sample[0].shape[2] if sample else None,
        pixel_type=str(sample[0].dtype) if sample else None,
        bits_used=_bits_used(sample),
        files=len(files),
        missing=absent[:MAX_LISTED],
        missing_count=len(absent),
        incomplete=tuple(map(_body, lacks[:MAX_LISTED])),
        incomplete_count=len(lacks),
        skipped=inventory.skipped,
        problems=tuple(map(_body, problems)),
        command=_command(subject, problems),
    )


def _of_images(subject: Subject, inventory: Inventory, problems: _Problems) -> Subject:
    """Return the subject with the wells of a published data set that have images."""
    plate_map = subject.plate_map
    if plate_map is None or not plate_map.is_published:
        return subject
    part = problems.of(lambda: wells_with_images(plate_map, inventory.files), plate_map)
    return replace(subject, plate_map=part)


def _files_of_plates(inventory: Inventory, subject: Subject, problems: _Problems) -> list[ImageFile]:
    """Return the files with one plate each: those of the used wells of the plate map, or else all of them."""
    by_own_name = [replace(file, plates=file.plates[:1] or ("",)) for file in inventory.files]
    if subject.plate_map is None:
        return by_own_name
    used = {(well.plate, well.well): well for well in subject.plate_map.used}
    plates = list(dict.fromkeys(plate for plate, _ in used))
    files = problems.of(lambda: assign_plates(inventory.files, plates), None)
    if files is None:
        return by_own_name
    present = {(file.plates[0], file.well) for file in files}
    problems += [
        Problem(
            f"no image of well {well} of plate {plate} fits the layout",
            file=subject.plate_map.source,
            row=used[plate, well].table_row,
            field="well",
        )
        for plate, well in used
        if (plate, well) not in present
    ]
    return [file for file in files if (file.plates[0], file.well) in used]


def _first_files(files: Iterable[ImageFile]) -> dict[tuple[str, str, str, str], tuple[ImageFile, ...]]:
    """Return one file for each channel of each field, to count fields and channels while a choice is open."""
    first: dict[tuple[str, str, str, str], tuple[ImageFile, ...]] = {}
    for file in files:
        first.setdefault((file.plates[0], file.well, file.site, file.channel), (file,))
    return first


def _header_problems(sites: Sequence[Site], subject: Subject, max_headers: int | None) -> list[Problem]:
    if subject.card is None or not sites:
        return []
    count = len(sites) if max_headers is None else max(1, max_headers // len(sites[0].names))
    mixed_sizes, by_user = subject.choice.mixed_sizes, subject.channels is not None
    return check_headers(evenly_spread(sites, count), subject.card, mixed_sizes=mixed_sizes, order_by_user=by_user)[0]


def _sample(sites: Sequence[Site], reduction: Reduction) -> list[Raw]:
    """Return the pixels of some fields; a field that cannot be read is reported by its header, or parked later."""
    fields = []
    for site in evenly_spread(sites, MAX_SAMPLE) if sites else ():
        try:
            fields.append(read_site(site.stacks, reduction))
        except GandlError:
            continue
    return fields


def _range(sample: Sequence[Raw], channel: int, channels: int) -> dict[str, float]:
    """Return the range of the pixels of a channel, or nothing where a file holds another number of channels."""
    fields = [image[channel].ravel() for image in sample if len(image) == channels]
    if not fields:
        return {}
    pixels = np.concatenate(fields)
    low, high = np.percentile(pixels, [LOW_PERCENTILE, HIGH_PERCENTILE])
    return {"low": float(low), "high": float(high), "maximum": float(pixels.max())}


def _bits_used(sample: Sequence[Raw]) -> int | None:
    """Return the number of bits that hold the largest value of the sample, None where its pixels are no integers."""
    if not sample or sample[0].dtype.kind != "u":
        return None
    return max(int(image.max()) for image in sample).bit_length()


def _plates(sites: Sequence[Site], more: int) -> tuple[PlateContent, ...]:
    wells: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for site in sites:
        wells[site.plate][site.well] += 1
    counts = {plate: PlateContent(plate=plate, wells=len(of), sites=sum(of.values())) for plate, of in wells.items()}
    if more and len(counts) == 1:  # each image of a file is a field of view
        return tuple(each.model_copy(update={"sites": each.sites + more}) for each in counts.values())
    return tuple(counts.values())


def _values(texts: Iterable[str]) -> tuple[str, ...]:
    distinct = {text for text in texts if text}
    return tuple(sorted(distinct, key=lambda text: (0, int(text), text) if text.isdigit() else (1, 0, text)))


def _body(problem: Problem) -> ProblemBody:
    return ProblemBody(detail=problem.detail, file=problem.file, row=problem.row, field=problem.field)


def _command(subject: Subject, problems: Sequence[Problem]) -> str:
    """Return the command that runs the screen, with the options of the user and a word for each open choice."""
    choice = subject.choice
    options = {
        "--positive-control": ",".join(subject.positive),
        "--pattern": subject.pattern,
        "--channels": ",".join(subject.channels) if subject.channels else None,
        "--z": choice.z,
        "--timepoint": choice.timepoint,
        "--measurement": choice.measurement,
        "--subfolder": choice.subfolder,
        "--missing": None if choice.missing is MissingChannels.REFUSE else choice.missing.value,
    }
    open_options = {f"--{problem.field}" for problem in problems if problem.field}
    words = ["gandl", "screen", str(subject.images), "--platemap", subject.plate_map_name]
    words += ["--model", subject.model_name, "--out", "results"]
    for option, value in options.items():
        if value or option in open_options:
            words += [option, value or option.removeprefix("--").upper()]
    return shlex.join([*words, *(["--mixed-sizes"] if choice.mixed_sizes else [])])
