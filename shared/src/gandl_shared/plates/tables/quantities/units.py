"""Units of concentrations: read from a header or a cell, and turned into µM exactly."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

_PREFIXES = {"": 6, "milli": 3, "micro": 0, "nano": -3, "pico": -6, "femto": -9}
_LETTERS = {"": "", "milli": "m", "micro": "u", "nano": "n", "pico": "p", "femto": "f"}


def _powers() -> dict[str, int]:
    """Return the power of ten from each unit to µM, by its text in lower case without blanks."""
    powers = {}
    for prefix, power in _PREFIXES.items():
        letters = ("u", "μ") if prefix == "micro" else (_LETTERS[prefix],)
        for letter in letters:
            for name in ("m", "mol/l", "moll", "mol_l", "mol/liter", "mol/litre", "molar"):
                powers[letter + name] = power
        powers[f"{prefix}molar"] = power
    return powers


POWERS: Mapping[str, int] = _powers()
_BASE = frozenset({"concentration", "conc", "dose", "idose"})
_BARE = re.compile("[umnpµμ]M")
"""A header that is only a unit, with the capital M of molar: `nm` may be a wavelength."""
_BESIDE = frozenset({"final", "compound", "cmpd", "cpd", "drug", "treatment", "assay", "test", "nominal", "in", "pert"})
_LOGS = frozenset({"log", "log10"})
_FOREIGN = re.compile(r"[μunmp]?g(/|_|per)?[μunm]?l|%|moi|[μum]?iu|[μum]?u/ml|vol|fold|x|mg/kg|ppm|ppb")


@dataclass(frozen=True)
class DoseScale:
    """How the numbers of a column become µM.

    `power` is the power of ten of the unit in µM, None where the header names no unit. `is_log`: the numbers are
    log10 of the concentration, `sign` -1 for its negative.
    """

    power: int | None
    is_log: bool = False
    sign: int = 1

    def convert(self, value: Decimal, power: int) -> float:
        """Return a number of the column times 10 to the `power`; infinity for a logarithm that is no concentration."""
        if self.is_log:
            try:
                return math.pow(10.0, self.sign * float(value) + power)
            except OverflowError:
                return math.inf
        # Decimals are exact, so that 300 nM and 0.3 µM are the same number.
        return float(value.scaleb(power))


def fold_unit(text: str) -> str:
    """Return a unit in lower case without blanks, with one kind of µ."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\s.]+", "", folded)


def unit_power(text: str) -> int | None:
    """Return the power of ten from a unit to µM, or None for what is not a molar unit."""
    return POWERS.get(fold_unit(text))


def dose_scale(header: str) -> DoseScale | None:
    """Return how a column of concentrations is scaled, or None if its header names no concentration.

    It must consist of the words for a concentration, of a unit and of words such as "final": the stock concentration
    or that of the solvent is not the dose.
    """
    if _BARE.fullmatch(header.strip()):
        return DoseScale(POWERS[fold_unit(header)])
    folded = unicodedata.normalize("NFKC", header).casefold().strip()
    sign = -1 if re.match(r"(-|−|neg(ative)?[ _]|minus[ _])\s*log", folded) else 1
    folded = re.sub(r"^(-|−|neg(ative)?[ _]|minus[ _])\s*(?=log)", "", folded)
    folded = re.sub(r"mol\s*/\s*l(it(er|re))?\b", "molar", folded).replace("mol l-1", "molar")
    words = [word for word in re.split(r"[^\w%/]+|_", folded) if word]
    words = [part for word in words for part in _split_word(word)]
    logs = [word for word in words if word in _LOGS]
    others = [word for word in words if word not in _LOGS]
    units = [word for word in others if word in POWERS]
    rest = [word for word in others if word not in POWERS]
    if len(logs) > 1 or len(units) > 1 or not set(rest) <= _BASE | _BESIDE:
        return None
    if not (set(rest) & _BASE or (logs and units)):
        return None
    return DoseScale(POWERS[units[0]] if units else None, is_log=bool(logs), sign=sign if logs else 1)


def foreign_unit(header: str) -> str | None:
    """Return the unit that a header of a concentration names if it is not molar, such as µg/mL; else None."""
    words = [w for w in re.split(r"[\s()\[\],;]+|_(?=\D)", unicodedata.normalize("NFKC", header).casefold()) if w]
    if not set(words) & _BASE:
        return None
    return next((word for word in words if _FOREIGN.fullmatch(word)), None)


def _split_word(word: str) -> list[str]:
    """Return the parts of a word such as logM, logConc or concNM."""
    match = re.fullmatch(r"(log10|log|concentration|conc|dose)(.+)", word)
    return [match[1], match[2]] if match and (match[2] in POWERS or match[2] in _BASE) else [word]
