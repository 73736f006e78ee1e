"""Settings of the worker, from GANDL_WORKER_… variables, which are read once."""

from __future__ import annotations

from gandl_shared.jobs.settings import JobSettings
from pydantic import Field
from pydantic_settings import SettingsConfigDict


class Settings(JobSettings):
    """Addresses and limits. The variable of a field is GANDL_WORKER_ and the name of the field in capitals."""

    model_config = SettingsConfigDict(env_prefix="GANDL_WORKER_")

    concurrency: int = Field(default=1, ge=1, le=64, description="batches processed at the same time")
    lease_seconds: float = Field(
        default=60.0, ge=1, description="a batch is reassigned when its worker is silent for so many seconds"
    )
    sweep_seconds: float = Field(default=5.0, gt=0, description="seconds between two searches for lost messages")
    attempts: int = Field(default=3, ge=1, description="failures of a batch or analysis before it is parked")
