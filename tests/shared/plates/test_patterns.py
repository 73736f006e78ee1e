"""What a file name says about well, site and channel."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from gandl_shared.errors import BadInput
from gandl_shared.plates.patterns import PATTERNS, compile_pattern


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
    assert match == groups


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


def test_a_pattern_of_many_placeholders_matches_at_once() -> None:
    start = time.perf_counter()
    for count in (2, 8, 14, 30):
        pattern = compile_pattern("{any}a" * count + "{well}.tif")
        name = "a" * 200 + "-a"
        assert pattern.search(f"{name}B02.png") is None
        assert pattern.search(f"{name}B02.tif") == {"well": "B02"}
    assert time.perf_counter() - start < 1


def test_many_placeholders_give_what_few_do() -> None:
    few = compile_pattern("{plate}/{well}_s{site}_w{channel}.tif")
    many = compile_pattern("{plate}/{well}{any}_s{site}{any}_w{channel}{any}.tif")
    assert many.search("x/P1/B02_s1_w2.tiff") == few.search("x/P1/B02_s1_w2.tiff")
    assert many.search("B02_s1_w2.tif") is None
    twice = compile_pattern("{plate}/{plate}_{any}_{any}{well}_s{site}.tif")
    assert twice.search("P_1/P_1_x_B02_s3.tif") == {"plate": "P_1", "well": "B02", "site": "3"}
    assert twice.search("P_1/P_2_x_B02_s3.tif") is None


@pytest.mark.parametrize("pattern", ["{well}" + "a" * 500, "{any}" * 40 + "{well}"])
def test_patterns_have_a_limit(pattern: str) -> None:
    with pytest.raises(BadInput, match="at most 500 and 32"):
        compile_pattern(pattern)


def test_the_documentation_lists_the_presets_in_their_order(repository: Path) -> None:
    page = (repository / "docs/plate-maps.md").read_text(encoding="utf-8")
    table = "\n".join(f"| `{name}` | `{pattern}` |" for name, pattern in PATTERNS.items())
    assert f"| preset | pattern |\n|---|---|\n{table}\n\n" in page
