"""What the routes ask: given to them as a function, because it is opened when the application starts, not before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gandl_analysis.service.results import Results
from gandl_analysis.service.submissions import Screens
from gandl_analysis.settings import Settings


@dataclass(frozen=True)
class Services:
    """The parts behind the routes, open."""

    settings: Settings
    screens: Screens
    results: Results


Provider = Callable[[], Services]
"""Raises Unavailable before the application has started and after it has stopped."""
