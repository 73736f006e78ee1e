"""`gandl up`: the whole stack on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def up(
    home: Annotated[Path, typer.Option(help="Folder of the database, vectors, results and logs.")] = Path("gandl-home"),
    images: Annotated[Path, typer.Option(help="Root below which screens may name folders.")] = Path(),
    models: Annotated[Path | None, typer.Option(help="Folder of .onnx models; the released ones if absent.")] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the HTTP server on 127.0.0.1.")] = 8080,
) -> None:
    """Start Valkey, a worker and one HTTP server; Ctrl-C stops them all. A second start finds the first."""
    from rich.console import Console

    from gandl.models_folder import released_models
    from gandl.stack.home import Home
    from gandl.stack.supervisor import StackOptions, running_stack, watch

    console = Console()
    place = Home(home.resolve())
    place.make()
    lock = place.lock()
    if lock is None:
        running = place.running()
        where = f"at {running.url} (process {running.pid})" if running else "and still starting"
        console.print(f"a stack is already running on {home}, {where}")
        return
    options = StackOptions(place, images.resolve(), models.resolve() if models else released_models(), port)
    with lock, running_stack(options) as children:
        console.print(f"gandl is up: [bold]{options.url}/ui/[/]  pages")
        console.print(f"             {options.url}/docs  REST")
        console.print(f"images below {options.images}, logs in {place.logs}; Ctrl-C stops everything")
        watch(children)
        console.print("stopping")
