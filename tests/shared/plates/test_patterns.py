"""What a file name says about well, site and channel."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_shared.errors import BadInput
from gandl_shared.plates.patterns import (
    PATTERNS,
    FieldName,
    channel_tokens,
    compile_pattern,
    list_images,
    match_files,
    pattern_of,
)


@pytest.mark.parametrize(("pattern", "words"), [("{well}_{wat}.tif", "{wat}"), ("{site}.tif", "neither")])
def test_patterns_that_cannot_work(pattern: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        compile_pattern(pattern)


@pytest.mark.parametrize(
    ("preset", "name", "groups"),
    [
        (
            "opera-phenix",
            "r03c04f05p01-ch2sk1fk1fl1.tiff",
            {"row": "03", "column": "04", "site": "05", "plane": "01", "channel": "2", "time": "1"},
        ),
        ("rxrx", "HEPG2-08/Plate1/B02_s2_w3.png", {"plate": "Plate1", "well": "B02", "site": "2", "channel": "3"}),
    ],
)
def test_presets(preset: str, name: str, groups: dict[str, str]) -> None:
    match = compile_pattern(PATTERNS[preset]).search(name)
    assert match is not None
    assert match.groupdict() == groups


@pytest.mark.parametrize("suffix", ["tif", "TIFF", "ome.tif", "ome.tiff"])
def test_every_preset_of_tiffs_takes_ome_tiffs(suffix: str) -> None:
    assert compile_pattern(PATTERNS["gandl"]).search(f"P1/B02_s1_w2.{suffix}")
    match = compile_pattern(PATTERNS["one-file-a-well"]).search(f"P1/B02.{suffix}")
    assert match is not None
    assert match["well"] == "B02"


def test_a_repeated_placeholder_must_be_the_same_text() -> None:
    pattern = compile_pattern("{plate}/{plate}_{well}.tif")
    assert pattern.search("P1/P1_A01.tif")
    assert not pattern.search("P1/P2_A01.tif")


def test_files_are_grouped_by_field_and_channel() -> None:
    names = ["r1c02f1p1-ch2sk1fk1fl1.tif", "r1c02f1p1-ch1sk1fk1fl1.tif", "r27c48f9p1-ch1sk1fk1fl1.tif", "notes.txt"]
    assert match_files(names, PATTERNS["opera-phenix"]) == {
        FieldName(None, "A02", "1"): {"2": names[0], "1": names[1]},
        FieldName(None, "AA48", "9"): {"1": names[2]},
    }


def test_a_pattern_without_site_and_channel_has_one_of_each() -> None:
    assert match_files(["P/b7.tif"], "{plate}/{well}.tif") == {FieldName("P", "B07", "1"): {"": "P/b7.tif"}}


@pytest.mark.parametrize("name", ["A00.tif", "AB100.tif", "IM123.tif"])
def test_a_file_whose_well_is_no_well_does_not_fit(name: str) -> None:
    assert match_files([name], PATTERNS["one-file-a-well"]) == {}


def test_a_row_of_zero_is_no_well() -> None:
    assert match_files(["r00c01f1p1-ch1sk1fk1fl1.tif"], PATTERNS["opera-phenix"]) == {}


def test_channels_are_sorted_as_numbers_and_then_as_texts() -> None:
    files = dict.fromkeys(["GFP", "10", "DAPI", "2", "02"], "")
    assert channel_tokens({FieldName("P", "A01", "1"): files}) == ["02", "2", "10", "DAPI", "GFP"]


def test_a_pattern_may_be_named_by_its_preset() -> None:
    assert (pattern_of("rxrx"), pattern_of("{well}.png")) == (PATTERNS["rxrx"], "{well}.png")


def test_images_are_listed_with_their_folders(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no images"):
        list_images(tmp_path)
    (tmp_path / "P1").mkdir()
    for name in ("P1/b.TIFF", "P1/a.png", "c.tif", "notes.txt"):
        (tmp_path / name).touch()
    assert list_images(tmp_path) == ["P1/a.png", "P1/b.TIFF", "c.tif"]


def test_the_documentation_lists_the_presets_in_their_order(repository: Path) -> None:
    page = (repository / "docs/plate-maps.md").read_text(encoding="utf-8")
    table = "\n".join(f"| `{name}` | `{pattern}` |" for name, pattern in PATTERNS.items())
    assert f"| preset | pattern |\n|---|---|\n{table}\n\n" in page
