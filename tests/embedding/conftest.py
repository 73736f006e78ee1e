"""Fixtures of the embedding service."""

from tests.embedding.fixtures.service import client, model_file, models_dir

__all__ = ["client", "model_file", "models_dir"]
