"""Every error that gandl raises on purpose, as one tree.

Each class has the HTTP status with which a service answers and the exit code with which the command line ends. Each
instance says where the problem is (a file, a row, a field) and how to fix it. Services answer an error as `ErrorBody`
JSON; the command line prints it as one line on stderr.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, asdict, dataclass, replace

MAX_EXAMPLES = 5
"""Of problems of one kind so many are listed, and the others are counted."""
_PARTICULARS = re.compile(r"'[^']*'|\S*\d\S*")
"""What may differ between two problems of one kind: texts in quotes, numbers, and names with a digit."""

_FOLDERS = re.compile(r"(?<![\w./…])(?!(?<=:)//\w)/+(?:[^/\s'\"]+/+)*(?=\w)")
"""The folders of an absolute path; the two slashes of a web address are none."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with an input: what and how to fix it, and where (file, row counted from 1, field).

    `more` counts further problems of the same kind that are not listed.
    """

    detail: str
    _: KW_ONLY
    file: str | None = None
    row: int | None = None
    field: str | None = None
    more: int = 0

    @property
    def kind(self) -> tuple[str | None, str]:
        """What problems have in common that differ in their file, row, numbers and quoted texts only."""
        return self.field, _PARTICULARS.sub("#", self.detail)

    def __str__(self) -> str:
        parts = [self.file or "", f"row {self.row}" if self.row is not None else "", self.field or ""]
        where = ", ".join(part for part in parts if part)
        return f"{where}: {self.detail}" if where else self.detail


def condense_problems(problems: Iterable[Problem]) -> list[Problem]:
    """Return the first `MAX_EXAMPLES` problems of each kind, together; the last of them counts the others as `more`."""
    kinds: dict[tuple[str | None, str], list[Problem]] = {}
    for problem in problems:
        kinds.setdefault(problem.kind, []).append(problem)
    condensed = []
    for members in kinds.values():
        *first, last = members[:MAX_EXAMPLES]
        more = sum(1 + problem.more for problem in members[MAX_EXAMPLES:])
        condensed += [*first, replace(last, more=last.more + more)]
    return condensed


class GandlError(Exception):
    """The root of the tree. `status` is the HTTP status and `exit_code` that of the command line."""

    status = 500
    exit_code = 1

    def __init__(self, detail: str, *, problems: Iterable[Problem] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.problems: Sequence[Problem] = tuple(problems)

    def body(self) -> dict[str, object]:
        """Return this error as the JSON of every service, without the request id, which the service adds.

        A few problems of each kind stand for all of them, because a screen may have one for each of its images.
        """
        problems = [
            {name: value for name, value in asdict(problem).items() if value is not None and value != 0}
            for problem in condense_problems(self.problems)
        ]
        return {"error": type(self).__name__, "detail": self.detail, "problems": problems}


class BadInput(GandlError):
    """The input of the user cannot be used, and nothing was done. Exit code 2."""

    status = 400
    exit_code = 2


class Malformed(BadInput):
    """A request or file does not have the form that it claims."""


class Unauthorized(BadInput):
    """The request has no key, or a key that this service does not accept."""

    status = 401


class Forbidden(BadInput):
    """The path is outside the configured folders, or the key does not allow this."""

    status = 403


class NotFound(BadInput):
    """There is no such screen, compound, model, file or folder."""

    status = 404


class TooSlow(BadInput):
    """The body of a request did not arrive within its time limit."""

    status = 408


class Conflict(BadInput):
    """The operation needs another state, for example a screen that has ended."""

    status = 409


class TooLarge(BadInput):
    """The input has more bytes, pixels or files than the configured limit."""

    status = 413


class UnsupportedType(BadInput):
    """The media or image type cannot be read here."""

    status = 415


class Invalid(BadInput):
    """The input is well-formed but does not fit the model or plate map; `problems` has one entry per row or file."""

    status = 422


class InvalidPlateMap(Invalid):
    """The plate map is inconsistent, or an analysis needs more than it contains."""


class InvalidImage(Invalid):
    """An image file cannot be decoded, or its shape or channels do not fit the model."""


class InvalidModel(Invalid):
    """The ONNX file was not written by gandl, or its card does not fit its graph."""


class InvalidTable(Invalid):
    """A fit cannot use the table of responses or its options."""


class NotEnoughData(Invalid):
    """The input is valid but too small for the requested statistic."""


class Full(GandlError):
    """The queue is full; the caller should try again after `retry_after` seconds."""

    status = 429

    def __init__(self, detail: str, *, retry_after: float = 1.0) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Unavailable(GandlError):
    """The service is starting or stopping, or another part that it needs does not answer."""

    status = 503


class Outage(Unavailable):
    """A folder, a disk or a server that holds images or vectors is away; work that needs it should wait."""


class DeadlineExceeded(GandlError):
    """The work did not end within its time limit."""

    status = 504


class TrainingFailed(GandlError):
    """Training stopped (NaN, full disk); the detail names the last good checkpoint, which remains."""


def without_folders(text: str) -> str:
    """Return a message in which absolute paths have lost their folders: `/data/a/b.tif` becomes `…/b.tif`.

    A message about a disk that is away names paths of the server, which clients should not learn.
    """
    return _FOLDERS.sub("…/", text)


def raise_if(problems: Sequence[Problem], error: type[GandlError], what: str) -> None:
    """Raise `error` with all `problems`, the first three of them in its message; do nothing if there are none."""
    if problems:
        first = "; ".join(str(p) for p in problems[:3])
        more = f"; and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise error(f"{what}: {first}{more}", problems=problems)
