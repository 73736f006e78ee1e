"""The `gandl` command. Exit codes: 0 done, 1 failed, 2 bad input."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from importlib.metadata import version
from typing import Annotated

import typer
from gandl_shared.errors import GandlError

COMMANDS: Mapping[str, str] = {
    "demo": "gandl.commands.demo",
    "up": "gandl.commands.up",
    "screen": "gandl.commands.screen",
    "analyse": "gandl.commands.analyse",
    "simulate": "gandl.commands.simulate",
    "fit": "gandl.commands.fit",
    "embed": "gandl.commands.embed",
    "models": "gandl.commands.models",
    "train": "gandl.commands.train",
    "export": "gandl.commands.export",
}
"""Command → module; the module holds a function of the command's name."""


def build() -> typer.Typer:
    """The command line with every command registered."""
    app = typer.Typer(
        no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown"
    )
    app.callback()(_options)
    for name, module in COMMANDS.items():
        app.command(name)(getattr(importlib.import_module(module), name))
    return app


def run() -> None:
    """Entry point: a GandlError becomes its message on stderr and its exit code, never a traceback."""
    try:
        build()()
    except GandlError as error:
        sys.stderr.write(describe(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        sys.exit(130)


def describe(error: GandlError) -> str:
    """The message of an error: one line, or a line for each of its problems."""
    if len(error.problems) <= 1:
        return f"gandl: {error.detail}\n"
    head = error.detail.split(":", 1)[0]
    return f"gandl: {head}, {len(error.problems)} problems:\n" + "".join(f"  {p}\n" for p in error.problems)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("gandl"))
        raise typer.Exit


def _options(
    version_: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """Compound screening from raw plate images, without annotation."""
