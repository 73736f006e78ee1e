"""Which models there are: the embedding service says."""

from __future__ import annotations

from gandl_shared.clients.embedding import EmbeddingClient
from gandl_shared.clients.http import Retry

from gandl_analysis.service.submissions import ServedModel
from gandl_analysis.settings import Settings

_PATIENCE = Retry(attempts=3, longest=1.0)
_TIMEOUT = 10.0


class EmbeddingModels:
    """The models of the embedding service, asked each time: it may serve others tomorrow."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.embedding_url
        key = settings.embedding_api_key
        self._key = key.get_secret_value() if key else None

    def find(self, name: str | None) -> ServedModel:
        """The model of that name, or the default one. Raises NotFound, Unavailable, Unauthorized."""
        with EmbeddingClient(self._url, model=name, api_key=self._key, timeout=_TIMEOUT, retry=_PATIENCE) as client:
            return ServedModel(client.info.name, client.info.id, client.info.card)
