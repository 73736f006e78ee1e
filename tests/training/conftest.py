"""Fixtures of the training tests; their values are defined in `tests.training.small_run`."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from gandl_training.config import TrainConfig
from gandl_training.data.source import Source

from tests.training.small_run import TINY_RUN, make_plate


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def tiny() -> TrainConfig:
    """The configuration of a run with the small network."""
    return TINY_RUN


@pytest.fixture
def plate(tmp_path: Path) -> Source:
    """The small plate."""
    return make_plate(tmp_path)
