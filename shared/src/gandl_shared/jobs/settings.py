"""Settings of every process that works on jobs. Needs pydantic-settings, which the extra `gandl-shared[queue]`
brings."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class JobSettings(BaseSettings):
    """Where the database, the store, the broker and the embedding service are. A subclass sets its `env_prefix`."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True)

    database_url: str = Field(default="sqlite:///gandl.db", description="SQLAlchemy address of the database")
    store: str = Field(default="gandl-store", description="folder or fsspec address of vectors and results")
    broker_url: str = Field(default="redis://127.0.0.1:6379/0", description="Valkey or Redis")
    embedding_url: str = Field(default="http://127.0.0.1:8001", description="address of the embedding service")
    embedding_api_key: SecretStr | None = Field(default=None, description="key sent to the embedding service")

    @property
    def embedding_key(self) -> str | None:
        """The key of the embedding service as text, None if it needs none."""
        return self.embedding_api_key.get_secret_value() if self.embedding_api_key else None
