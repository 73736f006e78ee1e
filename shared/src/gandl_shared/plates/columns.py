"""Column names of a plate map with and without pycytominer's prefix `Metadata_`."""

from __future__ import annotations

METADATA_PREFIX = "Metadata_"


def plain_column(name: str) -> str:
    """Return the name of a column without the prefix, which is recognised in any case; the rest keeps its case."""
    return name[len(METADATA_PREFIX) :] if has_metadata_prefix(name) else name


def metadata_column(name: str) -> str:
    """Return the name of a column with the prefix, which is the form that gandl writes to files."""
    return METADATA_PREFIX + plain_column(name)


def has_metadata_prefix(name: str) -> bool:
    """Return True if the name of a column begins with the prefix, in any case."""
    return name.lower().startswith(METADATA_PREFIX.lower())
