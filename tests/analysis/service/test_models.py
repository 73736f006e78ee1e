"""The models of the embedding service, and how soon a missing service is reported."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_analysis.service.models import EmbeddingServiceModels
from gandl_analysis.settings import Settings
from gandl_embedding.settings import Settings as EmbeddingSettings
from gandl_shared.errors import NotFound, Unauthorized, Unavailable
from gandl_shared.models import model_id
from gandl_shared.testing import free_port
from pydantic import SecretStr

from tests.embedding.fixtures.service import ready_server


def test_models_are_those_of_the_service(models_dir: Path) -> None:
    settings = EmbeddingSettings(models_dir=models_dir, default_model="two", threads=1, api_key=SecretStr("s3cret"))
    with ready_server(settings) as url:
        models = EmbeddingServiceModels(Settings(embedding_url=url, embedding_api_key=SecretStr("s3cret")))
        assert models.find(None).name == "two"
        five = models.find("five")
        assert (five.name, five.id, len(five.card.channels)) == ("five", model_id(models_dir / "five.onnx"), 5)
        with pytest.raises(NotFound, match="'six'"):
            models.find("six")
        with pytest.raises(Unauthorized):
            EmbeddingServiceModels(Settings(embedding_url=url)).find(None)


def test_a_missing_service_is_unavailable() -> None:
    models = EmbeddingServiceModels(Settings(embedding_url=f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(Unavailable, match="does not answer"):
        models.find(None)
