"""Index files are parsed with limits."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_shared.errors import Invalid
from gandl_shared.plates.layouts import index_files
from gandl_shared.plates.layouts.index_files import read_xml, resolve_named_file

BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'


@pytest.mark.parametrize(
    ("text", "words"), [("<a><b></a>", "is no valid XML"), (BOMB, "declares a document type"), ("", "is no valid XML")]
)
def test_what_is_no_index_is_refused_by_name(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "Index.xml").write_text(text)
    with pytest.raises(Invalid, match=f"Index.xml {words}"):
        read_xml(tmp_path / "Index.xml")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
def test_a_document_type_cannot_hide(tmp_path: Path, encoding: str) -> None:
    text = f"<?xml version='1.0' encoding='{encoding}'?><!--{'x' * 200_000}-->{BOMB}"
    (tmp_path / "Index.xml").write_bytes(text.encode(encoding))
    with pytest.raises(Invalid, match="declares a document type"):
        read_xml(tmp_path / "Index.xml")
    (tmp_path / "Index.xml").write_bytes(text.replace(BOMB, "<x>&lt;!DOCTYPE x></x>").encode(encoding))
    assert read_xml(tmp_path / "Index.xml").text == "<!DOCTYPE x>"


def test_a_large_index_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_files, "MAX_INDEX_BYTES", 10)
    (tmp_path / "Index.xml").write_text("<a>12345678</a>")
    with pytest.raises(Invalid, match="is larger than 10 bytes"):
        read_xml(tmp_path / "Index.xml")


def test_a_plain_name_is_beside_the_index(tmp_path: Path) -> None:
    assert resolve_named_file(tmp_path, "P1/Images/Index.xml", "a.tif") == "P1/Images/a.tif"
    assert resolve_named_file(tmp_path, "Index.xml", "sub\\a.tif") == "sub/a.tif"
