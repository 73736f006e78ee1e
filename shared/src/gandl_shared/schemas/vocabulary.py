"""The vocabulary of results: verdicts, flags, image problems and well roles, with label, sentence, order and colour.

Every surface (tables, plots, report, pages, rankings) reads these enums, so that one thing has one name everywhere. The
value of a member is what CSV and JSON hold. The members of an enum are defined in the order in which they are shown.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self

EXCLUSION_BY = "excluded by "
"""The text beside a well or a point that a person left out begins with this; that of image QC begins otherwise."""


class Colour(StrEnum):
    """A colour of the palette: a CSS variable of this name on pages, a hexadecimal value in the style of figures."""

    ACTIVE = "active"
    TOXIC = "toxic"
    UNDETERMINED = "undetermined"
    INACTIVE = "inactive"
    POSITIVE = "positive"
    NEGATIVE = "negative"
    TREATMENT = "treatment"
    MUTED = "muted"


class Term(StrEnum):
    """A word of the results: the value is written to files, `label` and `meaning` (one sentence) are read by people.

    `mark` is a sign that stands beside the label, because colour alone does not reach every reader.
    """

    _value_: str
    label: str
    meaning: str
    colour: Colour
    mark: str

    # A type checker reads Role("treatment"), a look-up by value, as a call of this: hence the defaults.
    def __new__(
        cls, value: str, label: str = "", meaning: str = "", colour: Colour = Colour.MUTED, mark: str = ""
    ) -> Self:
        term = str.__new__(cls, value)
        term._value_ = value
        term.label, term.meaning, term.colour, term.mark = label, meaning, colour, mark
        return term

    @property
    def order(self) -> int:
        """The position of the term among the terms of its enum, from 0."""
        return list(type(self)).index(self)


class Verdict(Term):
    """What a compound does to the cells of one cell line."""

    ACTIVE = (
        "active",
        "active",
        "The compound moves cells toward the positive control as the dose rises.",
        Colour.ACTIVE,
        "●",
    )
    ACTIVE_BIPHASIC = (
        "active_biphasic",
        "active, then falling",
        "The compound moves cells toward the positive control, and the effect is lost at higher doses.",
        Colour.ACTIVE,
        "◐",
    )
    UNDETERMINED = (
        "undetermined",
        "undetermined",
        "The data do not decide; the flags give the reason.",
        Colour.UNDETERMINED,
        "?",
    )
    INACTIVE = (
        "inactive",
        "inactive",
        "No dose differs from the negative control by more than chance.",
        Colour.INACTIVE,
        "○",
    )
    TOXIC = (
        "toxic",
        "toxic",
        "The compound changes cells, but away from both controls: a sign of toxicity, not of rescue.",
        Colour.TOXIC,
        "✕",
    )

    @property
    def is_active(self) -> bool:
        """True for the two verdicts of a compound that works."""
        return self in (Verdict.ACTIVE, Verdict.ACTIVE_BIPHASIC)


class Flag(Term):
    """A reason for a verdict, or a warning about a curve. A curve can have several."""

    INACTIVE = "inactive", "inactive", "The response does not change with dose by more than chance."
    CONTROLS_AT_CHANCE = (
        "controls_at_chance",
        "controls at chance",
        "Held-out control wells are separated no better than by chance, so that no effect has a direction; repeat the "
        "assay.",
    )
    ACTIVE_AT_ALL_DOSES = (
        "active_at_all_doses",
        "active at all doses",
        "The compound is already active at the lowest dose tested; test lower doses to find the EC50.",
    )
    ACTIVE_AT_LOWEST_DOSE = (
        "active_at_lowest_dose",
        "active at lowest dose",
        "The compound is active at the lowest dose tested and loses the effect above it; test lower doses to see the "
        "effect rise.",
    )
    EC50_ABOVE_RANGE = (
        "ec50_above_range",
        "EC50 above range",
        "Half of the effect is reached above the highest dose tested; only a lower bound of the EC50 is known.",
    )
    EC50_BELOW_RANGE = (
        "ec50_below_range",
        "EC50 below range",
        "Half of the effect is reached below the lowest dose tested; only an upper bound of the EC50 is known.",
    )
    EC50_NEAR_DOSE_LIMIT = (
        "ec50_near_dose_limit",
        "EC50 near dose limit",
        "The EC50 lies between the two lowest or the two highest doses; if the true one is beyond the doses, only "
        "curves that bend early by chance show an EC50, and their intervals miss it, so add doses beyond.",
    )
    TOP_NOT_REACHED = (
        "top_not_reached",
        "top not reached",
        "The curve still rises at the highest dose, so its plateau is an extrapolation.",
    )
    BIPHASIC_TOXIC_DROP = "biphasic_toxic_drop", "biphasic toxic drop", "The effect falls again at high doses."
    SINGLE_DOSE_ACTIVITY = (
        "single_dose_activity",
        "single dose activity",
        "Only one dose differs from the others; repeat it before believing it.",
    )
    NEGATIVE_DIRECTION = (
        "negative_direction",
        "negative direction",
        "The compound moves cells away from the positive control.",
    )
    HIGH_OFF_PERTURBATION = (
        "high_off_perturbation",
        "high off perturbation",
        "The cells look like neither control: they change in a direction across the control axis.",
    )
    LACK_OF_FIT = (
        "lack_of_fit",
        "lack of fit",
        "The curve misses the dose means by more than the replicates scatter.",
    )
    LOW_REPLICATES = (
        "low_replicates",
        "low replicates",
        "There are fewer replicates than are needed to judge scatter; intervals are wide or absent.",
    )
    FEW_DOSES = "few_doses", "few doses", "There are too few doses to fit a curve well."
    OUTLIERS_DOWNWEIGHTED = (
        "outliers_downweighted",
        "outliers downweighted",
        "One or more wells are far from their replicates and count less.",
    )
    SLOPE_AT_BOUND = (
        "slope_at_bound",
        "slope at bound",
        "The slope reached the limit of the fit, so its error cannot be stated.",
    )
    LIMBS_OVERLAP = (
        "limbs_overlap",
        "limbs overlap",
        "The effect is lost before it is complete, so the EC50s of its rise and its fall cannot be told apart; the "
        "concentration at which the curve crosses the midpoint of the controls is told where there is one.",
    )
    UNEQUAL_SCATTER = (
        "unequal_scatter",
        "unequal scatter",
        "The wells of the dose that differs most scatter more than the others; the p-value allows for that, but the "
        "curve and its intervals do not, and an undetermined effect may be scatter: repeat that dose.",
    )
    ASSUMES_EQUAL_SCATTER = (
        "assumes_equal_scatter",
        "assumes equal scatter",
        "The effect is significant only if all doses scatter equally: without one dose, or with a scatter of its own "
        "for it, nothing is significant, and its few wells cannot show that they scatter equally; repeat it with "
        "more wells, or add a dose beside it.",
    )
    MANY_OUTLIERS = (
        "many_outliers",
        "many outliers",
        "A tenth of the wells or more are far from their replicates, so the noise is not normal, and p-values and "
        "intervals are rough; where more than a fifth are, none of them counts less.",
    )
    CONFOUNDED_WITH_PLATE = (
        "confounded_with_plate",
        "confounded with plate",
        "Doses lie on different plates that share no dose, so an effect of the dose and a difference between plates "
        "cannot be told apart; put all doses on each plate.",
    )
    EMPTY_WELLS = (
        "empty_wells",
        "empty wells",
        "Some wells hold no cells and are left out of the curve; if replicates agree, the cells were killed.",
    )
    EQUAL_REPLICATES = (
        "equal_replicates",
        "equal replicates",
        "Replicates are equal at every dose, as after rounding or copying; p-values and intervals promise too much.",
    )


class ImageReason(Term):
    """What image quality control objects to in a field of view."""

    EMPTY = "empty", "empty", "No cells can be recognised in any channel."
    DEAD = (
        "dead",
        "dead channel",
        "A channel shows nothing although another channel shows cells, as if its lamp or laser were off.",
    )
    OVEREXPOSED = "overexposed", "overexposed", "Most of a channel is white."
    COPY = "copy", "copied channel", "Two channels show the same pixels, so that one of them is missing."
    SATURATED = "saturated", "saturated", "The bright parts of a channel are cut off."
    STRIPED = "striped", "striped", "Whole rows or columns of pixels are brighter or darker than the next ones."
    BLURRED = "blurred", "blurred", "A channel is out of focus in comparison with the other fields of its plate."

    @property
    def loses_a_channel(self) -> bool:
        """True for the problems by which the content of a channel is missing."""
        return self in (ImageReason.DEAD, ImageReason.COPY)


class Role(Term):
    """What a well is for. The positive control is the state that a compound should bring back (healthy)."""

    POSITIVE = (
        "positive_control",
        "positive control",
        "The well shows the state that a compound should bring back.",
        Colour.POSITIVE,
    )
    NEGATIVE = (
        "negative_control",
        "negative control",
        "The well shows the untreated state that a compound should change.",
        Colour.NEGATIVE,
    )
    TREATMENT = "treatment", "treatment", "The well holds a compound at one concentration.", Colour.TREATMENT
    EMPTY = "empty", "empty", "The well is not used."

    @property
    def is_control(self) -> bool:
        """True for positive and negative controls."""
        return self in (Role.POSITIVE, Role.NEGATIVE)


class TableLevel(StrEnum):
    """What one row of a table of vectors describes."""

    WELL = "well"
    SITE = "site"
    CELL = "cell"
