"""The structure of a compound, drawn from SMILES where the plate map has them and RDKit is installed."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass

from gandl_shared.schemas.curve import Curve

from gandl_analysis.formats.exports.structures import smiles_of

MAX_SMILES = 1000
"""The longest SMILES that is drawn; the layout of a larger molecule takes long and shows nothing."""
_SIZE = (280, 200)


@dataclass(frozen=True, kw_only=True)
class Structure:
    """A structure: its SMILES, and its picture as an address that holds it, or the reason why there is none."""

    smiles: str
    picture: str | None = None
    note: str | None = None


def structure_of(curves: Iterable[Curve]) -> Structure | None:
    """Return the structure of a compound from the column `smiles` of its plate map; None where there is no such
    column, or where its wells disagree."""
    texts = {text for curve in curves if (text := smiles_of(curve)) is not None}
    # Several values are joined by '; ' in the metadata of a curve, and then nobody knows which one is right.
    if len(texts) != 1 or "; " in (smiles := texts.pop()):
        return None
    if len(smiles) > MAX_SMILES:
        return Structure(smiles=smiles, note=f"The structure has more than {MAX_SMILES} characters and is not drawn.")
    return _draw(smiles)


def _draw(smiles: str) -> Structure:
    try:
        # It is an extra, and takes a second to import.
        from rdkit import Chem, rdBase  # noqa: PLC0415
        from rdkit.Chem.Draw import rdMolDraw2D  # noqa: PLC0415
    except ImportError:
        note = "Install RDKit (the extra gandl-analysis[structures]) to see the structure."
        return Structure(smiles=smiles, note=note)
    # Its complaints about a text belong to the page and not to the log.
    with rdBase.BlockLogs():
        molecule: object | None = Chem.MolFromSmiles(smiles)
    if molecule is None:
        return Structure(smiles=smiles, note="This is no valid SMILES, so that no structure can be drawn.")
    drawer = rdMolDraw2D.MolDraw2DSVG(*_SIZE)
    rdMolDraw2D.PrepareAndDrawMolecule(drawer, molecule)
    drawer.FinishDrawing()
    svg = base64.b64encode(drawer.GetDrawingText().encode()).decode()
    # An image cannot run a script, whatever the text of its atoms says.
    return Structure(smiles=smiles, picture=f"data:image/svg+xml;base64,{svg}")
