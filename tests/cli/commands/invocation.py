"""Commands of `gandl`, called with arguments as on a command line."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import typer
from gandl.commands.featurizers.embed import embed
from gandl.commands.featurizers.models import models
from gandl_shared.errors import GandlError
from typer.testing import CliRunner

Run = Callable[..., str]


@pytest.fixture
def run() -> Run:
    """`gandl embed` and `gandl models`; errors come out as they are."""
    app = typer.Typer()
    app.command("embed")(embed)
    app.command("models")(models)

    def call(*arguments: object) -> str:
        result = CliRunner().invoke(app, [str(a) for a in arguments])
        if isinstance(result.exception, GandlError):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.stdout

    return call
