"""The released models: their cards are what the commands of models/README.md, as written, put on them.

What is compared is the origin and the shape of each model. The control metrics of these cards are not compared with the
control probe of today: they were measured by the probe of the release, which divided wells into folds otherwise. They
follow when the models are released again.
"""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import onnx
import pytest
import typer
from gandl.commands.training.export import export
from gandl.commands.training.train import train
from gandl_shared.models import ModelCard, card_from_metadata
from gandl_training.export.parity import onnx_session, relative_difference

from benchmarks.training.scales import centre

MODELS = Path(__file__).parents[2] / "models"
CARDS = sorted(MODELS.glob("*.card.json"))


def commands() -> list[list[str]]:
    """The indented commands of the page, split as a shell would."""
    text = (MODELS / "README.md").read_text().replace("\\\n", " ")
    return [shlex.split(line) for line in text.splitlines() if line.startswith("    gandl ")]


def parsed(words: list[str]) -> dict[str, object]:
    """The parameters that `gandl train` or `gandl export` reads from them; unknown options end the test."""
    app = typer.Typer()
    app.command("train")(train)
    app.command("export")(export)
    group = typer.main.get_command(app)
    with group.make_context("gandl", words[1:2], resilient_parsing=True) as above:
        command = group.get_command(above, words[1])
        return command.make_context(words[1], words[2:], parent=above).params


def model_of(card: Path) -> Path:
    return card.with_name(card.name.replace(".card.json", ".onnx"))


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.name)
def test_the_commands_make_the_card(path: Path) -> None:
    card = ModelCard.model_validate_json(path.read_text())
    file = model_of(path).relative_to(MODELS.parent)
    (exported,) = [p for words in commands() if words[1] == "export" and (p := parsed(words))["out"] == file]
    (trained,) = [words for words in commands() if words[1] == "train" and parsed(words)["out"] == exported["run"]]
    training = card.training
    assert training.command == shlex.join(trained)
    assert (training.kimg, card.size, card.downscale) == tuple(
        parsed(trained)[name] for name in ("kimg", "resolution", "downscale")
    )
    assert ",".join(c.name for c in card.channels) == parsed(trained)["channel_names"]
    for name in ("data", "licence", "attribution", "commit"):
        assert getattr(training, name) == exported[name], name
    assert ",".join(c.stain or "" for c in card.channels) == exported["stains"]
    for name in ("tap", "precision", "pixel_size_um"):
        assert getattr(card, name) == exported[name], name
    assert (card.orientations, card.scales) == (8 if exported["turned"] else 1, 2 if exported["centre"] else 1)
    assert card.whitened == (exported["components"] is not None)
    assert card.name == (exported["name"] or file.stem)


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.name)
def test_the_card_beside_a_file_is_the_one_inside(path: Path) -> None:
    metadata = {p.key: p.value for p in onnx.load(model_of(path)).metadata_props}
    inside = card_from_metadata(metadata, file=path.name)
    assert path.read_text() == inside.model_dump_json(indent=2) + "\n"


def test_two_models_of_one_run_have_one_network() -> None:
    """The vector of two scales is that of the tile in the one model, joined with that of its middle half."""
    plain, joined = (onnx.load(MODELS / f"gandl-{name}-64.onnx") for name in ("nuclei", "nuclei-centre"))
    weights, same = ({t.name: t.raw_data for t in model.graph.initializer} for model in (plain, joined))
    network = [name for name in weights if name.startswith("discriminator.")]
    assert network and all(same[name] == weights[name] for name in network)
    # The weights of the interpolation are sixteenths, so that Pillow rounds nothing.
    tiles = np.random.default_rng(0).integers(0, 16, (3, 1, 64, 64), dtype=np.uint8) * 16
    expected = np.concatenate([onnx_session(plain)(images) for images in (tiles, centre(tiles))], axis=1)
    assert relative_difference(onnx_session(joined)(tiles), expected) < 1e-5


def test_every_released_model_has_a_card() -> None:
    assert [model_of(path) for path in CARDS] == sorted(MODELS.glob("*.onnx"))
