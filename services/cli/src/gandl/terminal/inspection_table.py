"""The content of a folder of images as text in the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gandl_shared.errors import Problem, condense_problems
from gandl_shared.schemas.image_layout import ChannelContent, ImageReport
from rich.console import Console

from gandl.terminal.layout import add_row, new_table, print_table

_MAX_VALUES = 8
_MAX_PLATES = 20


def print_report(report: ImageReport, console: Console | None = None) -> None:
    """Print a report: facts, a table of the channels, problems, and the command to run."""
    console = console or Console()
    for name, text in facts(report):
        console.print(f"{name:<14} {text}", markup=False, highlight=False, soft_wrap=True)
    console.print()
    table = new_table("channel", "name", "feeds", "0.1 %", "99.9 %", "largest")
    for channel in report.channels:
        add_row(table, *_cells(channel))
    print_table(table, console)
    console.print()
    for problem in condense_problems(Problem(**body.model_dump()) for body in report.problems):
        # Some details name the file themselves.
        where = f"{problem.file}: " if problem.file and problem.file not in problem.detail else ""
        more = f" (and {problem.more} more of this kind)" if problem.more else ""
        console.print(f"open: {where}{problem.detail}{more}", markup=False, highlight=False, soft_wrap=True)
    console.print(report.command, markup=False, highlight=False, soft_wrap=True)


def facts(report: ImageReport) -> Iterator[tuple[str, str]]:
    """Yield the names and texts of what a report says, besides its channels and problems."""
    yield "layout", report.layout
    for plate in report.plates[:_MAX_PLATES]:
        yield "plate", f"{plate.plate or '(no name)'}: {_count(plate.wells, 'well')}, {_count(plate.sites, 'site')}"
    if len(report.plates) > _MAX_PLATES:
        yield "plates", f"and {len(report.plates) - _MAX_PLATES} more"
    yield "files", str(report.files)
    for name, values in (
        ("planes", report.planes),
        ("time points", report.timepoints),
        ("measurements", report.measurements),
    ):
        if len(values) > 1:
            yield name, _some(values)
    if report.reduction != "none":
        yield "reduction", f"{report.reduction} of the focal planes"
    if report.width:
        bits = f", {report.bits_used} bits used" if report.bits_used else ""
        yield "pixels", f"{report.width} × {report.height}, {report.pixel_type}{bits}"
    if report.pixel_size_um:
        yield "pixel size", f"{report.pixel_size_um:.4g} µm"
    yield "channel order", report.channel_order or "not decided"
    for reason, count in report.skipped.items():
        yield "left out", f"{count} {reason}"
    if report.missing_count:
        yield "missing", f"{report.missing_count} files that the index names, such as {report.missing[0]}"
    if report.incomplete_count:
        yield "incomplete", f"{_count(report.incomplete_count, 'site')} without all channels"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _cells(channel: ChannelContent) -> tuple[str, ...]:
    numbers = (channel.low, channel.high, channel.maximum)
    name = channel.channel_name or ""
    token = channel.channel or "all of a file"
    return token, name, channel.input or "", *("" if n is None else f"{n:.6g}" for n in numbers)


def _some(values: Sequence[str]) -> str:
    more = f" and {len(values) - _MAX_VALUES} more" if len(values) > _MAX_VALUES else ""
    return f"{len(values)}: {', '.join(values[:_MAX_VALUES])}{more}"
