"""Both services for their clients: the analysis service of a seeded folder, the embedding service with tiny models."""

from tests.analysis.service.stack import seeded, stack
from tests.embedding.fixtures.service import models_dir, server

__all__ = ["models_dir", "seeded", "server", "stack"]
