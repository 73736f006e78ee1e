"""Labels and groups of images: from the plate map, from a table with a column `file`, or from the file names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gandl_shared.errors import BadInput, Invalid, Problem, raise_if
from gandl_shared.files.path_patterns import Part, PathPattern
from gandl_shared.plates import PlateMap, Site, Well, parse_well, plain_column, row_letters
from gandl_shared.plates.columns import column_key
from gandl_shared.plates.tables import TableForm, read_table

FILE = "file"
_FILE_COLUMNS = frozenset({"file", "filename", "file_name", "image", "path"})
FORM = TableForm(name="table of labels", error=Invalid, column_of=lambda cell: FILE if _is_file(cell) else None)

Columns = Mapping[str, str]
"""What is known of an image: values by the names of their columns."""


def _is_file(name: str) -> bool:
    return column_key(name) in _FILE_COLUMNS


@dataclass(frozen=True, kw_only=True)
class LabelledImages:
    """Images with a label and a group each; `left_out` counts those that lack one of the two."""

    sites: tuple[Site, ...]
    labels: tuple[str, ...]
    groups: tuple[str, ...]
    left_out: int


def labelled_images(sites: Sequence[Site], columns: Sequence[Columns], labels: str, groups: str) -> LabelledImages:
    """Return the images that have a value in both columns. Raises BadInput where no image has such a column."""
    names = sorted({name for each in columns for name in each})
    for option, name in (("--labels", labels), ("--groups", groups)):
        if name not in names:
            raise BadInput(f"{option} {name} is no column; there are {', '.join(names)}")
    complete = [i for i, each in enumerate(columns) if each.get(labels) and each.get(groups)]
    return LabelledImages(
        sites=tuple(sites[i] for i in complete),
        labels=tuple(columns[i][labels] for i in complete),
        groups=tuple(columns[i][groups] for i in complete),
        left_out=len(sites) - len(complete),
    )


def columns_of_wells(sites: Iterable[Site], plate_map: PlateMap) -> list[Columns]:
    """Return the columns of the plate map for each image, with `row` and `column` of the well, and `plate_well`, which
    names a well on its plate."""
    wells = {(well.plate, well.well): _columns_of_well(well) for well in plate_map.wells}
    return [wells[site.plate, site.well] for site in sites]


def _columns_of_well(well: Well) -> Columns:
    further = {plain_column(name): value for name, value in well.metadata.items()}
    row, column = parse_well(well.well)
    return further | {
        "plate": well.plate,
        "well": well.well,
        "plate_well": f"{well.plate} {well.well}",
        "row": row_letters(row),
        "column": str(column),
        "role": well.role.value,
        "compound": well.compound or "",
        "concentration_um": "" if well.concentration_um is None else f"{well.concentration_um:g}",
        "cell_line": well.cell_line,
    }


def columns_of_names(sites: Sequence[Site], pattern: str) -> list[Columns]:
    """Return what the placeholders of a pattern are in the name of each file; `{any}` is text that does not matter.

    `{phenotype}/PL{plate}--{any}.png` has the columns `phenotype` and `plate`. The pattern is matched against the end
    of the path below the folder, from the beginning of a name. Raises BadInput for a pattern without placeholders, and
    Invalid with the names that do not match.
    """
    expression = _expression(pattern)
    matches = [expression.search(site.site) for site in sites]
    unmatched = [site.site for site, match in zip(sites, matches, strict=True) if match is None]
    problems = [Problem(f"does not match --names {pattern}", file=name) for name in unmatched]
    raise_if(problems, Invalid, f"{len(unmatched)} of {len(sites)} names do not match --names {pattern}")
    return [match for match in matches if match is not None]


def _expression(pattern: str) -> PathPattern:
    parts = re.split(r"\{(\w+)\}", pattern)
    names = [name for name in parts[1::2] if name != "any"]
    if not names or len(set(names)) < len(names) or any(name[0].isdigit() for name in names):
        raise BadInput(
            f"--names {pattern}: name each part once, such as {{phenotype}}/{{plate}}_{{any}}.png, where {{any}} is "
            "text that does not matter"
        )
    return PathPattern(tuple(_part(part, i % 2 == 1) for i, part in enumerate(parts)), match_case=True)


def _part(text: str, is_placeholder: bool) -> Part:
    if not is_placeholder:
        return Part(expression=re.escape(text))
    if text == "any":
        return Part(expression="[^/]*?", is_wildcard=True)
    return Part(expression="[^/]+?", name=text, is_wildcard=True)


def columns_of_table(sites: Sequence[Site], path: Path) -> list[Columns]:
    """Return the row of each image in a table (CSV or workbook) whose column `file` holds paths below the folder.

    An image without a row has no columns. Raises NotFound, and Invalid for a table without that column, for a row
    whose file is not there, and for two rows with the same file.
    """
    table = read_table(path, FORM)
    raise_if(table.problems, Invalid, f"table of labels {path} cannot be used")
    index = next((i for i, name in enumerate(table.header) if _is_file(name)), None)
    if index is None:
        raise Invalid(f"{path} has no column file; it has {', '.join(table.header)}")
    further = {i: plain_column(name) for i, name in enumerate(table.header) if i != index}
    names = {site.site for site in sites}
    rows: dict[str, Columns] = {}
    problems: list[Problem] = []
    for row in table.rows:
        name = row.cells[index].replace("\\", "/").removeprefix("./")
        if name not in names or name in rows:
            reason = "is named by two rows" if name in rows else "is not there"
            problems.append(Problem(f"{name} {reason}", file=path.name, row=row.number, field=table.header[index]))
        rows[name] = {FILE: name} | {column: row.cells[i] for i, column in further.items()}
    raise_if(problems, Invalid, f"table of labels {path} cannot be used")
    return [rows.get(site.site, {}) for site in sites]
