"""Fixtures of the worker's tests."""

from tests.worker.bench import bench

__all__ = ["bench"]
