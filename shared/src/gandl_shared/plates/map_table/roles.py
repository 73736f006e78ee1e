"""Roles of wells: the words of other tools, and what several columns of a row say together."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from gandl_shared.plates.tables.quantities.numbers import is_missing
from gandl_shared.schemas.vocabulary import Role

ROLE_NAMES: Mapping[str, Role] = {
    **{role.value: role for role in Role},
    "positive": Role.POSITIVE,
    "poscon": Role.POSITIVE,
    "poscon_cp": Role.POSITIVE,
    "poscon_diverse": Role.POSITIVE,
    "poscon_orf": Role.POSITIVE,
    "pos": Role.POSITIVE,
    "pos_ctrl": Role.POSITIVE,
    "mock": Role.POSITIVE,
    "uninfected": Role.POSITIVE,
    "negative": Role.NEGATIVE,
    "negcon": Role.NEGATIVE,
    "neg": Role.NEGATIVE,
    "neg_ctrl": Role.NEGATIVE,
    "dmso": Role.NEGATIVE,
    "vehicle": Role.NEGATIVE,
    "ctl_vehicle": Role.NEGATIVE,
    "viral": Role.NEGATIVE,
    "active_sars_cov_2": Role.NEGATIVE,
    "treated": Role.TREATMENT,
    "trt": Role.TREATMENT,
    "trt_cp": Role.TREATMENT,
    "compound": Role.TREATMENT,
    "sample": Role.TREATMENT,
    "blank": Role.EMPTY,
}
"""The role of each word, by its text in lower case with `_` for blanks and dashes."""

CONTROL_NAMES = frozenset({"control", "ctrl", "ctl"})
"""Words for a control of either kind: another column must say which."""


def role_key(text: str) -> str:
    """Return a word as `ROLE_NAMES` has it."""
    return re.sub(r"[\s\-]+", "_", unicodedata.normalize("NFKC", text).casefold()).strip("_")


def role_of(texts: Sequence[str]) -> Role | None:
    """Return the role that the cells of a row say together, or None if they are blank.

    Raises ValueError with a sentence for a word that is not known, for words that contradict each other, and for a
    control of which no cell says whether it is positive or negative.
    """
    words = [text for text in texts if not is_missing(text)]
    unknown = next((t for t in words if role_key(t) not in ROLE_NAMES and role_key(t) not in CONTROL_NAMES), None)
    if unknown is not None:
        raise ValueError(f"unknown role '{unknown}'; use one of {', '.join(Role)}")
    roles = dict.fromkeys(ROLE_NAMES[role_key(text)] for text in words if role_key(text) in ROLE_NAMES)
    is_control = any(role_key(text) in CONTROL_NAMES for text in words)
    if len(roles) > 1 or (is_control and roles and not next(iter(roles)).is_control):
        raise ValueError(f"the roles {' and '.join(repr(text) for text in words)} contradict each other; correct one")
    if is_control and not roles:
        raise ValueError(f"'{words[0]}' does not say which control; use positive_control or negative_control")
    return next(iter(roles), None)
