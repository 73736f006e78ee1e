"""Models: their cards, the interface of every featurizer, and how vectors were computed."""

from gandl_shared.models.cards import (
    BASELINES,
    METADATA_KEY,
    Channel,
    Embedder,
    FeatureRule,
    ModelCard,
    NoveltyScale,
    Parity,
    TableCard,
    TrainingRecord,
    VectorCard,
    card_from_metadata,
    model_id,
)
from gandl_shared.models.numerics import Numerics

__all__ = [
    "BASELINES",
    "METADATA_KEY",
    "Channel",
    "Embedder",
    "FeatureRule",
    "ModelCard",
    "NoveltyScale",
    "Numerics",
    "Parity",
    "TableCard",
    "TrainingRecord",
    "VectorCard",
    "card_from_metadata",
    "model_id",
]
