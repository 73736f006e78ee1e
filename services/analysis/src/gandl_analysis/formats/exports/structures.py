"""Chemical structures as SDF, where the plate map has SMILES. RDKit, an optional part, reads and lays them out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import import_module
from types import ModuleType

from gandl_shared.errors import Conflict
from gandl_shared.plates import plain_column
from gandl_shared.schemas.curve import Curve

from gandl_analysis.formats.exports.source import ExportChoice, ExportSource, chosen_curves
from gandl_analysis.formats.tables.curves import curve_records
from gandl_analysis.pipeline.result import ScreenAnalysis

SMILES_COLUMNS = ("smiles", "canonical_smiles", "isomeric_smiles")
"""The names of a column of SMILES in a plate map, in any case and with spaces for underscores."""
MAX_SMILES = 2000
"""The longest SMILES that is read; a structure of a thousand atoms is shorter."""
_COUNTS = "\n     gandl\n\n  0  0  0  0  0  0            999 V2000\nM  END\n"
_FIELD = re.compile(r"[^\w.() -]")


def structures_sdf(source: ExportSource, choice: ExportChoice) -> bytes:
    """Return one record per curve: its structure in two dimensions, and its columns of `dose_response.csv`.

    A SMILES that is absent or cannot be read gives a record without atoms whose field `structure_problem` says so.
    Raises Conflict where RDKit is not installed.
    """
    curves = chosen_curves(source, choice)
    columns, records = curve_records(curves)
    rdkit()
    pairs = zip(curves, records, strict=True)
    return "".join(part for curve, record in pairs for part in _record(curve, columns, record)).encode()


def lack_of_smiles(analysis: ScreenAnalysis) -> str | None:
    """Return why a screen has no structures, or None where it has."""
    if any(smiles_of(curve) for curve in analysis.curves):
        return None
    return f"its plate map has no column of structures; name one of {', '.join(SMILES_COLUMNS)}"


def smiles_of(curve: Curve) -> str | None:
    """Return the SMILES of a compound, or None where the plate map has none."""
    by_name = {plain_column(name).strip().lower().replace(" ", "_"): text for name, text in curve.metadata.items()}
    return next((by_name[name].strip() for name in SMILES_COLUMNS if by_name.get(name, "").strip()), None)


@lru_cache(maxsize=1)
def rdkit() -> ModuleType:
    """Return `rdkit.Chem`. Raises Conflict where it is not installed."""
    try:
        chem, log = import_module("rdkit.Chem"), import_module("rdkit.RDLogger")
        import_module("rdkit.Chem.rdDepictor")
    except ImportError as error:
        detail = "this installation has no RDKit, which reads structures; install `gandl-analysis[structures]`"
        raise Conflict(detail) from error
    # What is wrong with a SMILES is said in its record; the log of a server is no place for it.
    log.DisableLog("rdApp.*")
    return chem


def _record(curve: Curve, columns: list[str], record: Mapping[str, object]) -> Iterator[str]:
    block, problem = _mol_block(smiles_of(curve))
    yield _line(curve.compound)[:80] + block
    fields = {name: record.get(name) for name in columns} | {"structure_problem": problem}
    for name, value in fields.items():
        if value is not None and value != "":
            yield f">  <{_FIELD.sub('_', name)}>\n{_line(value)}\n\n"
    yield "$$$$\n"


def _mol_block(smiles: str | None) -> tuple[str, str | None]:
    """Return a block of a molfile without its first line, and what is wrong with the SMILES."""
    if smiles is None:
        return _COUNTS, "the plate map has no SMILES for this compound"
    if ";" in smiles:
        return _COUNTS, f"the wells of this compound have several SMILES: {_line(smiles)[:200]}"
    chem = rdkit()
    molecule = chem.MolFromSmiles(smiles) if len(smiles) <= MAX_SMILES else None
    if molecule is None:
        return _COUNTS, f"RDKit cannot read the SMILES {_line(smiles)[:200]}"
    chem.rdDepictor.Compute2DCoords(molecule)
    block: str = chem.MolToMolBlock(molecule)
    return block[block.index("\n") :], None


def _line(value: object) -> str:
    """Return a value as one line that cannot end its record or begin another field."""
    text = " ".join(str(value).split())
    return f" {text}" if text.startswith((">", "$$$$")) else text
