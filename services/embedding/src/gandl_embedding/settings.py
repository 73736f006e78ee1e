"""Settings of the embedding service, from GANDL_EMBEDDING_… variables, which are read once."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from gandl_shared.files.secret_files import SECRETS_FOLDER, Secret
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

MIB = 2**20


class Settings(BaseSettings):
    """Models, device and limits. The variable of a field is GANDL_EMBEDDING_ and the name of the field in capitals."""

    model_config = SettingsConfigDict(
        env_prefix="GANDL_EMBEDDING_", frozen=True, env_ignore_empty=True, secrets_dir=SECRETS_FOLDER
    )

    models_dir: Path = Field(
        default=Path("models"), description="folder of .onnx featurizers; the service offers all of them"
    )
    default_model: str | None = Field(
        default=None, description="used if a request names no model; absent: the first one"
    )
    api_key: Secret = Field(default=None, description="key that clients must send; absent: no key needed")
    device: Literal["cpu", "cuda"] = Field(default="cpu", description="device on which models run")
    precision: Literal["bfloat16"] | None = Field(
        default=None,
        description="bfloat16 where the processor has it (needs the extra bfloat16); absent: that of the model file",
    )
    threads: int | None = Field(default=None, ge=1, description="CPU threads per model; absent: all cores")
    batch_tiles: int | None = Field(
        default=None, ge=1, description="maximum of tiles per run; absent: as measured for the device"
    )
    batches_dir: Path | None = Field(
        default=None, description="folder that keeps the batches that were measured; absent: that of the models"
    )
    batch_wait_ms: float = Field(default=0.0, ge=0, le=1000, description="milliseconds that a run waits for more tiles")
    queue_tiles: int = Field(default=8192, ge=1, description="maximum of waiting tiles; further requests get 429")
    queue_s: float = Field(
        default=8.0, gt=0, description="seconds that a request may have to wait; further requests get 429"
    )
    request_tiles: int = Field(default=4096, ge=1, description="maximum of tiles per request; more get 413")
    request_files: int = Field(default=200, ge=1, description="maximum of files per request")
    request_pixels: int = Field(
        default=2**26, ge=1, description="maximum of pixels (channels × height × width) per request"
    )
    body_mib: int = Field(default=64, ge=1, description="maximum of MiB per request; more get 413")
    bodies_mib: int = Field(
        default=256, ge=1, description="maximum of MiB of all requests in progress; further ones get 429"
    )
    decoders: int = Field(default=2, ge=1, description="processes that decode image files")
    decoder_mib: int = Field(default=1536, ge=64, description="MiB that a decoder may use for one request")
    decode_s: float = Field(
        default=20.0, gt=0, description="seconds after which a decoder is ended, however little processor time it took"
    )
    cache_mib: int = Field(
        default=0, ge=0, description="MiB of vectors that are kept for requests with the same tiles; 0: none"
    )
    reload_s: float = Field(
        default=10.0, ge=0, description="seconds between looks for changed models; 0: only POST /models/reload"
    )
    deadline_s: float = Field(default=120.0, gt=0, description="seconds until a request fails with 504")
