"""The progress bar of a screen, on stderr, so that stdout contains only results."""

from __future__ import annotations

from types import TracebackType

from gandl_shared.schemas.screen import Progress
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar


class ScreenBar:
    """A bar over the sites of a screen; `step` names the step that runs now."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description:<16}"), BarColumn(), MofNCompleteColumn())
        self._bar = Bar(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True))
        self._task = self._bar.add_task("starting", total=None)

    def __enter__(self) -> ScreenBar:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()

    def progress(self, progress: Progress) -> None:
        """Show how many sites are finished; a parked site is finished too."""
        self._bar.update(self._task, total=progress.sites, completed=progress.done + progress.parked)

    def count(self, done: int, total: int) -> None:
        """Show `done` of `total` units of the step."""
        self._bar.update(self._task, total=total, completed=done)

    def step(self, name: str) -> None:
        """Name the step that runs now; its total is not known yet."""
        self._bar.update(self._task, description=name)
