"""Which columns of a table of vectors are features, and which describe its rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gandl_shared.errors import InvalidTable, Problem, raise_if
from gandl_shared.plates import has_metadata_prefix
from gandl_shared.plates.columns import COMPOUND_NUMBERS, column_key, standard_column

from gandl_analysis.formats.profiles.sources.source import Kind, ProfileSource

MIN_NUMBERED = 8
"""So many numbered columns of one name are features where no prefix says what a column is."""
_COMPARTMENT = re.compile(r"^(Cells|Cytoplasm|Nuclei)_")
_NUMBERED = re.compile(r"^(.*?)(\d+)$")
_INDEX = re.compile(r"Unnamed: \d+|column \d+|index")
"""Columns that count the rows, as data frames write them, and columns without a name."""
_DESCRIPTIONS = frozenset(
    {
        "site",
        "site_id",
        "field",
        "fov",
        "experiment",
        "experiment_name",
        "batch",
        "source",
        "smiles",
        "inchikey",
        "moa",
        "target",
        "gene",
        "guide",
        "perturbation_type",
        "dataset",
        "sirna",
        "sirna_id",
        *COMPOUND_NUMBERS,
    }
)
"""Columns that describe rows under names of their own, by `column_key`."""
BLOCKLIST = re.compile(
    r"""
    ^Nuclei_Correlation_(Manders|RWC)_            # unstable in nuclei, where a channel may be dark
    | ^Nuclei_Granularity_1[456]_                 # spectra beyond the size of a nucleus
    | _(Location|BoundingBox)|_AreaShape_Center_|_Center_[XYZ]$   # the place in the image, not the look of the cell
    | ObjectNumber|Object_Number|ImageNumber|TableNumber|_Parent_|_Children_   # numbers that name objects
    """,
    re.VERBOSE,
)
"""Features of CellProfiler that are never used: the blocklist of pycytominer, places in the image, and identities."""


@dataclass(frozen=True, kw_only=True)
class ProfileColumns:
    """The columns of a table: `features` in order, those of them that the blocklist leaves out, and `descriptions`.

    `form` says by which rule features were recognised. They are `scaled` if each has a unit of its own.
    """

    features: tuple[str, ...]
    blocklisted: tuple[str, ...]
    descriptions: tuple[str, ...]
    form: str
    scaled: bool
    notes: tuple[str, ...] = ()


def choose_columns(source: ProfileSource) -> ProfileColumns:
    """Return which columns are features. Raises InvalidTable where names do not say it, and for texts."""
    names = [name for name, kind in source.kinds.items() if kind is not Kind.OTHER]
    notes = _other_notes(source)
    features, form, scaled = _features(source, names)
    texts = [name for name in features if source.kinds[name] is Kind.TEXT]
    problems = [
        Problem(
            "holds texts among the features; remove it, or give it the prefix Metadata_", file=source.file, field=name
        )
        for name in texts
    ]
    raise_if(problems, InvalidTable, f"table {source.file} cannot be used")
    blocklisted = [name for name in features if BLOCKLIST.search(name)] if scaled else []
    left_out = {*features}
    return ProfileColumns(
        features=tuple(name for name in features if name not in blocklisted),
        blocklisted=tuple(blocklisted),
        descriptions=tuple(
            name for name in names if (name not in left_out or _is_identity(name)) and not _INDEX.fullmatch(name)
        ),
        form=form,
        scaled=scaled,
        notes=(*notes, *_gap_notes(features, scaled=scaled)),
    )


def is_description(name: str) -> bool:
    """Return True for a column that describes a row: a prefix of pycytominer or CytoTable, or a known name."""
    return (
        has_metadata_prefix(name)
        or name.startswith("Image_")
        or standard_column(name) is not None
        or column_key(name) in _DESCRIPTIONS
        or _INDEX.fullmatch(name) is not None
    )


def _is_identity(name: str) -> bool:
    """Return True for a feature that names an object or its place, by which rows of cells are recognised."""
    return re.search(r"ObjectNumber|Object_Number|ImageNumber|TableNumber", name) is not None


def _features(source: ProfileSource, names: Sequence[str]) -> tuple[Sequence[str], str, bool]:
    """Return the features, the rule by which they are recognised, and whether each has a unit of its own."""
    if source.features is not None:
        features = source.features
        return features, "AnnData", any(_COMPARTMENT.match(name) for name in features)
    others = [name for name in names if not is_description(name)]
    has_prefix = any(map(has_metadata_prefix, names))
    compartments = [name for name in others if _COMPARTMENT.match(name)]
    if compartments:
        # CellProfiler names objects as the user does, so that beside Metadata_ columns all others are features.
        return (others if has_prefix else compartments), "CellProfiler features", True
    families = _families(others)
    if len(families) > 1 and not has_prefix:
        raise _ambiguous(source, f"the columns {_ranges(families.values())} are numbered alike")
    if families:
        return [name for family in families.values() for name in family], "numbered features", False
    if has_prefix and others:
        return others, "features beside Metadata_ columns", True
    raise _ambiguous(
        source, "none is named Cells_, Cytoplasm_ or Nuclei_, and none is numbered as feature_0, feature_1"
    )


def _families(names: Sequence[str]) -> dict[str, list[str]]:
    families: dict[str, list[tuple[int, str]]] = {}
    for name in names:
        match = _NUMBERED.match(name)
        if match:
            families.setdefault(match[1], []).append((int(match[2]), name))
    return {stem: [n for _, n in sorted(family)] for stem, family in families.items() if len(family) >= MIN_NUMBERED}


def _ranges(families: Iterable[Sequence[str]]) -> str:
    return " and ".join(f"{family[0]} to {family[-1]}" for family in families)


def _ambiguous(source: ProfileSource, reason: str) -> InvalidTable:
    header = ", ".join(list(source.kinds)[:12]) + (", …" if len(source.kinds) > 12 else "")
    problem = Problem(
        f"no name says which columns are features: {reason}. Give the columns that describe wells the prefix "
        f"Metadata_; the header is: {header}",
        file=source.file,
    )
    return InvalidTable(f"table {source.file} cannot be used: {problem}", problems=[problem])


def _gap_notes(features: Sequence[str], *, scaled: bool) -> list[str]:
    """Return a note where numbered features do not count through, as after a selection or a loss of columns."""
    if scaled:
        return []
    notes = []
    for stem, family in _families(features).items():
        numbers = [int(name.removeprefix(stem)) for name in family]
        missing = numbers[-1] - numbers[0] + 1 - len(numbers)
        if missing or numbers[0] > 1:
            missing += numbers[0] if numbers[0] > 1 else 0
            notes.append(f"{missing} numbers are missing among the features {family[0]} to {family[-1]}")
    return notes


def _other_notes(source: ProfileSource) -> list[str]:
    others = [name for name, kind in source.kinds.items() if kind is Kind.OTHER]
    if not others:
        return []
    return [f"Columns with lists or bytes were passed over: {', '.join(others[:5])}{', …' if len(others) > 5 else ''}"]


def by_key(names: Iterable[str]) -> Mapping[str, str]:
    """Return the names by `column_key`; CytoTable's `Image_Metadata_Well` counts as `Metadata_Well`."""
    keys: dict[str, str] = {}
    for name in names:
        keys.setdefault(column_key(name.removeprefix("Image_")), name)
    return keys
