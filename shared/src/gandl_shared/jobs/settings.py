"""Settings of every process that works on jobs. Needs pydantic-settings, which the extra `gandl-shared[queue]`
brings."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlsplit

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from gandl_shared.files.secret_files import SECRETS_FOLDER, Secret


class JobSettings(BaseSettings):
    """Where the database, the store, the broker and the embedding service are. A subclass sets its `env_prefix`."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, secrets_dir=SECRETS_FOLDER)

    database_url: str = Field(default="sqlite:///gandl.db", description="SQLAlchemy address of the database")
    database_password: Secret = Field(default=None, description="password that is put into this address")
    store: str = Field(default="gandl-store", description="folder or fsspec address of vectors and results")
    broker_url: str = Field(default="redis://127.0.0.1:6379/0", description="Valkey or Redis")
    broker_password: Secret = Field(default=None, description="password that is put into this address")
    embedding_url: str = Field(default="http://127.0.0.1:8001", description="address of the embedding service")
    embedding_api_key: Secret = Field(default=None, description="key sent to the embedding service")
    heartbeat: Path | None = Field(
        default=None,
        description="file that a worker touches every few seconds while it can take messages; absent: none",
    )

    @property
    def embedding_key(self) -> str | None:
        """The key of the embedding service as text, None if it needs none."""
        return self.embedding_api_key.get_secret_value() if self.embedding_api_key else None

    @property
    def database(self) -> str:
        """The address of the database with its password."""
        return with_password(self.database_url, self.database_password)

    @property
    def broker(self) -> str:
        """The address of the broker with its password."""
        return with_password(self.broker_url, self.broker_password)


def with_password(url: str, password: SecretStr | None) -> str:
    """Return a URL with a password, in place of one that it may have; without a password it stays as it is."""
    if password is None:
        return url
    parts = urlsplit(url)
    login, _, host = parts.netloc.rpartition("@")
    user = login.partition(":")[0]
    return parts._replace(netloc=f"{user}:{quote(password.get_secret_value(), safe='')}@{host}").geturl()
