"""The models that screens can use, as the embedding service lists them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gandl_shared.clients.embedding import EmbeddingClient
from gandl_shared.clients.http import Retry
from gandl_shared.errors import NotFound
from gandl_shared.models import BASELINES, ModelCard

from gandl_analysis.settings import Settings

# A client waits for the answer to its submission, so a service that is away is reported within seconds.
_RETRY = Retry(attempts=3, max_wait=1.0)
_TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class ServedModel:
    """A model that screens can use; `id` is the SHA-256 of its file."""

    name: str
    id: str
    card: ModelCard


class ModelCatalog(Protocol):
    """The models that are available now."""

    def find(self, name: str | None) -> ServedModel:
        """Return the model of that name, or the default one for None. Raises NotFound, Unavailable."""

    def all(self) -> Sequence[ServedModel]:
        """Return all models, the default one first. Raises Unavailable."""


def find_model(models: ModelCatalog, name: str | None) -> ServedModel:
    """Return a model as `ModelCatalog.find` does. Where a baseline is named, the error says where it can be had."""
    try:
        return models.find(name)
    except NotFound as error:
        if name not in BASELINES:
            raise
        raise NotFound(
            f"{error.detail}. '{name}' is a baseline, which only the command line computes: gandl screen IMAGES "
            f"--platemap MAP.csv --model {name} --like MODEL.onnx; POST /analyses takes the embeddings that it writes"
        ) from error


class EmbeddingServiceModels:
    """The models of the embedding service. It is queried each time, because it may offer others tomorrow."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.embedding_url
        self._api_key = settings.embedding_key

    def find(self, name: str | None) -> ServedModel:
        """Return the model of that name, or the default one for None. Raises NotFound, Unavailable, Unauthorized."""
        client = EmbeddingClient(self._url, model=name, api_key=self._api_key, timeout=_TIMEOUT_SECONDS, retry=_RETRY)
        with client:
            return ServedModel(name=client.info.name, id=client.info.id, card=client.info.card)

    def all(self) -> Sequence[ServedModel]:
        """Return all models, the default one first. Raises Unavailable, Unauthorized."""
        with EmbeddingClient(self._url, api_key=self._api_key, timeout=_TIMEOUT_SECONDS, retry=_RETRY) as client:
            models = sorted(client.models(), key=lambda info: not info.default)
        return [ServedModel(name=info.name, id=info.id, card=info.card) for info in models]
