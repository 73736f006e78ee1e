"""What a user asks of the curves: a model, and limits of plateaus and slope that are fixed, bounded or shared."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum


class ModelRequest(StrEnum):
    """The models that can be asked for. `auto`: the data choose among constant, Hill and gain-loss."""

    AUTO = "auto"
    HILL = "hill"
    FIVE_PARAMETER = "5pl"
    GAIN_LOSS = "gain_loss"
    BRAIN_COUSENS = "brain_cousens"


class Plateau(StrEnum):
    """The two plateaus of a curve, by height."""

    BOTTOM = "bottom"
    TOP = "top"


@dataclass(frozen=True)
class Limits:
    """The values from `low` to `high` that a parameter may have; equal limits fix it.

    Raises ValueError where a limit is not a number, where both sides are open, or where `low` is above `high`.
    """

    low: float = -math.inf
    high: float = math.inf

    def __post_init__(self) -> None:
        if math.isnan(self.low) or math.isnan(self.high) or self.low == math.inf or self.high == -math.inf:
            raise ValueError(f"limits must be numbers, got {self.low:g} and {self.high:g}")
        if self.low > self.high:
            raise ValueError(f"the lower limit {self.low:g} is above the upper limit {self.high:g}; exchange them")
        if self.low == -math.inf and self.high == math.inf:
            raise ValueError("the limits are open on both sides; leave them out")

    @property
    def is_fixed(self) -> bool:
        """True if only one value is allowed."""
        return self.low == self.high

    @classmethod
    def parse(cls, text: str) -> Limits:
        """Return the limits of `100` (fixed), `0:10` (bounds), `0:` or `:10` (one bound).

        Raises ValueError for anything else.
        """
        low, colon, high = text.strip().partition(":")
        try:
            if not colon:
                low = high = str(_number(low))
            limits = (_number(low) if low.strip() else -math.inf, _number(high) if high.strip() else math.inf)
        except ValueError as error:
            raise ValueError(f"'{text}' is neither a number, such as 100, nor bounds, such as 0:10") from error
        return cls(*limits)


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


MAX_SLOPE = 50.0
"""Steeper curves are steps: between two doses of a series there is nothing that tells them apart."""
_LIMITED_MODELS = frozenset(
    {ModelRequest.AUTO, ModelRequest.HILL, ModelRequest.FIVE_PARAMETER, ModelRequest.BRAIN_COUSENS}
)


@dataclass(frozen=True, kw_only=True)
class CurveRequest:
    """The model and the limits of the curves. None: the parameter is free, a slope within the limits of `CurveOptions`.

    `bottom` is the lower and `top` the upper plateau, whether a curve rises or falls. A plateau in `shared` has one
    value for all compounds of a group (a cell line), which is estimated from all of them. Raises ValueError where the
    choices contradict each other; the message begins with the name of the field.
    """

    model: ModelRequest = ModelRequest.AUTO
    bottom: Limits | None = None
    top: Limits | None = None
    slope: Limits | None = None
    shared: frozenset[Plateau] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        for problem in self._problems():
            raise ValueError(problem)

    def _problems(self) -> Iterator[str]:
        if self.bottom is not None and self.top is not None and self.bottom.low >= self.top.high:
            yield (
                f"bottom: {self.bottom.low:g} is not below the top, which is at most {self.top.high:g}; bottom is the "
                "lower plateau, also of a curve that falls"
            )
        for plateau in Plateau:
            limits = self.limits_of(plateau)
            if plateau in self.shared and limits is not None and limits.is_fixed:
                yield f"share: {plateau} is fixed at {limits.low:g}, so nothing is left to share; leave one of them out"
        if self.slope is not None and not 0 < self.slope.low <= self.slope.high <= MAX_SLOPE:
            yield f"slope: give numbers above 0 and up to {MAX_SLOPE:g}; a falling curve has a positive slope as well"
        if self.has_limits and self.model not in _LIMITED_MODELS:
            yield f"model: {self.model} has no limits; leave out bottom, top, slope and share, or choose another model"
        if self.model is ModelRequest.BRAIN_COUSENS and self.slope is not None and self.slope.high <= 1:
            yield "slope: a Brain-Cousens curve falls only with a slope above 1"

    def limits_of(self, plateau: Plateau) -> Limits | None:
        """Return the limits of a plateau, None where it is free."""
        return self.bottom if plateau is Plateau.BOTTOM else self.top

    @property
    def has_limits(self) -> bool:
        """True if any parameter is fixed, bounded or shared."""
        return bool(self.shared) or any(limits is not None for limits in (self.bottom, self.top, self.slope))

    @property
    def needs_refit(self) -> bool:
        """True if the curves are other than those of the solver of Hill and gain-loss curves."""
        return self.has_limits or self.model in (ModelRequest.FIVE_PARAMETER, ModelRequest.BRAIN_COUSENS)
