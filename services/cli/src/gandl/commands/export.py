"""`gandl export`: the discriminator of a training run as an ONNX featurizer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def export(
    run: Annotated[Path, typer.Argument(help="Folder of a `gandl train` run.")],
    out: Annotated[Path, typer.Option(help="ONNX file to write.")],
    tap: Annotated[str, typer.Option(help="Layer that is the embedding: fc, pool, multi or fine.")] = "fc",
    precision: Annotated[str, typer.Option(help="float32, float16 or int8.")] = "float32",
    name: Annotated[str | None, typer.Option(help="Name on the card; default that of the file.")] = None,
    snapshot: Annotated[
        Path | None, typer.Option(help="A file of RUN/snapshots instead of the last checkpoint.")
    ] = None,
    untrained: Annotated[
        bool, typer.Option("--untrained", help="An untrained network of the same architecture (baseline).")
    ] = False,
    raw: Annotated[bool, typer.Option("--raw", help="The last weights instead of their running average.")] = False,
    generator: Annotated[Path | None, typer.Option(help="Also write the averaged generator to this file.")] = None,
    data: Annotated[str, typer.Option(help="Name of the training data, for the card.")] = "unspecified",
    licence: Annotated[str, typer.Option(help="Licence of the training data.")] = "unspecified",
    attribution: Annotated[str | None, typer.Option(help="Attribution the licence asks for.")] = None,
    stains: Annotated[str | None, typer.Option(help="Stain of each channel, comma separated.")] = None,
    pixel_size_um: Annotated[float | None, typer.Option(help="Edge of an original pixel in µm.")] = None,
    commit: Annotated[
        str | None, typer.Option(help="Commit the run was trained with; if absent, as the run noted it in a checkout.")
    ] = None,
) -> None:
    """Export the discriminator of a run as an ONNX featurizer, with its model card and parity report inside."""
    from gandl_training.export import onnx_export as exports
    from gandl_training.export.precision import precision as form
    from gandl_training.networks.feature_layer import tap as checked
    from gandl_training.run import checkpoint as ckpt

    saved = ckpt.load(snapshot or run / ckpt.CHECKPOINT)
    weights = exports.Weights(saved, "discriminator" if raw else "discriminator_ema", untrained)
    provenance = exports.Provenance(
        name=name or out.stem,
        data=data,
        licence=licence,
        attribution=attribution,
        stains=tuple(stains.split(",")) if stains else None,
        pixel_size_um=pixel_size_um,
        commit=commit,
    )
    if generator is not None:
        exports.check_writable(generator)
    card = exports.export_featurizer(run, weights, exports.Form(checked(tap), form(precision)), provenance, out)
    out.with_suffix(".card.json").write_text(card.model_dump_json(indent=2) + "\n")
    if generator is not None:
        exports.export_generator(saved, generator)
    assert card.parity is not None
    typer.echo(
        f"{out}: {card.features} features of {card.tap}, {card.training.kimg:.1f} kimg, "
        f"torch against ONNX Runtime {card.parity.torch_max:.1e}, alone against batch {card.parity.batch_max:.1e}"
    )
