"""Fixtures of the tests of shared modules."""

from tests.shared.databases import db

__all__ = ["db"]
