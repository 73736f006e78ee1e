"""Fixtures of the analysis service."""

from tests.analysis.service.stack import seeded, shared_stack, stack
from tests.embedding.fixtures.service import models_dir

__all__ = ["models_dir", "seeded", "shared_stack", "stack"]
