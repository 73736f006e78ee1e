"""What a library raises on the bytes of a broken or hostile file, as one error of ours that names the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gandl_shared.errors import GandlError, InvalidImage, TooLarge


@contextmanager
def damage_named(name: str) -> Iterator[None]:
    """Raise InvalidImage for whatever a library raises in the block, TooLarge where it asked for too much memory.

    Errors of our own pass, and so do those of the system, such as a disk that does not answer: they say nothing about
    the content of the file.
    """
    try:
        yield
    except GandlError:
        raise
    except MemoryError as error:
        raise TooLarge(f"{name} needs more memory than there is for one image") from error
    except RecursionError as error:
        raise InvalidImage(f"{name} cannot be decoded: its structure is nested too deeply") from error
    except Exception as error:
        # Pillow and tifffile raise OSError without a number for broken bytes.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise InvalidImage(f"{name} cannot be decoded: {error or type(error).__name__}") from error
