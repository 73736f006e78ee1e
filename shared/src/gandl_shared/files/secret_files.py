"""Passwords and keys from files, which are in no list of processes and in no description of a container."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, SecretStr

_FOLDER = Path("/run/secrets")

SECRETS_FOLDER = str(_FOLDER) if _FOLDER.is_dir() else None
"""Docker and Kubernetes mount secrets there, one file each. A file with the name of a variable gives its value."""


def _none_if_empty(secret: SecretStr | None) -> SecretStr | None:
    return secret if secret is not None and secret.get_secret_value() else None


Secret = Annotated[SecretStr | None, AfterValidator(_none_if_empty)]
"""A password or a key; an empty file means that there is none."""
