"""Problems of an input as people read them: those of one kind once, with their count and rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gandl_shared.errors import Problem

MAX_LISTED = 8


@dataclass(frozen=True, kw_only=True)
class ProblemGroup:
    """A problem that occurs `count` times in a field of a file, and in which rows.

    `detail` and `file` are those of the first one; `is_example` says that the others differ in names or numbers, and
    `n_files` in how many files the problem is.
    """

    detail: str
    is_example: bool
    file: str | None
    field: str | None
    count: int
    rows: tuple[int, ...]
    n_files: int = 1

    @property
    def position(self) -> str:
        """Where it is: file, column and rows; empty where none is stated."""
        more = len(self.rows) - MAX_LISTED
        rows = ", ".join(_runs(self.rows[:MAX_LISTED])) + (f" and {more} more" if more > 0 else "")
        others = f" and {self.n_files - 1} other {'file' if self.n_files == 2 else 'files'}" if self.n_files > 1 else ""
        parts = [
            f"{self.file or ''}{others}",
            # A field of a form or of a request is no column of a table.
            f"{'column' if self.file or self.rows else 'field'} {self.field}" if self.field else "",
            _rows(rows, len(self.rows)),
        ]
        return ", ".join(part for part in parts if part)


def grouped(problems: Iterable[Problem]) -> tuple[ProblemGroup, ...]:
    """Return the problems, those of one kind as one group, in the order of their first appearance.

    A problem of many images would otherwise stand there as often as there are images.
    """
    groups: dict[tuple[str | None, str], list[Problem]] = {}
    for problem in problems:
        groups.setdefault(problem.kind, []).append(problem)
    return tuple(_group(members) for members in groups.values())


def _group(members: Sequence[Problem]) -> ProblemGroup:
    first, files = members[0], {member.file for member in members}
    # Rows of several files say nothing without the file of each.
    rows = {member.row for member in members if member.row is not None} if len(files) == 1 else set()
    return ProblemGroup(
        detail=first.detail,
        is_example=any(member.detail != first.detail for member in members),
        file=first.file,
        field=first.field,
        count=sum(1 + member.more for member in members),
        rows=tuple(sorted(rows)),
        n_files=len(files),
    )


def _rows(text: str, count: int) -> str:
    if not count:
        return ""
    return f"row {text}" if count == 1 else f"rows {text}"


def _runs(rows: Sequence[int]) -> list[str]:
    """Return sorted numbers with neighbours as runs: 3–5, 9."""
    runs: list[list[int]] = []
    for row in rows:
        if runs and row == runs[-1][1] + 1:
            runs[-1][1] = row
        else:
            runs.append([row, row])
    return [str(first) if first == last else f"{first}–{last}" for first, last in runs]
