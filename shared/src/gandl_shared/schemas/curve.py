"""A dose-response curve, the same on the wire, in a stored analysis, and as a line of `gandl fit`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from gandl_shared.schemas.base import Frozen
from gandl_shared.schemas.vocabulary import Flag, Verdict


class CurveModel(StrEnum):
    """The models of a curve: no change with dose, one sigmoid, a rise that is followed by a fall, a sigmoid that is not
    symmetric, or a stimulation before the effect."""

    CONSTANT = "constant"
    HILL = "hill"
    GAIN_LOSS = "gain_loss"
    FIVE_PARAMETER = "5pl"
    BRAIN_COUSENS = "brain_cousens"


class Relation(StrEnum):
    """How a reported concentration relates to the true one: it is the estimate, an upper bound or a lower bound."""

    EQUAL = "="
    BELOW = "<"
    ABOVE = ">"


class WindowLimit(StrEnum):
    """What ends the therapeutic window: cells that leave the controls, the loss of the effect, or the highest dose."""

    OFF_AXIS = "off_axis"
    LOSS = "loss"
    TOP_DOSE = "top_dose"


class CurveParameter(Frozen):
    """An estimate with its standard error (null where there is none), and whether it is at its bound. `is_fixed`: the
    user has fixed the value, so it is not estimated. `low` and `high` are the profile interval of a slope; null on an
    open side and for the other parameters."""

    estimate: float
    se: float | None
    at_bound: bool
    is_fixed: bool = False
    low: float | None = None
    high: float | None = None


class CurveCovariance(Frozen):
    """The covariance of the parameters that are not at a bound: EC50s in the unit of the concentrations."""

    parameters: tuple[str, ...]
    matrix: tuple[tuple[float, ...], ...]


class CurveLocation(Frozen):
    """A concentration that a curve determines. `value` is the estimate (`=`) or a bound that is certain (`<`, `>`), and
    null where there is neither. `low` or `high` is null where the interval is open on that side."""

    value: float | None
    relation: Relation | None
    low: float | None
    high: float | None
    unit: str
    method: str


class CurveEmax(Frozen):
    """The largest effect within the tested doses: that of the fit, and the best dose mean with its dose. `se`, `low`
    and `high` are those of `fitted`; with known controls they include the error of the controls."""

    fitted: float | None
    observed: float | None
    at: float | None
    se: float | None = None
    low: float | None = None
    high: float | None = None


class CurveArea(Frozen):
    """The standard error and the interval of the area."""

    se: float
    low: float
    high: float


class CurveStimulation(Frozen):
    """The concentration at which a Brain-Cousens curve is stimulated most, and the fitted response there."""

    at: float
    response: float


class CurvePoint(Frozen):
    """One well. `weight` is 1 for an ordinary well, less for a downweighted outlier, and 0 for an excluded well;
    `excluded` says why. `fitted` is the curve at its concentration. A well that `is_vehicle` belongs to several
    compounds."""

    concentration: float | None
    efficacy: float | None
    plate: str | None
    well: str | None
    weight: float
    excluded: str | None
    fitted: float | None = None
    is_vehicle: bool = False


class CurveDose(Frozen):
    """One tested dose: the mean of its wells and its bootstrap interval (null with fewer than three wells)."""

    concentration: float
    mean: float
    low: float | None
    high: float | None
    n_wells: int


class CurveWindow(Frozen):
    """The therapeutic window, from the EC50 to the first sign of toxicity. `relation` is `>` where the window is at
    least so wide: there is no sign up to `high`, or the EC50 is below `low`."""

    low: float
    high: float
    fold: float
    relation: Literal[Relation.EQUAL, Relation.ABOVE]
    limited_by: WindowLimit


class CurveOffAxisPoint(Frozen):
    """The mean off-axis distance of the wells of one dose from the controls.

    `limit` is what it must exceed to deviate, at the efficacy of these wells, and `p_value` how often wells that are
    like the held-out controls there are so far out; null where no controls are known.
    """

    concentration: float
    distance: float
    n_wells: int
    limit: float | None = None
    p_value: Annotated[float, Field(ge=0, le=1)] | None = None


class CurveOffAxis(Frozen):
    """The off-axis distance per dose.

    `departs_at` is the onset: the lowest dose from which all are beyond their limit and the level of the test. `limit`
    is that of all controls together. `p_value` is that of the highest dose, and `q_value` is adjusted within the cell
    line (Benjamini and Hochberg); both are null where no controls are known.
    """

    departs_at: float | None = None
    limit: float | None = None
    p_value: Annotated[float, Field(ge=0, le=1)] | None = None
    q_value: Annotated[float, Field(ge=0, le=1)] | None = None
    points: tuple[CurveOffAxisPoint, ...] = ()


class CurveAssessment(Frozen):
    """What a person set beside a curve: a verdict, an EC50 in µM, or both, with the decision in the screen's trail."""

    screen: str
    compound: str
    cell_line: str
    verdict: Verdict | None
    ec50_um: float | None
    author: str
    reason: str
    decision: int
    created_at: str


