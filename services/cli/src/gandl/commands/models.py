"""`gandl models`: the cards of ONNX featurizers, each checked against its graph; side by side on a screen if given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gandl_embedding.engine import Engine
    from rich.table import Table


def models(
    places: Annotated[
        list[Path] | None, typer.Argument(help=".onnx files, or folders of them; the released ones if absent.")
    ] = None,
    images: Annotated[Path | None, typer.Option(help="Plate images to compare the models on.")] = None,
    platemap: Annotated[Path | None, typer.Option(help="Their plate map (CSV), with both controls.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Whole cards as JSON instead of a table.")] = False,
) -> None:
    """List model cards: channels, scale, features, training data and parity. Refuses files that are not featurizers.

    With --images and --platemap, screen these plates with each model, and show beside one another how well it tells the
    controls apart (out of fold), its speed, its size, and how close its vectors are to those of the first.
    """
    from gandl_shared.errors import BadInput

    from gandl.models_folder import released_models

    if (images is None) != (platemap is None):
        raise BadInput("to compare models on a screen, give both --images and --platemap")
    engines = {p: e for place in places or [released_models()] for p, e in _load(place).items()}
    if images is not None and platemap is not None:
        _compare(engines, images, platemap, as_json=as_json)
        return
    if as_json:
        cards = [{"file": str(p), "id": e.model_id, "card": e.card.model_dump(mode="json")} for p, e in engines.items()]
        typer.echo(json.dumps(cards, indent=2, ensure_ascii=False))
        return
    from rich.console import Console

    Console().print(_table(engines))


def _compare(engines: dict[Path, Engine], images: Path, platemap: Path, *, as_json: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    from gandl.model_comparison import compare_models
    from gandl.summary import fixed

    found = list(compare_models(engines, images, platemap))
    if as_json:
        rows = [
            {
                "file": str(c.path),
                "kilobytes": c.kilobytes,
                "tiles_per_second": round(c.tiles_per_second, 1),
                "smallest_cosine_to_first": c.cosine,
                "cell_lines": {line: q.model_dump(mode="json") for line, q in c.quality.items()},
            }
            for c in found
        ]
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    table = Table("model", "features", "kB", "tiles/s", "cosine to first", "Z′ (tile accuracy)")
    for c in found:
        card, cosine = engines[c.path].card, "" if c.cosine is None else f"{c.cosine:.4f}"
        features = f"{card.features} {card.tap}\n{card.precision}"
        told = "\n".join(
            f"{line} {fixed(q.z_prime, 2) or '–'} ({fixed(q.accuracy, 3) or '–'})" for line, q in c.quality.items()
        )
        table.add_row(c.path.stem, features, str(c.kilobytes), f"{c.tiles_per_second:.0f}", cosine, told)
    Console().print(table)


def _load(place: Path) -> dict[Path, Engine]:
    """Every model of `place`; all broken files are named at once. Raises InvalidModel, NotFound."""
    from gandl_embedding.catalog import model_files
    from gandl_embedding.engine import Engine
    from gandl_shared.errors import InvalidModel, NotFound, Problem, raise_if

    if not place.exists():
        raise NotFound(f"there is no model file or folder {place}")
    engines: dict[Path, Engine] = {}
    problems: list[Problem] = []
    for path in model_files(place) if place.is_dir() else [place]:
        try:
            engines[path] = Engine.load(path)
        except InvalidModel as error:
            problems.append(Problem(error.detail))
    raise_if(problems, InvalidModel, "these models cannot be used")
    return engines


def _table(engines: dict[Path, Engine]) -> Table:
    from rich.table import Table

    table = Table("model", "channels", "tile", "features", "kimg", "trained on", "parity", "SHA-256")
    for engine in engines.values():
        card = engine.card
        pixels = f" ({card.pixel_size_um * card.downscale:g} µm/px)" if card.pixel_size_um else ""
        table.add_row(
            card.name,
            ", ".join(f"{c.name} ({c.stain})" if c.stain else c.name for c in card.channels),
            f"{card.size} px of 1/{card.downscale}{pixels}",
            f"{card.features} ({card.tap})",
            f"{card.training.kimg:g}",
            f"{card.training.data} ({card.training.licence})",
            f"{card.parity.torch_max:.0e}" if card.parity else "–",
            engine.model_id[:12],
        )
    return table
