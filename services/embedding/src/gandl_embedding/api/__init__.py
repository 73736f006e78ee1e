"""The routes of the embedding service: they translate HTTP into a call of the service, and its result into HTTP."""

from gandl_embedding.api.routes import router

__all__ = ["router"]
