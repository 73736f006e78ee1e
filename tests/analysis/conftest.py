"""Fixtures of the analysis service."""

from tests.analysis.stack import seeded, shared_stack, stack
from tests.embedding.service import models_dir

__all__ = ["models_dir", "seeded", "shared_stack", "stack"]
