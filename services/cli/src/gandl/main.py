"""The `gandl` command line. Exit codes: 0 done, 1 failed, 2 bad input."""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Annotated

import typer
from gandl_shared.errors import BadInput, GandlError, condense_problems

COMMANDS: Mapping[str, str] = {
    "demo": "Simulate a small screen with known truth, run it through the stack over REST, and compare the results.",
    "up": "Start Valkey, a worker and one HTTP server on this machine.",
    "inspect": "Print what a folder of images holds, what is still open, and the command to run.",
    "screen": "Screen a folder of plate images, without a server.",
    "analyse": "Analyse a screen again with other parameters, or the features of any other program.",
    "fetch": "Download a published data set, check it and lay it out for `gandl screen`.",
    "simulate": "Simulate a five-channel compound screen with known EC50s.",
    "reproduce": "Draw a table or figure of the paper from a published data set, with the paper's numbers beside.",
    "fit": "Fit a dose-response curve for each compound and cell line of a table.",
    "export-zarr": "Write the images of a plate as OME-Zarr, with the scores of a screen, for napari and MoBIE.",
    "embed": "Embed images into a table of vectors, without a plate map and without scores.",
    "probe": "Probe featurizers: how well a linear classifier reads labels off their vectors, on unseen groups.",
    "models": "List model cards, or compare models on a screen.",
    "import-model": "Make a featurizer of any ONNX network, by a card that says what it takes and returns.",
    "train": "Train a StyleGAN2 on plate images; `gandl export` turns its discriminator into a featurizer.",
    "finetune": "Fine-tune DenseNet-121 on a column of labels, and export its features as a featurizer.",
    "export": "Export the discriminator of a run as an ONNX featurizer, with its model card and parity report inside.",
}
"""Each command with the first sentence of its help. The module `gandl.commands.NAME` holds a function of the name."""

FOLDERS: Mapping[str, str] = {
    "train": "training",
    "finetune": "training",
    "export": "training",
    "fetch": "data",
    "simulate": "data",
    "embed": "featurizers",
    "models": "featurizers",
    "probe": "featurizers",
    "import-model": "featurizers",
    "reproduce": "data",
}
"""The folder of `gandl.commands` that holds the module of a command, where it is in one."""
_COLLECTION = (20_000, 20, 20)
"""The thresholds of the search for reference cycles, see `gc.set_threshold`; the default of the first one is 700."""
ALL_PROBLEMS = "--all-problems"
TRAINING_PACKAGES = ("gandl_training", "torch")


def run() -> None:
    """Run the command of `sys.argv`: a GandlError becomes a message on stderr and an exit code, never a traceback."""
    # What a command builds lives until it is written, so there is hardly any garbage. By default a tenth of the time of
    # a large table went into the search for it.
    gc.set_threshold(*_COLLECTION)
    try:
        build(sys.argv[1:])()
    except GandlError as error:
        sys.stderr.write(describe(error, is_complete=ALL_PROBLEMS in sys.argv[1:]))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        sys.exit(130)


def build(arguments: Sequence[str]) -> typer.Typer:
    """Return the command line for these arguments.

    Only the module of the command that the arguments name is imported. The other commands are listed with their
    summary, so that `gandl --help` answers at once and `gandl fit` does not load an embedding engine.
    """
    app = typer.Typer(
        no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown"
    )
    app.callback()(_options)
    # No option before the command takes a value, so the first argument without a dash is the command.
    command = next((argument for argument in arguments if not argument.startswith("-")), None)
    for name, summary in COMMANDS.items():
        if name == command:
            app.command(name)(load(name))
        else:
            app.command(name, help=summary)(_not_loaded)
    return app


def load(name: str) -> Callable[..., None]:
    """Import the function of a command. Raises BadInput where the command needs a package that is not installed."""
    folder = f"{FOLDERS[name]}." if name in FOLDERS else ""
    function_name = name.replace("-", "_")
    try:
        module = importlib.import_module(f"gandl.commands.{folder}{function_name}")
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in TRAINING_PACKAGES:
            raise
        raise BadInput(
            f"gandl {name} needs the training package; install it with: pip install 'gandl[train]'"
        ) from error
    function: Callable[..., None] = getattr(module, function_name)
    return function


def describe(error: GandlError, *, is_complete: bool = False) -> str:
    """Return the message of an error: one line, or one line for each of its problems.

    Of many problems of one kind the first are listed and the others counted, unless the list `is_complete`.
    """
    count = sum(1 + problem.more for problem in error.problems)
    if count <= 1:
        return f"gandl: {error.detail}\n"
    # The detail repeats the first problems after its colon, and the list has them too.
    head = error.detail.split(":", 1)[0]
    lines = [f"gandl: {head}, {count} problems:"]
    for problem in error.problems if is_complete else condense_problems(error.problems):
        lines += [f"  {problem}", *([f"  … and {problem.more} more of this kind"] if problem.more else [])]
    if not is_complete and len(lines) - 1 < len(error.problems):
        lines.append(f"gandl {ALL_PROBLEMS} COMMAND … lists all of them")
    return "".join(f"{line}\n" for line in lines)


def _not_loaded() -> None:
    """Stand in the list of commands for a command that this call does not run."""


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(version("gandl"))
        raise typer.Exit


def _options(
    version_: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    all_problems: Annotated[
        bool, typer.Option(ALL_PROBLEMS, help="List all problems of an input, also where many are of one kind.")
    ] = False,
) -> None:
    """Compound screening from raw plate images, without annotation."""
