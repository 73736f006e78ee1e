"""Every error gandl raises on purpose, as one tree.

Each class carries the HTTP status it answers with and the exit code the command line ends with, and each instance says
where the trouble is (a file, a row, a field) and what would mend it. Services turn them into `ErrorBody` JSON, the
command line into one line on stderr.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, asdict, dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with an input: what and how to fix it, and where (file, row counted from 1, field)."""

    detail: str
    _: KW_ONLY
    file: str | None = None
    row: int | None = None
    field: str | None = None

    def __str__(self) -> str:
        parts = [self.file or "", f"row {self.row}" if self.row is not None else "", self.field or ""]
        where = ", ".join(part for part in parts if part)
        return f"{where}: {self.detail}" if where else self.detail


class GandlError(Exception):
    """Root of the tree. `status` is the HTTP answer, `exit_code` the command line's."""

    status = 500
    exit_code = 1

    def __init__(self, detail: str, *, problems: Iterable[Problem] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.problems: Sequence[Problem] = tuple(problems)

    def body(self) -> dict[str, object]:
        """The JSON of this error, as every service answers it (the request id is added there)."""
        problems = [{k: v for k, v in asdict(p).items() if v is not None} for p in self.problems]
        return {"error": type(self).__name__, "detail": self.detail, "problems": problems}


class BadInput(GandlError):
    """What the user gave cannot be used; nothing was done. Exit code 2."""

    status = 400
    exit_code = 2


class Malformed(BadInput):
    """A request or file is not of the form it claims to have."""


class Unauthorized(BadInput):
    """No key, or not one this service knows."""

    status = 401


class Forbidden(BadInput):
    """The path lies outside the configured roots, or the key may not do this."""

    status = 403


class NotFound(BadInput):
    """No such screen, compound, model, file or folder."""

    status = 404


class Conflict(BadInput):
    """The thing is in another state than this needs."""

    status = 409


class TooLarge(BadInput):
    """More bytes, pixels or files than the configured limit."""

    status = 413


class UnsupportedType(BadInput):
    """A media or image type that is not read here."""

    status = 415


class Invalid(BadInput):
    """Well-formed, but it does not fit the model or the plate map; `problems` has one entry a row or file."""

    status = 422


class InvalidPlateMap(Invalid):
    """The plate map is inconsistent, or lacks what an analysis needs."""


class InvalidImage(Invalid):
    """An image file cannot be decoded, or its shape or channels are not the model's."""


class InvalidModel(Invalid):
    """An ONNX file that gandl did not write, or whose card does not fit its graph."""


class InvalidTable(Invalid):
    """A table of responses or options that a fit cannot use."""


class NotEnoughData(Invalid):
    """The input is valid but too small for the statistic asked for."""


class Full(GandlError):
    """The queue is full; come back after `retry_after` seconds."""

    status = 429

    def __init__(self, detail: str, *, retry_after: float = 1.0) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Unavailable(GandlError):
    """Starting, draining, or a part this one needs does not answer."""

    status = 503


class DeadlineExceeded(GandlError):
    """The work did not end in the time it was given."""

    status = 504


class TrainingFailed(GandlError):
    """Training stopped (NaN, full disk); the last good checkpoint is kept and named in the detail."""


def raise_if(problems: Sequence[Problem], error: type[GandlError], what: str) -> None:
    """Raise `error` naming all `problems` at once, first ones in the detail; do nothing if there are none."""
    if problems:
        shown = "; ".join(str(p) for p in problems[:3])
        more = f"; and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise error(f"{what}: {shown}{more}", problems=problems)
