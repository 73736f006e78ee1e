"""Progress bars on stderr, so that stdout contains only results."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from gandl_shared.schemas.screen import Progress
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bar


class _Bar:
    """A bar that counts units of one step after another.

    It appears with the first step or count, so that bad input, which is found before, is answered by its error alone.
    """

    def __init__(self, step: str, *columns: ProgressColumn) -> None:
        first = (TextColumn("{task.description:<16}"), BarColumn())
        self._bar = Bar(*first, *columns, TimeRemainingColumn(), console=Console(stderr=True))
        self._task = self._bar.add_task(step, total=None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bar.live.is_started:
            self._bar.stop()

    def count(self, done: int, total: int) -> None:
        """Show `done` of `total` units of the step."""
        self._bar.start()
        self._bar.update(self._task, total=total, completed=done)

    def tell(self, text: str) -> None:
        """Print a sentence above the bar."""
        self._bar.console.print(text, soft_wrap=True, markup=False)

    def step(self, name: str) -> None:
        """Name the step that runs now; its total is not known yet."""
        self._bar.start()
        self._bar.update(self._task, description=name)


class CountBar(_Bar):
    """A bar over the units of one step."""

    def __init__(self, step: str) -> None:
        super().__init__(step, MofNCompleteColumn())


class ScreenBar(_Bar):
    """A bar over the sites of a screen."""

    def __init__(self) -> None:
        super().__init__("starting", MofNCompleteColumn(), TimeElapsedColumn())

    def progress(self, progress: Progress) -> None:
        """Show how many sites are finished; a parked site is finished too."""
        self.count(progress.done + progress.parked, progress.sites)


class TransferBar(_Bar):
    """A bar over the bytes of a download."""

    def __init__(self) -> None:
        super().__init__("starting", DownloadColumn(), TransferSpeedColumn())
