"""A featurizer by its name or by the file of a model."""

from __future__ import annotations

from pathlib import Path

from gandl_embedding.engine import Engine, Precision
from gandl_shared.errors import BadInput
from gandl_shared.models import Embedder

from gandl.featurizers.cp_measure import cp_measure_featurizer
from gandl.featurizers.function import intensity_featurizer, pca_featurizer
from gandl.featurizers.names import Baseline, BaselineName, baseline_name
from gandl.featurizers.tiles import TileForm, TileSample

PARITY_TILES = 64


def featurizer(
    model: str, form: TileForm, sample: TileSample, *, threads: int | None = None, precision: Precision | None = None
) -> Embedder:
    """Return a featurizer: the file of an ONNX model, in a `precision` of its own, or a baseline for tiles of `form`.

    `sample` is called only by a baseline that is fitted to tiles or checked on them. Raises BadInput for an unknown
    name, and what `Engine.load` raises for a file.
    """
    name = baseline_name(model)
    if name is None:
        return Engine.load(Path(model), threads=threads, precision=precision)
    if precision is not None:
        raise BadInput(f"--precision is for the file of a model; the baseline {name.text} has none to choose")
    match name.kind:
        case Baseline.INTENSITY:
            return intensity_featurizer(form)
        case Baseline.PCA:
            return pca_featurizer(form, sample)
        case Baseline.CP_MEASURE:
            return cp_measure_featurizer(form, sample)
        case Baseline.UNTRAINED:
            return _untrained(name, form, sample, threads)


def _untrained(name: BaselineName, form: TileForm, sample: TileSample, threads: int | None) -> Embedder:
    try:
        # Only this featurizer needs torch, which is not installed everywhere.
        from gandl_training.export.untrained import UntrainedForm, untrained_draft, untrained_model  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise BadInput(
            f"--model {name.text} needs the training package; install it with: pip install 'gandl[train]'"
        ) from error
    network = UntrainedForm(
        name=name.text,
        channels=form.channels,
        size=form.size,
        downscale=form.downscale,
        seed=name.seed,
        layer=name.layer,
        pixel_size_um=form.pixel_size_um,
        preset=name.preset,
    )
    tiles = sample(untrained_draft(network), PARITY_TILES)
    return Engine.of_bytes(untrained_model(network, tiles), name.text, threads=threads)
