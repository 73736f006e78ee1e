"""Single wells for figures, and the titles of a figure's marks."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
from gandl_shared.schemas.screen import WellScore
from gandl_shared.schemas.vocabulary import Role
from matplotlib.lines import Line2D

SVG = "{http://www.w3.org/2000/svg}"


def well(
    name: str, efficacy: float | None = 0.5, *, role: Role = Role.TREATMENT, compound: str = "X", plate: str = "P"
) -> WellScore:
    """Return a well of the cell line U2OS whose score along the axis is its efficacy."""
    return WellScore(
        plate=plate,
        well=name,
        role=role,
        compound=compound,
        concentration_um=1.0,
        cell_line="U2OS",
        on=efficacy,
        off=0.0 if efficacy is not None else None,
        efficacy=efficacy,
        n_tiles=4,
    )


def titles(svg: str) -> list[str]:
    """Return the titles of an SVG element in document order."""
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}title")]


def positions(svg: str, coordinate: str) -> dict[str, float]:
    """Return the coordinate, x or y, of each mark by its title."""
    marks = ElementTree.fromstring(svg).iter(f"{SVG}use")
    return {t.text or "": float(mark.attrib[coordinate]) for mark in marks for t in mark.findall(f"{SVG}title")}


def points(line: Line2D) -> list[list[float]]:
    """Return the points of a line or of marks as pairs of x and y."""
    columns = [np.asarray(values, np.float64) for values in (line.get_xdata(), line.get_ydata())]
    return np.column_stack(columns).tolist()
