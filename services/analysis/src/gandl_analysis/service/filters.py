"""Which wells, sites and hits of an analysis a client wants to see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from gandl_shared.schemas.screen import Hit, SiteScore, WellScore

_Scored = TypeVar("_Scored", WellScore, SiteScore)


@dataclass(frozen=True, kw_only=True)
class WellFilter:
    """Wells with these values, and the sites of such wells; None accepts every value."""

    role: str | None = None
    plate: str | None = None
    cell_line: str | None = None
    compound: str | None = None

    def select(self, scores: Iterable[_Scored]) -> list[_Scored]:
        """Return the wells or sites that have every value of this filter, in their order."""
        return [score for score in scores if self._accepts(score)]

    def _accepts(self, score: WellScore | SiteScore) -> bool:
        criteria = (self.role, self.plate, self.cell_line, self.compound)
        values = (score.role, score.plate, score.cell_line, score.compound)
        return all(criterion in (None, value) for criterion, value in zip(criteria, values, strict=True))


@dataclass(frozen=True, kw_only=True)
class HitFilter:
    """Hits within these limits; None accepts every value. Ranks are given earlier, so a filter never changes them."""

    cell_line: str | None = None
    verdicts: frozenset[str] | None = None
    max_q: float | None = None
    min_emax: float | None = None

    def select(self, hits: Iterable[Hit]) -> list[Hit]:
        """Return the hits that this filter accepts, in their order."""
        return [hit for hit in hits if self._accepts(hit)]

    def _accepts(self, hit: Hit) -> bool:
        """Return whether a hit passes; a missing q or Emax fails its own limit."""
        # A limit asks for evidence, and a missing value is none.
        if self.cell_line is not None and hit.cell_line != self.cell_line:
            return False
        if self.verdicts is not None and hit.verdict not in self.verdicts:
            return False
        if self.max_q is not None and (hit.q_value is None or hit.q_value > self.max_q):
            return False
        return self.min_emax is None or (hit.emax is not None and hit.emax >= self.min_emax)
