"""Fixtures of the tests of commands."""

from tests.cli.commands.invocation import run
from tests.embedding.fixtures.service import model_file, models_dir

__all__ = ["model_file", "models_dir", "run"]
