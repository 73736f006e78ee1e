"""Settings of the analysis service and of its worker, from GANDL_ANALYSIS_… variables, which are read once."""

from __future__ import annotations

from pathlib import Path

from gandl_shared.files.secret_files import Secret
from gandl_shared.jobs.settings import JobSettings
from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict


class Settings(JobSettings):
    """Addresses and limits. The variable of a field is GANDL_ANALYSIS_ and the name of the field in capitals."""

    model_config = SettingsConfigDict(env_prefix="GANDL_ANALYSIS_")

    image_root: Path = Field(default=Path("images"), description="screens may name folders and plate maps below it")
    api_key: Secret = Field(default=None, description="key that clients must send; absent: no key needed")
    reader_key: Secret = Field(
        default=None, description="key of clients that may read everything and change nothing; absent: there are none"
    )
    max_upload_mb: int = Field(default=20_000, ge=1, description="largest archive of images that pages accept, in MB")
    root_path: str = Field(
        default="",
        pattern=r"^(/[A-Za-z0-9._~-]+)*/?$",
        description="path under which a proxy shows gandl, such as /gandl; every address of the pages begins with it",
    )
    max_headers: int = Field(default=2000, ge=1, description="image files whose headers are read before a 202")
    analysis_lease_seconds: float = Field(
        default=60.0, ge=1, description="an analysis is reassigned when its worker is silent for so many seconds"
    )
    cached_results: int = Field(default=8, ge=1, description="results of screens kept in memory")
    events_interval: float = Field(default=0.5, gt=0, description="seconds between two reads of a screen's progress")
    events_seconds: float = Field(default=86_400, gt=0, description="maximum duration of one event stream in seconds")

    @model_validator(mode="after")
    def _distinct_keys(self) -> Settings:
        if self.reader_key is not None and self.api_key is None:
            raise ValueError("reader_key needs api_key beside it, or nobody could change anything")
        if self.reader_key is not None and self.reader_key == self.api_key:
            raise ValueError("reader_key is the same as api_key; give readers another key")
        return self
