"""The choice of a user, as a request, an option or a parameter states it, as the request of a fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gandl_science.dose_response.families.request import CurveRequest, Limits, ModelRequest, Plateau
from gandl_shared.errors import Invalid, Problem, raise_if
from gandl_shared.plates.tables.names import fold_name
from gandl_shared.schemas.curve import CurveChoice
from gandl_shared.schemas.vocabulary import Role

from gandl_analysis.pipeline.curves.weighting import screen_weights

if TYPE_CHECKING:
    # `gandl fit` reads no screen, and each schema takes time to build.
    from gandl_shared.plates import Well
    from gandl_shared.schemas.analysis import AnalysisParameters


def check_curves(parameters: AnalysisParameters, wells: Sequence[Well]) -> None:
    """Raise Invalid where the curves that an analysis asks for cannot be had from the used `wells` of a screen."""
    curve_request(parameters.curves)
    screen_weights(parameters, wells)
    name = parameters.curves.reference
    if name is not None and fold_name(name) not in _treatments(wells):
        detail = f"no treatment of the plate map is named '{name}'; give the compound as the plate map names it"
        raise_if([Problem(detail, field="curves.reference")], Invalid, "potencies cannot be related")


def _treatments(wells: Sequence[Well]) -> set[str]:
    return {fold_name(well.compound) for well in wells if well.role is Role.TREATMENT and well.compound}


def curve_request(choice: CurveChoice, prefix: str = "curves.") -> CurveRequest:
    """Return the request of a fit. Raises Invalid naming each field, with the prefix before its name, and the fix."""
    problems: list[Problem] = []
    limits = {name: _limits(name, getattr(choice, name), prefix, problems) for name in ("bottom", "top", "slope")}
    raise_if(problems, Invalid, "the curves cannot be fitted so")
    try:
        return CurveRequest(
            model=ModelRequest(choice.model), shared=frozenset(Plateau(name) for name in choice.share), **limits
        )
    except ValueError as error:
        field, _, detail = str(error).partition(": ")
        raise_if([Problem(detail, field=f"{prefix}{field}")], Invalid, "the curves cannot be fitted so")
        raise


def _limits(name: str, value: float | str | None, prefix: str, problems: list[Problem]) -> Limits | None:
    if value is None:
        return None
    try:
        return Limits(value, value) if isinstance(value, int | float) else Limits.parse(value)
    except ValueError as error:
        problems.append(Problem(str(error), field=f"{prefix}{name}"))
        return None
