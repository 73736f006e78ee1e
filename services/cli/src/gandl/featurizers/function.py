"""A featurizer that is a function of tiles, behind the interface of a model."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from gandl_embedding.engine import check_tiles, instructions
from gandl_science.assay.baselines.intensity import feature_names, intensity_statistics
from gandl_science.assay.baselines.pixel_components import COMPONENTS, fit_components, max_tiles
from gandl_shared.errors import NotEnoughData
from gandl_shared.models import ModelCard
from gandl_shared.models.numerics import Numerics
from numpy.typing import NDArray

from gandl.featurizers.names import Baseline
from gandl.featurizers.tiles import TileForm, TileSample, baseline_card

MAX_FIT_TILES = 2048
"""Components are fitted to at most so many tiles of a screen; more hardly move the first 64 and cost time."""
_LATER_FIELDS = {"novelty", "scales"}
"""Fields of the card that came after the first vectors were stored, and that no baseline uses: the identity of a
baseline stays what it was."""

Vectors = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True)
class FunctionFeaturizer:
    """Implements `gandl_shared.models.Embedder` by a function whose vector of a tile depends on that tile alone.

    `content` is what the function was fitted to. It is a part of the identity of the vectors, like the weights in the
    file of a model.
    """

    card: ModelCard
    vectors: Vectors
    content: bytes = b""

    @property
    def model_id(self) -> str:
        """SHA-256 of the card and of `content`, hex."""
        card = self.card.model_dump_json(exclude=_LATER_FIELDS)
        return hashlib.sha256(card.encode() + self.content).hexdigest()

    @property
    def numerics(self) -> Numerics:
        """Those of NumPy in this process."""
        runtime = f"numpy {np.__version__}"
        return Numerics(provider="numpy", precision="float32", device=instructions(), runtime=runtime, batch="1")

    def embed(self, tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the vectors [N, features] of tiles [N, C, S, S]. Raises Invalid for another shape or type."""
        check_tiles(tiles, self.card)
        return self.vectors(tiles)


def intensity_featurizer(form: TileForm) -> FunctionFeaturizer:
    """Return the intensity statistics of tiles as a featurizer."""
    width = len(feature_names(len(form.channels)))
    card = baseline_card(Baseline.INTENSITY.value, form, layer="statistics", features=width)
    return FunctionFeaturizer(card=card, vectors=intensity_statistics)


def pca_featurizer(form: TileForm, sample: TileSample) -> FunctionFeaturizer:
    """Return principal components as a featurizer, fitted to a sample of tiles. Raises NotEnoughData for one tile."""
    draft = baseline_card(Baseline.PCA.value, form, layer="components", features=COMPONENTS)
    tiles = sample(draft, min(MAX_FIT_TILES, max_tiles(form.values_per_tile)))
    if len(tiles) < 2:
        raise NotEnoughData("principal components need at least two tiles; give more images or a smaller tile size")
    components = fit_components(tiles)
    card = baseline_card(
        Baseline.PCA.value,
        form,
        layer="components",
        features=components.width,
        data=f"{len(tiles)} tiles of the screen itself, without labels",
    )
    content = components.mean.tobytes() + components.components.tobytes()
    return FunctionFeaturizer(card=card, vectors=components.vectors, content=content)
