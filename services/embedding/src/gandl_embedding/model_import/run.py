"""From a foreign ONNX file and its card to a featurizer with a model card inside."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from gandl_shared.errors import BadInput, InvalidModel
from gandl_shared.files.atomic import replace_files
from gandl_shared.models import METADATA_KEY, ModelCard, Parity, TrainingRecord
from numpy.typing import NDArray
from onnx import helper

from gandl_embedding.engine import Engine, varied_tiles
from gandl_embedding.model_import.card import ImportCard, read_import_card
from gandl_embedding.model_import.checks import check_input, check_output, check_vectors, output_name
from gandl_embedding.model_import.graph import featurizer_graph, pooled, prepared_input
from gandl_embedding.model_import.source import ForeignModel, read_foreign_model


@dataclass(frozen=True, kw_only=True)
class ImportedModel:
    """A featurizer that was imported: its card, and the bytes of its file."""

    card: ModelCard
    content: bytes


def import_model(path: Path, card_path: Path) -> ImportedModel:
    """Make a featurizer of the model at `path` with the card at `card_path`, and check it.

    Raises NotFound, BadInput and Invalid for the card, and InvalidModel where the model cannot be used: see
    `source`, `checks`.
    """
    source = read_import_card(card_path)
    model = read_foreign_model(path)
    check_input(model, source)
    output, tiles = output_name(model, source), varied_tiles(len(source.channels), source.size)
    reference = _reference(model, source, output, tiles)
    proto = featurizer_graph(model, source, output)
    draft = _model_card(source, model, None)
    engine = _engine(proto, draft, path.name)
    card = _model_card(source, model, check_vectors(engine.embed, reference, tiles, model))
    return ImportedModel(card=card, content=_content(proto, card))


def write_imported(imported: ImportedModel, out: Path) -> None:
    """Write the featurizer to `out`, and a copy of its card beside it. Raises BadInput where it cannot be written."""
    card = (imported.card.model_dump_json(indent=2) + "\n").encode()
    if not out.parent.is_dir():
        raise BadInput(f"cannot write {out}: there is no folder {out.parent}; give another --out")
    try:
        replace_files(out.parent, {out.name: imported.content, card_beside(out).name: card})
    except OSError as error:
        raise BadInput(f"cannot write {out}: {error.strerror}; give another --out") from error


def card_beside(out: Path) -> Path:
    """Return the path of the copy of the card of a featurizer, for readers without ONNX."""
    return out.with_suffix(".card.json")


def _reference(model: ForeignModel, card: ImportCard, output: str, tiles: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the vectors of the network itself, from pixels that were prepared without ONNX."""
    values = prepared_input(tiles, model, card)
    options = ort.SessionOptions()
    options.log_severity_level = 3
    try:
        session = ort.InferenceSession(model.proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
        result = session.run([output], {model.input_name: values})[0]
    except Exception as error:
        # The classes of ONNX Runtime's errors have no common root.
        reason = str(error).rsplit(" : ", 1)[-1].splitlines()[0]
        raise InvalidModel(
            f"{model.name} does not run on {len(values)} images of {card.edge}×{card.edge} pixels: {reason}; "
            "export it with a dynamic batch axis and check the size on the card"
        ) from error
    check_output(result, model, card, len(values))
    return pooled(result, card)


def _engine(proto: onnx.ModelProto, card: ModelCard, name: str) -> Engine:
    return Engine.of_bytes(_content(proto, card), name)


def _content(proto: onnx.ModelProto, card: ModelCard) -> bytes:
    helper.set_model_props(proto, {METADATA_KEY: card.model_dump_json()})
    onnx.checker.check_model(proto)
    content: bytes = proto.SerializeToString()
    return content


def _model_card(card: ImportCard, model: ForeignModel, parity: Parity | None) -> ModelCard:
    return ModelCard(
        name=card.name,
        channels=card.channels,
        size=card.size,
        downscale=card.downscale,
        pixel_size_um=card.pixel_size_um,
        features=card.features,
        tap=f"{output_name(model, card)}, {card.pooling}, channels {card.channel_mode}",
        precision=model.precision,
        parameters=sum(int(np.prod(each.dims)) for each in model.proto.graph.initializer),
        normalisation=_normalisation(card),
        training=TrainingRecord(
            data=card.data,
            licence=card.licence,
            attribution=card.attribution,
            kimg=0,
            seed=0,
            command=f"gandl import-model {model.name}",
            version=version("gandl-embedding"),
        ),
        parity=parity,
    )


def _normalisation(card: ImportCard) -> str:
    prefix = "per channel (x - low) / (high - low) to 0..255, rounded, clipped; inside "
    enlarged = f"enlarged to {card.edge} px, " if card.edge != card.size else ""
    if card.input_type == "uint8":
        return f"{prefix}{enlarged}as uint8"
    scaled = f"scaled to 0..{card.maximum}"
    centred = f", minus {list(card.mean)}, by {list(card.deviation or ())}" if card.mean is not None else ""
    return f"{prefix}{enlarged}{scaled}{centred}"
