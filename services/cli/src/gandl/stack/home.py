"""The folder of an embedded stack: database, vectors, logs and secrets. One stack uses it at a time."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from dataclasses import asdict, dataclass
from io import TextIOWrapper
from pathlib import Path

from gandl_shared.errors import BadInput
from gandl_shared.files.atomic import atomic_file


@dataclass(frozen=True)
class Running:
    """The process and the address of a running stack, for a second start that finds its folder."""

    pid: int
    url: str


@dataclass(frozen=True)
class Home:
    """The folder of a stack and the files and folders inside."""

    root: Path

    @property
    def database_url(self) -> str:
        """The SQLAlchemy address of the SQLite file."""
        return f"sqlite:///{self.root / 'gandl.db'}"

    @property
    def store(self) -> Path:
        """The folder of vectors and results."""
        return self.root / "store"

    @property
    def logs(self) -> Path:
        """The folder with one log file per process."""
        return self.root / "logs"

    @property
    def valkey(self) -> Path:
        """The folder of Valkey's append-only file."""
        return self.root / "valkey"

    def create(self) -> None:
        """Create the folders, readable by their owner only. Raises BadInput where that is impossible."""
        try:
            for folder in (self.root, self.store, self.logs, self.valkey):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(f"{self.root} cannot hold a stack: {error.strerror}; give another --home") from error

    def lock(self) -> TextIOWrapper | None:
        """Return an open file that locks this folder until it is closed, or None if a running stack has the lock."""
        # The operating system releases this lock when the process ends, even if it is killed.
        file = (self.root / "lock").open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        return file

    def publish_address(self, url: str) -> None:
        """Write process and address of this stack for a second start."""
        with atomic_file(self.root / "up.json") as file:
            file.write(json.dumps(asdict(Running(os.getpid(), url))).encode())

    def remove_address(self) -> None:
        """Remove the address, because the stack stops."""
        (self.root / "up.json").unlink(missing_ok=True)

    def running(self) -> Running | None:
        """Return the address of the stack that has the lock, or None while it starts."""
        path = self.root / "up.json"
        return Running(**json.loads(path.read_text())) if path.exists() else None

    def secret(self) -> str:
        """Return the password of this stack's broker, which is drawn at the first start."""
        path = self.root / "secret"
        if not path.exists():
            # The file is private from its first moment; a chmod afterwards would come too late.
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(16))
        return path.read_text()
