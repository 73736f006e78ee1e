"""The file `.env.example`, generated from the settings classes: `python -m gandl.stack.env_example .env.example`."""

from __future__ import annotations

import sys
from pathlib import Path

import gandl_analysis.settings
import gandl_embedding.settings
import gandl_worker.settings
from pydantic_settings import BaseSettings

COMPOSE = """\
# Copy to .env and change what you need; every line shows a default. Compose reads .env by itself.

# The CUDA embedding service instead of the CPU one:
# COMPOSE_FILE=docker-compose.yml:docker-compose.gpu.yml

# Where the gateway listens, and what is mounted (read-only) as images and models.
# GANDL_BIND=127.0.0.1
# GANDL_PORT=8080
# The host names under which gandl answers, separated by commas; absent: addresses, and names that nobody can register.
# GANDL_ALLOWED_HOSTS=
# GANDL_IMAGES=./images
# GANDL_MODELS=./models
# Passwords and keys have no default and are no variables: `make secrets` writes them into the folder secrets/.

# Processors (whole numbers, at most those of the machine) and memory of one container.
# GANDL_EMBEDDING_CPUS=2
# GANDL_EMBEDDING_MEMORY=4g
# GANDL_ANALYSIS_CPUS=2
# GANDL_ANALYSIS_MEMORY=8g
# GANDL_WORKER_CPUS=1
# GANDL_WORKER_MEMORY=3g

# Images and results in S3, with docker-compose.s3.yml and the file secrets/aws-credentials: folders such as
# s3://bucket/store and s3://bucket/images.
# GANDL_STORE=
# GANDL_IMAGE_ROOT=/images
# AWS_ENDPOINT_URL=
# AWS_DEFAULT_REGION=us-east-1

# A collector of OpenTelemetry that the network `back` reaches, such as http://collector:4318; absent: no traces.
# OTEL_EXPORTER_OTLP_ENDPOINT=

# Base images.
# PYTHON_IMAGE=python:3.11-slim
# CUDA_IMAGE=nvidia/cuda:13.0.1-cudnn-runtime-ubuntu24.04
# NGINX_IMAGE=nginx:1.28-alpine
# NGINX_OTEL_IMAGE=nginx:1.28-alpine-otel
# VALKEY_IMAGE=valkey/valkey:9-alpine
# POSTGRES_IMAGE=postgres:18-alpine
"""

PARTS: tuple[tuple[str, type[BaseSettings]], ...] = (
    ("The embedding service", gandl_embedding.settings.Settings),
    ("The worker", gandl_worker.settings.Settings),
    ("The analysis service and its worker", gandl_analysis.settings.Settings),
)

SECRET = ("database_password", "broker_password", "embedding_api_key", "api_key", "reader_key")
"""Settings that the compose file takes from the folder secrets/."""

_ADDRESSES = ("database_url", "store", "broker_url", "embedding_url", "image_root", "models_dir", "device")
FIXED = (*_ADDRESSES, "batches_dir", "heartbeat", "threads", *SECRET)
"""Settings that the compose file sets itself."""


def render() -> str:
    """Return the text of the whole file."""
    return "\n".join([COMPOSE, *(_section(title, settings) for title, settings in PARTS)])


def variables(settings: type[BaseSettings]) -> dict[str, str]:
    """Return the field of a settings class for each environment variable."""
    prefix = settings.model_config["env_prefix"]
    return {f"{prefix}{name}".upper(): name for name in settings.model_fields}


def _section(title: str, settings: type[BaseSettings]) -> str:
    lines = [f"# {title}"]
    for variable, name in variables(settings).items():
        field = settings.model_fields[name]
        # A setting without a default is shown empty, which compose reads as not set.
        default = "" if field.default is None else field.default
        source = "; a file of secrets/ in the compose file" if name in SECRET else "; set by the compose file"
        fixed = source if name in FIXED else ""
        lines += [f"# {field.description}{fixed}", f"# {variable}={default}"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(render(), encoding="utf-8")
