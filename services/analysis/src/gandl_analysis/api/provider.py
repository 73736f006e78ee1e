"""What the routes call. They get it as a function, because it is opened when the application starts, not earlier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gandl_analysis.service.analyses.decisions import Decisions
from gandl_analysis.service.intake.desk import Intake
from gandl_analysis.service.pixels.pictures import Pictures
from gandl_analysis.service.results import Results
from gandl_analysis.service.submissions import Submissions
from gandl_analysis.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Services:
    """The open parts behind the routes."""

    settings: Settings
    submissions: Submissions
    results: Results
    decisions: Decisions
    intake: Intake
    pictures: Pictures


Provider = Callable[[], Services]
"""Raises Unavailable before the application has started and after it has stopped."""
