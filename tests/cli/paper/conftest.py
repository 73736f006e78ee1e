"""One small screen in the form of RxRx19a for the tests of the paper's items, analysed once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from gandl.paper.features import PUBLISHED, read_screens
from gandl_analysis.pipeline.analyse import analyse
from gandl_analysis.pipeline.inputs import ScreenInput
from gandl_analysis.pipeline.result import ScreenAnalysis

from tests.cli.paper.small import write_rxrx19a


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the data."""
    return write_rxrx19a(tmp_path_factory.mktemp("small") / "rxrx19a", plates=1)


@pytest.fixture(scope="package")
def screens(folder: Path) -> Mapping[str, ScreenInput]:
    """The published features alone."""
    return read_screens(folder, ())


@pytest.fixture(scope="package")
def analyses(screens: Mapping[str, ScreenInput]) -> Mapping[str, ScreenAnalysis]:
    """The analysis of the published features, with controls held out."""
    return {PUBLISHED: analyse(screens[PUBLISHED]).analysis}
