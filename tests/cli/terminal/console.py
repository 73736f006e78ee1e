"""A terminal of a fixed width whose output can be read."""

from __future__ import annotations

import io

from rich.console import Console


class Screenshot:
    """A console of `width` columns."""

    def __init__(self, width: int = 80) -> None:
        self._text = io.StringIO()
        self.console = Console(width=width, file=self._text, color_system=None, force_terminal=False)

    @property
    def text(self) -> str:
        """Everything that was printed."""
        return self._text.getvalue()

    @property
    def lines(self) -> list[str]:
        """The lines without trailing spaces."""
        return [line.rstrip() for line in self.text.splitlines()]

    def column(self, heading: str, following: str) -> str:
        """Return all cells of a column without spaces, between its heading and the following one."""
        start, end = self.lines[0].index(heading), self.lines[0].index(following)
        return without_breaks("".join(line[start:end] for line in self.lines[2:]))

    def row(self, start: str) -> str:
        """Return the one line that begins with a text."""
        (line,) = [line for line in self.lines if line.startswith(start)]
        return line


def without_breaks(text: str) -> str:
    """Return a text without any space, so that a name that continues on the next line is found."""
    return "".join(text.split())
