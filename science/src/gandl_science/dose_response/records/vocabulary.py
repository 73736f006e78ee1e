"""The words of a curve: its model, its verdict, its flags and how a concentration relates to the true one.

The enums have the members of those in `gandl_shared.schemas`, which this package does not import; a test holds the two
sets equal.
"""

from __future__ import annotations

from enum import StrEnum


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


class Verdict(StrEnum):
    """What a compound does."""

    ACTIVE = "active"
    ACTIVE_BIPHASIC = "active_biphasic"
    UNDETERMINED = "undetermined"
    INACTIVE = "inactive"
    TOXIC = "toxic"


class Flag(StrEnum):
    """A reason for a verdict, or a warning about a curve. docs/dose-response.md has the rule of each."""

    INACTIVE = "inactive"
    CONTROLS_AT_CHANCE = "controls_at_chance"
    ACTIVE_AT_ALL_DOSES = "active_at_all_doses"
    ACTIVE_AT_LOWEST_DOSE = "active_at_lowest_dose"
    EC50_ABOVE_RANGE = "ec50_above_range"
    EC50_BELOW_RANGE = "ec50_below_range"
    EC50_NEAR_DOSE_LIMIT = "ec50_near_dose_limit"
    TOP_NOT_REACHED = "top_not_reached"
    BIPHASIC_TOXIC_DROP = "biphasic_toxic_drop"
    SINGLE_DOSE_ACTIVITY = "single_dose_activity"
    NEGATIVE_DIRECTION = "negative_direction"
    HIGH_OFF_PERTURBATION = "high_off_perturbation"
    LACK_OF_FIT = "lack_of_fit"
    LOW_REPLICATES = "low_replicates"
    FEW_DOSES = "few_doses"
    OUTLIERS_DOWNWEIGHTED = "outliers_downweighted"
    SLOPE_AT_BOUND = "slope_at_bound"
    LIMBS_OVERLAP = "limbs_overlap"
    UNEQUAL_SCATTER = "unequal_scatter"
    ASSUMES_EQUAL_SCATTER = "assumes_equal_scatter"
    MANY_OUTLIERS = "many_outliers"
    CONFOUNDED_WITH_PLATE = "confounded_with_plate"
    EMPTY_WELLS = "empty_wells"
    EQUAL_REPLICATES = "equal_replicates"


class Null(StrEnum):
    """What the activity test assumes of a compound that does nothing.

    `automatic`: normal noise of equal scatter, with the checks that docs/dose-response.md describes, which may overrule
    the p-value. `normal`: the same without any check. `unequal`: every dose may have a variance of its own.
    `permutation`: the wells may be exchanged between the doses, whatever the form of the noise.
    """

    AUTOMATIC = "automatic"
    NORMAL = "normal"
    UNEQUAL = "unequal"
    PERMUTATION = "permutation"


class WindowLimit(StrEnum):
    """What ends the therapeutic window: cells that leave the controls, the loss of the effect, or the highest dose."""

    OFF_AXIS = "off_axis"
    LOSS = "loss"
    TOP_DOSE = "top_dose"
