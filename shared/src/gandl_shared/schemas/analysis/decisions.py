"""Decisions of people about the results of a screen, and the trail of them. Nothing in the trail is ever changed."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from gandl_shared.schemas.analysis.exclusions import Author, ExcludedItem, Name, Reason
from gandl_shared.schemas.base import Frozen
from gandl_shared.schemas.curve import CurveAssessment
from gandl_shared.schemas.vocabulary import Verdict

MAX_ITEMS = 2000
_EC50 = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class DecisionKind(StrEnum):
    """What a person decided.

    `exclude` leaves things out of the analysis and `restore` brings them back; both make a new version. `assess` sets a
    verdict or an EC50 beside the computed one, and `withdraw` takes that back; the versions stay as they are.
    """

    EXCLUDE = "exclude"
    RESTORE = "restore"
    ASSESS = "assess"
    WITHDRAW = "withdraw"

    @property
    def makes_version(self) -> bool:
        """Whether the analysis runs again."""
        return self in (DecisionKind.EXCLUDE, DecisionKind.RESTORE)


class AssessedCurve(Frozen):
    """A curve, and the verdict or the EC50 that a person sets beside the computed ones; both are null to withdraw."""

    compound: Name
    cell_line: Name
    verdict: Verdict | None = None
    ec50_um: _EC50 | None = None


class DecisionRequest(Frozen):
    """A decision: what, why and who. `version` is the analysis that the person looked at; absent: the newest.

    A new version has the parameters of that analysis and leaves out everything that stands excluded afterwards.
    """

    kind: DecisionKind
    items: Annotated[tuple[ExcludedItem, ...], Field(max_length=MAX_ITEMS)] = ()
    curve: AssessedCurve | None = None
    reason: Reason
    author: Author
    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None

    @model_validator(mode="after")
    def _subject_of_kind(self) -> DecisionRequest:
        if self.kind.makes_version:
            if not self.items or self.curve is not None:
                raise ValueError(f"{self.kind} needs items and no curve")
            repeated = [str(item) for item in self.items if self.items.count(item) > 1]
            if repeated:
                raise ValueError(f"items: {repeated[0]} is listed twice; name it once")
            return self
        if self.curve is None or self.items:
            raise ValueError(f"{self.kind} needs a curve and no items")
        has_value = self.curve.verdict is not None or self.curve.ec50_um is not None
        if has_value is not (self.kind is DecisionKind.ASSESS):
            raise ValueError("give a verdict, an EC50 or both to assess a curve, and none of them to withdraw")
        return self


class Decision(Frozen):
    """An entry of the trail. `number` counts the decisions about a screen from 1.

    `version` is the analysis that an exclusion or its end made, or the one that an assessment is about; it is null
    where a curve was assessed before any analysis was done.
    """

    screen: str
    number: int
    kind: DecisionKind
    items: tuple[ExcludedItem, ...] = ()
    curve: AssessedCurve | None = None
    reason: str
    author: str
    version: int | None
    created_at: str


class DecisionTrail(Frozen):
    """All decisions about a screen, oldest first, what is excluded now, and the assessments that stand now."""

    screen: str
    decisions: tuple[Decision, ...]
    excluded: tuple[ExcludedItem, ...]
    assessments: tuple[CurveAssessment, ...]
