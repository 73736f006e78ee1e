"""`gandl export`: export the discriminator of a training run as an ONNX featurizer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from gandl_training.export import onnx_export
from gandl_training.export.card import Provenance
from gandl_training.export.precision import parse_precision
from gandl_training.export.weights import Weights
from gandl_training.networks.feature_layer import feature_layer
from gandl_training.run import checkpoint as ckpt


def export(
    run: Annotated[Path, typer.Argument(help="Folder of a `gandl train` run.")],
    out: Annotated[Path, typer.Option(help="ONNX file to write.")],
    tap: Annotated[
        str, typer.Option(help="Feature layer, which is the embedding: fc, pool, multi, fine, fc-multi or all.")
    ] = "fc",
    turned: Annotated[
        bool,
        typer.Option("--turned", help="Average each vector over the eight orientations of its tile: 8 times as slow."),
    ] = False,
    centre: Annotated[
        bool,
        typer.Option(
            "--centre",
            help="Join each vector with that of the middle half of its tile, enlarged: twice as slow. It suits tiles "
            "with one cell in the middle.",
        ),
    ] = False,
    components: Annotated[
        int | None,
        typer.Option(min=1, help="Export so many principal components of the layer, whitened on training tiles."),
    ] = None,
    precision: Annotated[str, typer.Option(help="Precision of the model: float32 or float16.")] = "float32",
    novelty: Annotated[
        bool,
        typer.Option(
            "--novelty", help="Add the discriminator's score as a second output; needs a run that trained a generator."
        ),
    ] = False,
    name: Annotated[
        str | None, typer.Option(help="Name of the model on its card. The default is the name of the file.")
    ] = None,
    snapshot: Annotated[
        Path | None, typer.Option(help="Export a file of RUN/snapshots instead of the last checkpoint.")
    ] = None,
    untrained: Annotated[
        bool, typer.Option("--untrained", help="Export an untrained network of the same architecture, as a baseline.")
    ] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="Export the last weights instead of their running average.")
    ] = False,
    generator: Annotated[Path | None, typer.Option(help="Also write the averaged generator to this ONNX file.")] = None,
    data: Annotated[str, typer.Option(help="Name of the training data, for the card.")] = "unspecified",
    licence: Annotated[str, typer.Option(help="Licence of the training data, for the card.")] = "unspecified",
    attribution: Annotated[
        str | None, typer.Option(help="Attribution that the licence of the training data requires.")
    ] = None,
    stains: Annotated[str | None, typer.Option(help="Stain of each channel, comma separated.")] = None,
    pixel_size_um: Annotated[float | None, typer.Option(help="Edge of a pixel of the original images in µm.")] = None,
    commit: Annotated[
        str | None,
        typer.Option(help="Commit that the run was trained with. The default is what the run recorded in a checkout."),
    ] = None,
) -> None:
    """Export the discriminator of a run as an ONNX featurizer, with its model card and parity report inside."""
    checkpoint = ckpt.load(snapshot or run / ckpt.CHECKPOINT)
    weights = Weights(checkpoint=checkpoint, part="discriminator" if raw else "discriminator_ema", untrained=untrained)
    provenance = Provenance(
        name=name or out.stem,
        data=data,
        licence=licence,
        attribution=attribution,
        stains=tuple(stains.split(",")) if stains else None,
        pixel_size_um=pixel_size_um,
        commit=commit,
    )
    form = onnx_export.ExportForm(feature_layer(tap), parse_precision(precision), turned, centre, components, novelty)
    if generator is not None:
        onnx_export.check_writable(generator)
    card = onnx_export.export_featurizer(run, weights, form, provenance, out)
    if generator is not None:
        onnx_export.export_generator(checkpoint, generator)
    assert card.parity is not None
    typer.echo(
        f"{out}: {card.features} features of {card.tap}, {card.training.kimg:.1f} kimg, "
        f"torch against ONNX Runtime {card.parity.torch_max:.1e}, alone against batch {card.parity.batch_max:.1e}"
    )
