"""Where an embedded stack keeps everything: one folder, held by one stack at a time."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from dataclasses import asdict, dataclass
from io import TextIOWrapper
from pathlib import Path

from gandl_shared.errors import BadInput


@dataclass(frozen=True)
class Running:
    """What a running stack says of itself to whoever finds its folder."""

    pid: int
    url: str


@dataclass(frozen=True)
class Home:
    """The folder of a stack and the places in it."""

    root: Path

    @property
    def database_url(self) -> str:
        """SQLAlchemy address of the SQLite file."""
        return f"sqlite:///{self.root / 'gandl.db'}"

    @property
    def store(self) -> Path:
        """Vectors and results."""
        return self.root / "store"

    @property
    def logs(self) -> Path:
        """One log file a process."""
        return self.root / "logs"

    @property
    def valkey(self) -> Path:
        """Valkey's append-only file."""
        return self.root / "valkey"

    def make(self) -> None:
        """Make the folders, readable by their owner only."""
        try:
            for folder in (self.root, self.store, self.logs, self.valkey):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(f"{self.root} cannot hold a stack: {error.strerror}; give another --home") from error

    def lock(self) -> TextIOWrapper | None:
        """The lock of this folder while the returned file is open, or None where a running stack has it."""
        file = (self.root / "lock").open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        return file

    def say_running(self, url: str) -> None:
        """Leave the address for a second start to find."""
        temporary = self.root / ".up.json.tmp"
        temporary.write_text(json.dumps(asdict(Running(os.getpid(), url))))
        temporary.replace(self.root / "up.json")

    def say_stopped(self) -> None:
        """Take the address away."""
        (self.root / "up.json").unlink(missing_ok=True)

    def running(self) -> Running | None:
        """What the stack that holds the lock said, once it is up."""
        path = self.root / "up.json"
        return Running(**json.loads(path.read_text())) if path.exists() else None

    def secret(self) -> str:
        """The password of this stack's broker, made once."""
        path = self.root / "secret"
        if not path.exists():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(16))
        return path.read_text()
