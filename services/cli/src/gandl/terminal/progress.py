"""Progress bars of a screen and of a download, on stderr, so that stdout contains only results."""

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


class _StepBar:
    """A bar that counts units of one step after another; `step` names the step that runs now."""

    def __init__(self, *columns: ProgressColumn) -> None:
        first = (TextColumn("{task.description:<16}"), BarColumn())
        self._bar = Bar(*first, *columns, TimeRemainingColumn(), console=Console(stderr=True))
        self._task = self._bar.add_task("starting", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()

    def count(self, done: int, total: int) -> None:
        """Show `done` of `total` units of the step."""
        self._bar.update(self._task, total=total, completed=done)

    def step(self, name: str) -> None:
        """Name the step that runs now; its total is not known yet."""
        self._bar.update(self._task, description=name)


class ScreenBar(_StepBar):
    """A bar over the sites of a screen."""

    def __init__(self) -> None:
        super().__init__(MofNCompleteColumn(), TimeElapsedColumn())

    def progress(self, progress: Progress) -> None:
        """Show how many sites are finished; a parked site is finished too."""
        self.count(progress.done + progress.parked, progress.sites)


class TransferBar(_StepBar):
    """A bar over the bytes of a download."""

    def __init__(self) -> None:
        super().__init__(DownloadColumn(), TransferSpeedColumn())
