"""Settings of the analysis service and of its Celery tasks, from GANDL_ANALYSIS_… variables, read once."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where things are and how much is allowed. Every field is GANDL_ANALYSIS_ and its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="GANDL_ANALYSIS_", frozen=True, env_ignore_empty=True)

    database_url: str = Field(default="sqlite:///gandl.db", description="SQLAlchemy address of the database")
    store: str = Field(default="gandl-store", description="folder or fsspec address of vectors and results")
    broker_url: str = Field(default="redis://127.0.0.1:6379/0", description="Valkey or Redis")
    embedding_url: str = Field(default="http://127.0.0.1:8001", description="the embedding service, for model cards")
    embedding_api_key: SecretStr | None = Field(default=None, description="sent to the embedding service")
    image_root: Path = Field(default=Path("images"), description="screens may name folders and plate maps below it")
    api_key: SecretStr | None = Field(default=None, description="asked of every client where it is set")
    max_headers: int = Field(default=2000, ge=1, description="image files whose headers are read before a 202")
    analysis_lease_seconds: float = Field(
        default=60.0, ge=1, description="an analysis whose worker is silent so long is given on"
    )
    cached_results: int = Field(default=8, ge=1, description="results of screens kept in memory")
    events_interval: float = Field(default=0.5, gt=0, description="seconds between two looks at a screen's progress")
    events_seconds: float = Field(default=86_400, gt=0, description="longest one event stream lasts")