class Curve(Frozen):
    """The curve of one compound in one cell line. `bottom` and `top` of a Hill, 5PL or Brain-Cousens curve are its
    lower and its upper plateau; `fitted` are (concentration, response) pairs over the tested doses, and `band` the
    confidence band (low, high) of the curve at these. `ec50` is relative (half-way between the plateaus of the curve);
    `absolute_ec50` is where the curve reaches `absolute_level`. docs/dose-response.md has the rules of verdict and
    flags."""

    compound: str
    cell_line: str
    screen: str | None
    model: CurveModel
    aicc: Mapping[CurveModel, float | None]
    params: Mapping[str, CurveParameter]
    ec50: CurveLocation
    loss_ec50: CurveLocation | None
    crosses_zero_at: float | None
    emax: CurveEmax
    auc: float | None
    p_value: Annotated[float, Field(ge=0, le=1)] | None
    q_value: Annotated[float, Field(ge=0, le=1)] | None
    lack_of_fit_p: Annotated[float, Field(ge=0, le=1)] | None
    n_doses: int
    n_wells: int
    verdict: Verdict
    flags: tuple[Flag, ...]
    points: tuple[CurvePoint, ...]
    fitted: tuple[tuple[float, float], ...]
    off_axis: CurveOffAxis = CurveOffAxis()
    doses: tuple[CurveDose, ...] = ()
    window: CurveWindow | None = None
    stimulation: CurveStimulation | None = None
    absolute_level: float | None = None
    absolute_ec50: CurveLocation | None = None
    auc_interval: CurveArea | None = None
    sigma: float | None = None
    residual_df: float | None = None
    covariance: CurveCovariance | None = None
    band: tuple[tuple[float, float], ...] = ()
    hit_probability: Annotated[float, Field(ge=0, le=1, description="how often it would be a hit again")] | None = None
    metadata: Mapping[str, str] = Field(default_factory=dict, description="further columns of the plate map, joined")


CurveModelName = Literal["auto", "hill", "5pl", "gain_loss", "brain_cousens"]
PlateauName = Literal["bottom", "top"]
WeightSource = Literal["none", "column"]
_Limits = Annotated[float, Field(allow_inf_nan=False)] | Annotated[str, Field(max_length=60)]


class CurveChoice(Frozen):
    """The form of the curves. A number fixes a parameter, a text such as `0:10` bounds it; null leaves it free.

    docs/dose-response.md says what each model is and how limits act.
    """

    model: CurveModelName = Field(default="auto", description="`auto`: the data choose among constant, Hill, gain-loss")
    bottom: _Limits | None = Field(default=None, description="the lower plateau, also of a curve that falls")
    top: _Limits | None = Field(default=None, description="the upper plateau")
    slope: _Limits | None = Field(default=None, description="the Hill slope, which is above zero")
    share: Annotated[tuple[PlateauName, ...], Field(max_length=2)] = Field(
        default=(), description="plateaus that are common to all compounds of a cell line"
    )
    absolute: Annotated[float, Field(gt=-1, lt=1)] | None = Field(
        default=None,
        description="the efficacy at which the absolute EC50 is read, between the controls at -1 and 1; null: 0",
    )
    weights: WeightSource = Field(
        default="none",
        description="`column`: the column `weight` of the plate map has the relative weight of each well; an error in "
        "proportion to the response has no meaning for efficacies, which pass through 0",
    )
    reference: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None,
        description="the compound to which the potency of the others in its cell line is related, with a test of "
        "parallel curves: the table `potency_ratios.csv`",
    )
