"""Names of featurizers without a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl.featurizers.names import Baseline, BaselineName, baseline_name, is_baseline
from gandl_shared.errors import BadInput
from gandl_shared.models import BASELINES


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("intensity", BaselineName(kind=Baseline.INTENSITY)),
        ("pca", BaselineName(kind=Baseline.PCA)),
        ("untrained", BaselineName(kind=Baseline.UNTRAINED)),
        ("untrained:7", BaselineName(kind=Baseline.UNTRAINED, seed=7)),
        ("untrained:7:fc", BaselineName(kind=Baseline.UNTRAINED, seed=7, layer="fc")),
        ("untrained:7:fc:gpu-128", BaselineName(kind=Baseline.UNTRAINED, seed=7, layer="fc", preset="gpu-128")),
        ("models/any.onnx", None),
        ("intensity.onnx", None),
    ],
)
def test_a_name_is_a_baseline_or_a_file(model: str, name: BaselineName | None) -> None:
    assert baseline_name(model) == name


def test_an_existing_file_wins_over_a_name(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(b"")
    assert baseline_name(str(path)) is None


@pytest.mark.parametrize("model", ["intensities", "pca:3", "untrained:x", "untrained:-1", "untrained:1:fc:2:3"])
def test_other_names_are_refused(model: str) -> None:
    with pytest.raises(BadInput, match="intensity, pca, cp-measure, untrained:SEED"):
        baseline_name(model)


def test_the_name_in_a_table_says_seed_and_layer() -> None:
    assert BaselineName(kind=Baseline.UNTRAINED, seed=3).text == "untrained:3:multi"
    wide = BaselineName(kind=Baseline.UNTRAINED, layer="fc", preset="gpu-128")
    assert wide.text == "untrained:0:fc:gpu-128"
    assert BaselineName(kind=Baseline.PCA).text == "pca"


def test_a_folder_of_results_does_not_hide_a_baseline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "intensity").mkdir()
    monkeypatch.chdir(tmp_path)
    assert baseline_name("intensity") == BaselineName(kind=Baseline.INTENSITY)


def test_a_name_is_a_baseline_unless_it_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_baseline(Path("intensity"))
    assert is_baseline(Path("untrained:3"))
    assert not is_baseline(tmp_path / "absent.onnx")
    Path("pca").write_bytes(b"a file of this name")
    assert not is_baseline(Path("pca"))


def test_services_know_the_names_of_all_baselines() -> None:
    assert set(BASELINES) == {kind.value for kind in Baseline}
