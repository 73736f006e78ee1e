"""Fixtures of the tests of what all services share."""

from tests.shared.web.parts import client

__all__ = ["client"]
