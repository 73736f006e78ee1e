"""`gandl demo`: simulate a small screen with known truth, run it through the stack, compare."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer
from gandl_shared.clients.analysis import AnalysisClient
from gandl_shared.errors import Conflict, Unavailable
from gandl_shared.schemas.screen import ScreenRequest, ScreenState
from rich.console import Console

from gandl.released_models import released_model
from gandl.simulate import preset, simulate_screen
from gandl.simulate.truth import compare, read_truth
from gandl.stack.home import Home
from gandl.stack.supervisor import StackOptions, free_port, running_stack
from gandl.terminal.progress import ScreenBar
from gandl.terminal.recovery_table import print_recovery

MODEL = "gandl-sim5-64"


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the images, the results and the stack's state.")] = Path("demo"),
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of another screen than the usual one.")] = None,
) -> None:
    """Simulate a small screen with known truth, run it through the stack over REST, and compare the results."""
    console = Console()
    model = released_model(MODEL)
    home = Home((out / "home").resolve())
    home.create()
    lock = home.lock()
    if lock is None:
        raise Conflict(f"a demo is already running in {out}; wait for it, or give another --out")
    with lock, ScreenBar() as bar:
        bar.step("simulating")
        folder = out / "screen"
        # The simulator writes only to a new folder, and an earlier demo may have left one.
        shutil.rmtree(folder, ignore_errors=True)
        simulated = simulate_screen(folder, preset("demo"), seed=seed, processes=2, on_progress=bar.count)
        bar.step("starting")
        options = StackOptions(home=home, images=out.resolve(), models=model.parent, port=free_port())
        truths = read_truth(simulated.truth)
        with running_stack(options, bar.tell), AnalysisClient(options.url) as client:
            screen_id = _screen(client, bar, home.logs)
            compounds = dict.fromkeys(truth.compound for truth in truths)
            curves = [curve for name in compounds for curve in client.dose_response(name, screen=screen_id).curves]
            report = out / "report.html"
            report.write_text(client.report(screen_id), encoding="utf-8")
    print_recovery(compare(truths, curves), console)
    console.print(f"report: {report}", soft_wrap=True)


def _screen(client: AnalysisClient, bar: ScreenBar, logs: Path) -> str:
    """Submit the demo screen, follow it to its end and return its id. Raises Unavailable if it fails."""
    request = ScreenRequest(name="demo", images="screen/Images", plate_map="screen/platemap.csv", model=MODEL)
    submitted = client.submit(request)
    for status in client.watch(submitted.id):
        bar.step(status.state.value)
        bar.progress(status.progress)
    if status.state is not ScreenState.DONE:
        raise Unavailable(f"the screen ended as {status.state}: {status.error}; logs are in {logs}")
    return submitted.id
