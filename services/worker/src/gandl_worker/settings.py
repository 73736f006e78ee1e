"""What an operator can set, each as `GANDL_WORKER_<NAME>` in the environment."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read once, in `app.build()`, and passed on frozen."""

    model_config = SettingsConfigDict(env_prefix="GANDL_WORKER_", frozen=True, env_ignore_empty=True)

    database_url: str = Field(default="sqlite:///gandl.db", description="SQLAlchemy address of the database")
    store: str = Field(default="gandl-store", description="folder or fsspec address of vectors and results")
    broker_url: str = Field(default="redis://127.0.0.1:6379/0", description="Valkey or Redis")
    embedding_url: str = Field(default="http://127.0.0.1:8001", description="the embedding service")
    embedding_api_key: SecretStr | None = Field(default=None, description="sent to the embedding service")
    concurrency: int = Field(default=1, ge=1, le=64, description="batches worked on at the same time")
    lease_seconds: float = Field(default=60.0, ge=1, description="a batch whose worker is silent so long is given on")
    sweep_seconds: float = Field(default=5.0, gt=0, description="how often lost messages are looked for")
    attempts: int = Field(default=3, ge=1, description="failures of a batch or analysis before it is parked")
