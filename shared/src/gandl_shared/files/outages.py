"""Whether a file is at fault, or the storage that should hold it is away for a moment.

A file that is damaged, missing in its folder or forbidden stays so, and its site is put aside. A folder that is gone, a
full disk and a server that does not answer come back, so the work has to wait for them.
"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from gandl_shared.errors import Outage

MIN_FREE_BYTES = 2**24
"""A disk with less room counts as full: a batch of vectors and the log of a database need some megabytes."""

_ABSENT = (errno.ENOENT, errno.ENOTDIR)
_FORBIDDEN = (errno.EACCES, errno.EPERM)
_FAULTS_OF_THE_FILE = (
    errno.EINVAL,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.EFBIG,
    errno.EOVERFLOW,
    errno.EILSEQ,
    errno.ENXIO,
)
_TOO_MANY_REQUESTS, _SERVER_FAULT = 429, 500
_CONNECTION_ERRORS = ("ClientConnectionError", "HTTPClientError", "ConnectionError")
_CREDENTIAL_ERRORS = ("NoCredentialsError", "CredentialRetrievalError")
"""The roots of the errors of aiohttp and of botocore for a connection that fails, and for credentials that are away."""
_REFUSED_CREDENTIALS = (
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
)
_ABSENT_BUCKET = "NoSuchBucket"
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NONBLOCK


def outage(error: OSError, path: Path, *, folder: Path | None = None) -> Outage | None:
    """Return the error of a storage that is away, or None if the file at `path` is itself at fault.

    `error` was raised when `path` was opened, read or written. A file that cannot be found or is forbidden is at fault
    only if its folder can be read and holds other files: a mount that is away leaves an empty folder or none. `folder`
    is given where the folders of `path` below it may be missing too.
    """
    number = error.errno
    if number in _ABSENT or isinstance(error, FileNotFoundError):
        # A link may lead to another disk, so the folder that really holds the file counts.
        file = Path(os.path.realpath(path))
        reason = _missing_folder(file, file.parent if folder is None else Path(os.path.realpath(folder)))
    elif number in _FORBIDDEN:
        reason = _closed_folder(path.parent)
    elif number in _FAULTS_OF_THE_FILE or not _is_of_a_system(error):
        reason = None
    else:
        # Anything else is the state of a disk, a network or this machine, such as EIO, ENOSPC, ESTALE or EMFILE.
        reason = f"{path} cannot be reached for the moment: {error.strerror or error}"
    return None if reason is None else Outage(reason)


def is_remote_outage(error: Exception) -> bool:
    """Return True if a server did not answer, is busy or at fault itself, or refuses the bucket or the credentials.

    The clients of HTTP and S3 have classes of their own for this, which are known by their names, so that the clients
    need not be there.
    """
    if code_of_store(error) in (*_REFUSED_CREDENTIALS, _ABSENT_BUCKET):
        return True
    if isinstance(error, OSError) and _is_of_a_system(error):
        return error.errno not in (*_ABSENT, *_FORBIDDEN, *_FAULTS_OF_THE_FILE)
    status = getattr(error, "status", None)
    if isinstance(status, int):
        return status == _TOO_MANY_REQUESTS or status >= _SERVER_FAULT
    return any(kind.__name__ in (*_CONNECTION_ERRORS, *_CREDENTIAL_ERRORS) for kind in type(error).__mro__)


def code_of_store(error: Exception) -> str | None:
    """Return the code in the answer of S3 that a client turned into this error of Python, or None."""
    response = getattr(error.__cause__, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    return code if isinstance(code, str) else None


def low_space(folder: Path) -> str | None:
    """Return a sentence if the disk of a folder is full or nearly so, else None. Raises OSError if it is away."""
    free = shutil.disk_usage(folder).free
    if free >= MIN_FREE_BYTES:
        return None
    return f"the disk of {folder} is full: {free / 2**20:.1f} MiB are left, {MIN_FREE_BYTES / 2**20:.0f} are needed"


def _is_of_a_system(error: OSError) -> bool:
    """Return True for an error with a number of the operating system, or of a connection; libraries raise others."""
    return error.errno is not None or isinstance(error, (TimeoutError, ConnectionError))


def _missing_folder(file: Path, folder: Path) -> str | None:
    """Return why the folder of an absent file counts as away, or None if the file alone is missing."""
    try:
        descriptor = os.open(folder, _FOLDER_FLAGS)
    except NotADirectoryError:
        return None
    except OSError as error:
        return f"the folder {folder} cannot be reached for the moment: {error.strerror}"
    try:
        # The open folder is asked, because its path may lead to another one before and after.
        if _holds(descriptor, os.path.relpath(file, folder)):
            return f"the folder {folder} was away for a moment"
        with os.scandir(descriptor) as entries:
            if next(entries, None) is None:
                return f"the folder {folder} is empty, as if its disk were not mounted"
    except OSError as error:
        return f"the folder {folder} cannot be reached for the moment: {error.strerror}"
    finally:
        os.close(descriptor)
    return None


def _holds(descriptor: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=descriptor)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _closed_folder(folder: Path) -> str | None:
    """Return why a folder counts as away, or None if its files may be opened."""
    if os.access(folder, os.R_OK | os.X_OK):
        return None
    return f"the folder {folder} cannot be opened for the moment: permission denied"
