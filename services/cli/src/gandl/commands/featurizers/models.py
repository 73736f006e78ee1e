"""`gandl models`: the cards of ONNX featurizers, or featurizers compared on one screen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from gandl_embedding.catalog import model_files
from gandl_embedding.engine import Engine, Precision, check_file
from gandl_shared.errors import BadInput, InvalidModel, NotFound, Problem, raise_if
from gandl_shared.files.atomic import atomic_file

from gandl.featurizers.names import is_baseline
from gandl.released_models import released_models
from gandl.screening.model_comparison import ModelOnScreen, check_precision, compare_models
from gandl.terminal.model_tables import print_comparison, print_models


def models(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Files .onnx, or folders of them; the released ones if absent. With --images also baselines by name."
        ),
    ] = None,
    images: Annotated[Path | None, typer.Option(help="Plate images to compare the models on.")] = None,
    platemap: Annotated[Path | None, typer.Option(help="Their plate map (CSV), with both controls.")] = None,
    precision: Annotated[
        Precision | None,
        typer.Option(
            help="Measure this precision of each model on --images: cosines and Z′ beside those of its file, kept as "
            "NAME.precision.json beside it for `GET /models`."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Whole cards as JSON instead of a table.")] = False,
) -> None:
    """List model cards, or compare models on a screen.

    A card names channels, scale, features, training data and parity. Files that are not featurizers are refused.
    With --images and --platemap, gandl screens these plates with each model and shows how well it separates the
    controls (out of fold), its speed, its size, and how close its vectors are to those of the first model. Baselines
    get the tiles of the first model.
    """
    if (images is None) != (platemap is None):
        raise BadInput("to compare models on a screen, give both --images and --platemap")
    sources = paths or [released_models()]
    baselines = [str(source) for source in sources if is_baseline(source)]
    if baselines and images is None:
        raise BadInput(f"{', '.join(baselines)}: a baseline has no card without images; give --images and --platemap")
    engines = {path: engine for source in sources if not is_baseline(source) for path, engine in _load(source).items()}
    if precision is not None:
        _check_precision(engines, precision, images, platemap)
    elif images is not None and platemap is not None:
        comparison = list(compare_models(engines, images, platemap, baselines))
        if as_json:
            _echo_json([_comparison_record(model) for model in comparison])
        else:
            print_comparison(comparison)
    elif as_json:
        _echo_json([_card_record(path, engine) for path, engine in engines.items()])
    else:
        print_models(list(engines.values()))


def _check_precision(
    engines: Mapping[Path, Engine], precision: Precision, images: Path | None, plate_map: Path | None
) -> None:
    """Measure a precision of each model, write the results beside the models, and print them as JSON."""
    if images is None or plate_map is None:
        raise BadInput("--precision is measured on a screen; give --images and --platemap")
    checks = {path: check_precision(path, precision, images, plate_map) for path in engines}
    for path, check in checks.items():
        with atomic_file(check_file(path)) as file:
            file.write(check.model_dump_json(indent=2).encode() + b"\n")
    _echo_json([check.model_dump(mode="json") for check in checks.values()])


def _load(source: Path) -> dict[Path, Engine]:
    """Load every model of a file or folder. Raises NotFound, and InvalidModel naming all broken files at once."""
    if not source.exists():
        raise NotFound(f"there is no model file or folder {source}")
    engines: dict[Path, Engine] = {}
    problems: list[Problem] = []
    for path in model_files(source) if source.is_dir() else [source]:
        try:
            engines[path] = Engine.load(path)
        except InvalidModel as error:
            # The next files are loaded too, so that one run names all broken ones.
            problems.append(Problem(error.detail))
    raise_if(problems, InvalidModel, "these models cannot be used")
    return engines


def _echo_json(records: list[dict[str, object]]) -> None:
    typer.echo(json.dumps(records, indent=2, ensure_ascii=False))


def _card_record(path: Path, engine: Engine) -> dict[str, object]:
    return {"file": str(path), "id": engine.model_id, "card": engine.card.model_dump(mode="json")}


def _comparison_record(model: ModelOnScreen) -> dict[str, object]:
    return {
        "file": None if model.path is None else str(model.path),
        "name": model.name,
        "kilobytes": model.kilobytes,
        "tiles_per_second": round(model.tiles_per_second, 1),
        "smallest_cosine_to_first": model.cosine,
        "cell_lines": {name: quality.model_dump(mode="json") for name, quality in model.quality.items()},
    }
