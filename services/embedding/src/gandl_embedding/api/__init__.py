"""The routes of the embedding service: they translate HTTP into a call of the service, and its result into HTTP."""

from gandl_embedding.api.direct import DirectEmbedding
from gandl_embedding.api.routes import body_limit, router

__all__ = ["DirectEmbedding", "body_limit", "router"]
