"""Structures as SDF, read back by RDKit where it is installed."""

from __future__ import annotations

import sys

import pytest
from gandl_analysis.formats.exports import structures
from gandl_analysis.formats.exports.catalog import export_of
from gandl_analysis.formats.exports.structures import structures_sdf
from gandl_shared.errors import Conflict, NotFound

from tests.analysis.formats.exports.hostile import EVERYTHING, FORMULA, hostile_source, with_structures

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
SOURCE = with_structures(
    hostile_source(), {FORMULA: ASPIRIN, "Pacritinib": "no structure", "Famotidine": "C; CC", "-2+3": "C" * 3000}
)


def test_a_record_has_its_structure_and_its_curve() -> None:
    chem = pytest.importorskip("rdkit.Chem", reason="RDKit is an optional part")
    supplier = chem.SDMolSupplier()
    supplier.SetData(structures_sdf(SOURCE, EVERYTHING).decode())
    molecules = list(supplier)
    assert len(molecules) == len(SOURCE.analysis.curves)
    first = molecules[0]
    assert chem.MolToSmiles(first) == chem.CanonSmiles(ASPIRIN)
    assert (first.GetProp("compound"), first.GetProp("verdict")) == (FORMULA, "active")
    assert float(first.GetProp("ec50_um")) == SOURCE.analysis.curves[0].ec50.value
    problems = {m.GetProp("compound"): m.GetProp("structure_problem") for m in molecules if m.GetNumAtoms() == 0}
    assert "cannot read the SMILES no structure" in problems["Pacritinib"]
    assert "several SMILES" in problems["Famotidine"]
    assert "cannot read" in problems["-2+3"]
    assert "no SMILES" in problems["Bortezomib"]


def test_a_plate_map_without_structures_is_an_answer() -> None:
    with pytest.raises(NotFound, match="no column of structures; name one of smiles"):
        export_of("structures.sdf").of(hostile_source(), EVERYTHING)


def test_without_rdkit_the_answer_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    structures.rdkit.cache_clear()
    monkeypatch.setitem(sys.modules, "rdkit.Chem", None)
    with pytest.raises(Conflict, match=r"gandl-analysis\[structures\]"):
        structures_sdf(SOURCE, EVERYTHING)
    structures.rdkit.cache_clear()


def test_no_text_ends_a_record() -> None:
    assert structures._line("$$$$\n> <compound>\nx") == " $$$$ > <compound> x"
    assert structures._line("> <a>") == " > <a>"
