"""A Jupyter notebook (nbformat 4.5) whose first cell reads the tables of a screen from the service."""

from __future__ import annotations

import json

from gandl_shared.schemas.headers import API_KEY

from gandl_analysis.formats.exports.source import ExportChoice, ExportSource

_CELL = """import io
import os
import urllib.request

import pandas as pd  # pandas reads Parquet with pyarrow

SERVICE = {address}
SCREEN = {screen}
VERSION = {version}
# A key is read from the environment, so that it is never stored with the notebook.
HEADERS = {{"{header}": os.environ["GANDL_API_KEY"]}} if "GANDL_API_KEY" in os.environ else {{}}


def read(name):
    url = f"{{SERVICE}}/screens/{{SCREEN}}/exports/{{name}}?version={{VERSION}}"
    with urllib.request.urlopen(urllib.request.Request(url, headers=HEADERS)) as answer:
        return io.BytesIO(answer.read())


wells = pd.read_parquet(read("wells.parquet"))
curves = pd.read_parquet(read("curves.parquet"))
curve_wells = pd.read_parquet(read("curve_wells.parquet"))
wells.shape, curves.shape, curve_wells.shape"""


def notebook_cell(address: str, screen: str, version: int) -> str:
    """Return the cell for a service at an address. Names from outside stand in it as literals and cannot be code."""
    return _CELL.format(address=repr(address), screen=repr(screen), version=version, header=API_KEY)


def notebook(source: ExportSource, _: ExportChoice) -> bytes:
    """Return the notebook: a heading, the cell that reads, and one that shows the active compounds."""
    name = " ".join(source.analysis.provenance.screen_name.split())
    heading = f"# Screen {name}\n\nVersion {source.version} of the analysis, read from the service of gandl."
    show = 'curves[curves["verdict"].str.startswith("active")].sort_values("q_value")'
    document = {
        "cells": [
            {"cell_type": "markdown", "id": "heading", "metadata": {}, "source": heading},
            _code("read", notebook_cell(source.address, source.screen, source.version)),
            _code("active", show),
        ],
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def _code(identity: str, text: str) -> dict[str, object]:
    return {"cell_type": "code", "id": identity, "metadata": {}, "execution_count": None, "outputs": [], "source": text}
