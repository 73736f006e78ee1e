"""`gandl models`: the cards of ONNX featurizers, each checked against its graph."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gandl_embedding.engine import Engine
    from rich.table import Table


def models(
    place: Annotated[Path | None, typer.Argument(help="A folder of .onnx files or one; the released ones.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Whole cards as JSON instead of a table.")] = False,
) -> None:
    """List model cards: channels, scale, features, training data and parity. Refuses files that are not featurizers."""
    from gandl.models_folder import released_models

    engines = _load(place if place is not None else released_models())
    if as_json:
        cards = [{"file": str(p), "id": e.model_id, "card": e.card.model_dump(mode="json")} for p, e in engines.items()]
        typer.echo(json.dumps(cards, indent=2, ensure_ascii=False))
        return
    from rich.console import Console

    Console().print(_table(engines))


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
