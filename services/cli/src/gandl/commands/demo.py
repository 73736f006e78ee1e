"""`gandl demo`: simulate a small screen with known truth, run it through the stack, compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

MODEL = "gandl-sim5-64"


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the images, the results and the stack's state.")] = Path("demo"),
    seed: Annotated[int | None, typer.Option(min=0, help="Another screen than the usual one.")] = None,
) -> None:
    """Simulate a small screen with known truth, submit it to the stack over REST, and compare what it finds."""
    import shutil

    from gandl_shared.clients.analysis import AnalysisClient
    from gandl_shared.errors import Conflict, Unavailable
    from gandl_shared.schemas.screen import ScreenRequest, ScreenState
    from rich.console import Console

    from gandl.models_folder import released_model
    from gandl.progress import ScreenBar
    from gandl.simulate import preset, simulate_screen
    from gandl.stack.home import Home
    from gandl.stack.supervisor import StackOptions, free_port, running_stack
    from gandl.truth import judge, print_judged, read_truth

    console = Console()
    model = released_model(MODEL)
    home = Home((out / "home").resolve())
    home.make()
    lock = home.lock()
    if lock is None:
        raise Conflict(f"a demo is already running in {out}; wait for it, or give another --out")
    with lock, ScreenBar() as bar:
        bar.step("simulating")
        screen = out / "screen"
        shutil.rmtree(screen, ignore_errors=True)
        simulated = simulate_screen(screen, preset("demo"), seed=seed, processes=2, on_progress=bar.count)
        bar.step("starting")
        options = StackOptions(home, out.resolve(), model.parent, free_port())
        with running_stack(options), AnalysisClient(options.url) as client:
            request = ScreenRequest(
                name="demo", images="screen/Images", plate_map="screen/platemap.csv", model=model.stem
            )
            submitted = client.submit(request)
            for status in client.watch(submitted.id):
                bar.step(status.state.value)
                bar.progress(status.progress)
            if status.state is not ScreenState.DONE:
                raise Unavailable(f"the screen ended as {status.state}: {status.error}; logs are in {home.logs}")
            report = out / "report.html"
            report.write_text(client.report(submitted.id), encoding="utf-8")
            truths = read_truth(simulated.truth)
            compounds = dict.fromkeys(t.compound for t in truths)
            curves = [c for name in compounds for c in client.dose_response(name, screen=submitted.id).curves]
    print_judged(judge(truths, curves), console)
    console.print(f"report: {report}")
