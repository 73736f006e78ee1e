"""The embedding service as an application: settings are read once, models are loaded when it starts.

Run it with `uvicorn --factory gandl_embedding.app:build`.
"""

from __future__ import annotations

from functools import partial
from importlib.metadata import version

from fastapi import FastAPI
from gandl_shared.web.app import Part, build_app
from prometheus_client import CollectorRegistry

from gandl_embedding.api import DirectEmbedding, body_limit, router
from gandl_embedding.service import EmbeddingService
from gandl_embedding.settings import Settings

_DESCRIPTION = (
    "Turns microscopy images into embeddings: the features of a GAN discriminator, from one ONNX model or several."
)


def part(settings: Settings, registry: CollectorRegistry) -> Part:
    """Return the service as a part of a larger application."""
    service = EmbeddingService(settings, registry)
    direct = partial(DirectEmbedding, service=service, limit=body_limit(settings))
    return Part(
        name="embedding",
        add_routes=lambda app: app.include_router(router(service)),
        ready=service.ready,
        lifespan=service.running,
        direct=direct,
    )


def build(settings: Settings | None = None) -> FastAPI:
    """Return the application; settings come from the environment unless they are given."""
    registry = CollectorRegistry()
    parts = [part(settings or Settings(), registry)]
    return build_app(
        "gandl embedding", parts, registry=registry, version=version("gandl-embedding"), description=_DESCRIPTION
    )
