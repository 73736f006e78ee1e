"""The headers of the images of a screen, checked against its model and against each other before any decoding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from gandl_shared.errors import GandlError, Problem
from gandl_shared.imaging import Header, read_header
from gandl_shared.models import ModelCard
from gandl_shared.plates import Site

_READERS = 8
_MAX_WELLS_NAMED = 8

CHANNELS_REMEDY = "write the files again with their channels in that order, or with one channel per file"
"""What to do where a file holds its channels in another order than the model takes them."""

Size = tuple[int, int]  # height and width in pixels
SiteHeader = tuple[list[Problem], Size | None]


def check_headers(
    sites: Sequence[Site], card: ModelCard, *, mixed_sizes: bool = False, order_by_user: bool = False
) -> tuple[list[Problem], int]:
    """Return one problem per file or per site with a wrong number of files, and the number of files that were read.

    One further problem names the wells whose images have another size than most, unless `mixed_sizes`: cells of another
    magnification or binning look like another effect. Unless the order of the channels is that of the user, the names
    that the files themselves give their channels must not contradict the model. Each site must be complete.
    """
    # Reading waits for the disk, so several threads do it.
    with ThreadPoolExecutor(_READERS) as pool:
        headers = list(pool.map(lambda site: _check_site(site, card, order_by_user=order_by_user), sites))
    problems = [problem for problems, _ in headers for problem in problems]
    if not mixed_sizes:
        problems += _odd_sizes([(site, size) for site, (_, size) in zip(sites, headers, strict=True) if size])
    return problems, sum(len(site.names) for site in sites)


def check_names(sites: Sequence[Site], card: ModelCard) -> list[Problem]:
    """Return one problem for each site whose files name their channels in another order than the model takes them.

    A file that cannot be read has no names here, because reading it will say why.
    """
    with ThreadPoolExecutor(_READERS) as pool:
        problems = pool.map(lambda site: _contradictions(site, _names(site), card), sites)
    return [problem for of_site in problems for problem in of_site]


def channels_text(card: ModelCard) -> str:
    """Return the number and the names of the channels that a model takes."""
    return f"{len(card.channels)} ({', '.join(channel.name for channel in card.channels)})"


def _check_site(site: Site, card: ModelCard, *, order_by_user: bool) -> SiteHeader:
    """Return the problems of a site and the size of its images, None if they cannot be used."""
    n_channels = len(card.channels)
    if site.n_files not in (1, n_channels):
        detail = f"{site.n_files} files per site, but model {card.name} takes {channels_text(card)}"
        return [Problem(f"{detail}; choose with channels", file=site.names[0], field="channel")], None
    problems: list[Problem] = []
    headers: list[tuple[str, Header]] = []
    for name, path in zip(site.names, site.files, strict=True):
        try:
            headers.append((name, read_header(path)))
        except GandlError as error:
            problems.append(Problem(error.detail, file=name))
    per_file = n_channels if site.n_files == 1 else 1
    for name, header in headers:
        problems += _check_header(name, header, per_file, card)
    # A file that cannot be used by itself should be reported once and not again as different from the others.
    problems = problems or _unequal_headers(headers)
    if not problems and not order_by_user:
        problems += _contradictions(site, [name for _, header in headers for name in header.names], card)
    return problems, None if problems else (headers[0][1].height, headers[0][1].width)


def _check_header(name: str, header: Header, channels: int, card: ModelCard) -> list[Problem]:
    # The model sees the field after downscaling, so the file must be larger by this factor.
    need = card.size * card.downscale
    if header.channels != channels:
        expected = channels_text(card) if channels > 1 else "one channel per file"
        return [Problem(f"the image has {header.channels} channels; model {card.name} takes {expected}", file=name)]
    if min(header.height, header.width) < need:
        detail = f"the image is {header.height}×{header.width} pixels; model {card.name} needs {need}×{need}"
        return [Problem(detail, file=name)]
    return []


def _names(site: Site) -> list[str]:
    try:
        return [name for planes in site.stacks for name in read_header(planes[0]).names]
    except GandlError:
        return []


def _contradictions(site: Site, names: Sequence[str], card: ModelCard) -> list[Problem]:
    reason = card.contradiction(names)
    if reason is None:
        return []
    fix = "give --channels in the order of the model's inputs" if site.n_files > 1 else CHANNELS_REMEDY
    return [Problem(f"{reason}; {fix}", file=site.names[0], field="channels")]


def _unequal_headers(headers: Sequence[tuple[str, Header]]) -> list[Problem]:
    first, reference = headers[0]
    return [
        Problem(
            f"{h.height}×{h.width} {h.dtype}, but {first} is {reference.height}×{reference.width} {reference.dtype}",
            file=n,
        )
        for n, h in headers
        if h != reference
    ]


def _odd_sizes(sizes: Sequence[tuple[Site, Size]]) -> list[Problem]:
    counts = Counter(size for _, size in sizes)
    if len(counts) < 2:
        return []
    usual = counts.most_common(1)[0][0]
    odd = {(site.plate, site.well): (site, size) for site, size in sizes if size != usual}
    names = [f"{well} of plate {plate}" for plate, well in odd]
    more = f" and {len(names) - _MAX_WELLS_NAMED} more" if len(names) > _MAX_WELLS_NAMED else ""
    site, (height, width) = next(iter(odd.values()))
    detail = (
        f"the images of well {', '.join(names[:_MAX_WELLS_NAMED])}{more} have {height}×{width} pixels, the others "
        f"{usual[0]}×{usual[1]}; if they have another magnification or binning, mark the wells as empty; if they were "
        "only cropped, give --mixed-sizes"
    )
    return [Problem(detail, file=site.names[0], field="well")]
