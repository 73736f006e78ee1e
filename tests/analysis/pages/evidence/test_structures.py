"""Structures are drawn from SMILES, and what cannot be drawn says why."""

from __future__ import annotations

import base64
import builtins
from collections.abc import Mapping

import pytest
from gandl_analysis.pages.evidence.structures import MAX_SMILES, structure_of
from gandl_shared.schemas.curve import Curve

from tests.analysis.example.screen import example_analysis

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"


def curve(metadata: Mapping[str, str]) -> Curve:
    return example_analysis().curves[0].model_copy(update={"metadata": dict(metadata)})


def test_a_structure_is_an_image_that_holds_itself() -> None:
    pytest.importorskip("rdkit", reason="needs the extra gandl-analysis[structures]")
    structure = structure_of([curve({"SMILES": ASPIRIN}), curve({"Metadata_smiles": f" {ASPIRIN} "})])
    assert structure is not None
    assert structure.picture is not None
    svg = base64.b64decode(structure.picture.removeprefix("data:image/svg+xml;base64,")).decode()
    assert "<svg" in svg


@pytest.mark.parametrize("metadata", [{}, {"moa": ASPIRIN}, {"smiles": "  "}, {"smiles": f"{ASPIRIN}; CCO"}])
def test_without_one_smiles_there_is_no_structure(metadata: Mapping[str, str]) -> None:
    assert structure_of([curve(metadata)]) is None


def test_curves_that_disagree_have_no_structure() -> None:
    assert structure_of([curve({"smiles": "CCO"}), curve({"smiles": "CCC"})]) is None


def test_what_cannot_be_drawn_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    long = structure_of([curve({"smiles": "C" * (MAX_SMILES + 1)})])
    assert long is not None and "is not drawn" in (long.note or "")
    original = builtins.__import__

    def without_rdkit(name: str, *rest: object) -> object:
        if name.startswith("rdkit"):
            raise ImportError(name)
        return original(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_rdkit)
    absent = structure_of([curve({"smiles": ASPIRIN})])
    assert absent is not None and "Install RDKit" in (absent.note or "")


def test_a_text_that_is_no_smiles_is_said() -> None:
    pytest.importorskip("rdkit", reason="needs the extra gandl-analysis[structures]")
    wrong = structure_of([curve({"smiles": "<script>alert(1)</script>"})])
    assert wrong is not None and (wrong.picture, wrong.note) == (
        None,
        "This is no valid SMILES, so that no structure can be drawn.",
    )
