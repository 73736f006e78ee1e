"""What an operator can set, each as `GANDL_EMBEDDING_<NAME>` in the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

MIB = 2**20


class Settings(BaseSettings):
    """Read once, in `app.build()`, and passed on frozen."""

    model_config = SettingsConfigDict(env_prefix="GANDL_EMBEDDING_", frozen=True, env_ignore_empty=True)

    models_dir: Path = Field(default=Path("models"), description="folder of .onnx featurizers, all served")
    default_model: str | None = Field(default=None, description="used where a request names none; else the first")
    api_key: SecretStr | None = Field(default=None, description="what X-API-Key must hold; absent: no key needed")
    device: Literal["cpu", "cuda"] = Field(default="cpu", description="where models run")
    threads: int | None = Field(default=None, ge=1, description="CPU threads of a model; all cores if absent")
    batch_tiles: int | None = Field(default=None, ge=1, description="most tiles of one run; absent: as measured")
    batch_wait_ms: float = Field(default=2.0, ge=0, le=1000, description="how long a run waits to be filled")
    queue_tiles: int = Field(default=8192, ge=1, description="most tiles waiting; further requests get 429")
    request_tiles: int = Field(default=4096, ge=1, description="most tiles of one request; more get 413")
    request_files: int = Field(default=200, ge=1, description="most files of one request")
    request_pixels: int = Field(default=2**26, ge=1, description="most pixels (channels × height × width) of one image")
    body_mib: int = Field(default=64, ge=1, description="most MiB of one request; more get 413")
    bodies_mib: int = Field(default=256, ge=1, description="most MiB of all requests being read; further ones get 429")
    decoders: int = Field(default=2, ge=1, description="images decoded at the same time")
    deadline_s: float = Field(default=120.0, gt=0, description="seconds a request may take; then 504")
