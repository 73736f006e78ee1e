"""`gandl up`: the whole stack on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from gandl_shared.files.objects import is_object
from rich.console import Console

from gandl.released_models import released_models
from gandl.stack.folders import open_folders
from gandl.stack.home import Home
from gandl.stack.supervisor import StackOptions, running_stack, watch


def up(
    home: Annotated[Path, typer.Option(help="Folder of the database, vectors, results and logs.")] = Path("gandl-home"),
    images: Annotated[Path, typer.Option(help="Screens may name folders below this folder.")] = Path(),
    models: Annotated[Path | None, typer.Option(help="Folder of .onnx models; the released ones if absent.")] = None,
    open_: Annotated[
        list[Path] | None,
        typer.Option("--open", help="Output folder of `gandl screen` to show; repeat it."),
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the HTTP server on 127.0.0.1.")] = 8080,
) -> None:
    """Start Valkey, a worker and one HTTP server on this machine.

    Ctrl-C stops all of them. A second start with the same folder shows the address of the first.
    """
    console = Console()
    stack_home = Home(home.resolve())
    stack_home.create()
    lock = stack_home.lock()
    if lock is None:
        running = stack_home.running()
        address = f"at {running.url} (process {running.pid})" if running else "and still starting"
        console.print(f"a stack is already running on {home}, {address}", soft_wrap=True)
        return
    # The path of a folder in S3 is complete as it is.
    root = images if is_object(images) else images.resolve()
    options = StackOptions(
        home=stack_home, images=root, models=models.resolve() if models else released_models(), port=port
    )
    opened = open_folders(stack_home, open_ or (), options.images)
    errors = Console(stderr=True)

    def tell(text: str) -> None:
        errors.print(text, soft_wrap=True, markup=False)

    with lock, running_stack(options, tell) as children:
        console.print(f"gandl is up: [bold]{options.url}/ui/[/]  pages", soft_wrap=True)
        console.print(f"             {options.url}/docs  REST", soft_wrap=True)
        for folder, screen in opened.items():
            console.print(f"{folder}: {options.url}/ui/screens/{screen}", soft_wrap=True)
        console.print(
            f"images below {options.images}, logs in {stack_home.logs}; Ctrl-C stops everything", soft_wrap=True
        )
        if (absence := absence_of(root)) is not None:
            tell(absence)
        watch(children, tell)
        console.print("stopping")


def absence_of(images: Path) -> str | None:
    """Return what to do about a folder of images that is not there, and None for one that is. A disk may come later."""
    if is_object(images) or images.is_dir():
        return None
    return f"the folder of images {images} is not there; make or mount it, or start again with another --images"
