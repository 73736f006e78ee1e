"""`gandl import-model`: a featurizer from the ONNX file of any other network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from gandl_embedding.model_import.card import read_import_card
from gandl_embedding.model_import.run import card_beside, write_imported
from gandl_embedding.model_import.run import import_model as imported_model
from gandl_shared.errors import BadInput


def import_model(
    model: Annotated[Path, typer.Argument(help="ONNX file of a network that takes images.")],
    card: Annotated[Path, typer.Option(help="Card of the network (JSON): its input, output and origin.")],
    out: Annotated[
        Path | None, typer.Option(help="Featurizer to write (.onnx); by its name, in this folder, if absent.")
    ] = None,
) -> None:
    """Make a featurizer of any ONNX network, by a card that says what it takes and returns.

    The result is one file with its model card inside, which every command and service takes in place of a model that
    gandl trained. It is checked that the vectors are those of the network and depend on their image alone.
    """
    path = out or _free_name(card)
    if path.suffix != ".onnx":
        raise BadInput(f"--out {path} does not end in .onnx, so no service would find the model; rename it")
    if path.resolve() == model.resolve():
        raise BadInput(f"{path} is the file of the network itself; give another --out, or another name on the card")
    if card_beside(path).resolve() == card.resolve():
        raise BadInput(f"the card of {path} would replace {card}; rename yours or give another --out")
    result = imported_model(model, card)
    write_imported(result, path)
    parity = result.card.parity
    assert parity is not None
    typer.echo(
        f"{path}: {result.card.features} features of {result.card.tap}; network against import {parity.torch_max:.1e}, "
        f"alone against batch {parity.batch_max:.1e}"
    )


def _free_name(card: Path) -> Path:
    """Return the file that the name on the card gives. Raises BadInput where it exists, because nobody named it."""
    path = Path(f"{read_import_card(card).name}.onnx")
    if path.exists():
        raise BadInput(f"{path} exists, and is not replaced without being named; give --out {path} to replace it")
    return path
