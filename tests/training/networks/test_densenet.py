"""DenseNet-121 by torchvision's names."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from gandl_shared.errors import BadInput
from gandl_training.networks.densenet import (
    DenseNet,
    DenseNetShape,
    PlateDenseNet,
    current_names,
    load_weights,
)

SMALL = DenseNetShape(blocks=(2, 1), growth=4, initial=8, bottleneck=2)
LEGACY = {
    "denselayer1.norm1.": "denselayer1.norm.1.",
    "denselayer1.norm2.": "denselayer1.norm.2.",
    "denselayer1.conv1.": "denselayer1.conv.1.",
    "denselayer1.conv2.": "denselayer1.conv.2.",
}


def test_the_parameters_and_names_are_those_of_torchvision() -> None:
    with torch.device("meta"):
        network = DenseNet()
    assert sum(each.numel() for each in network.parameters()) == 7_978_856
    state = network.state_dict()
    shapes = {
        "features.conv0.weight": (64, 3, 7, 7),
        "features.norm0.running_var": (64,),
        "features.denseblock1.denselayer1.norm1.weight": (64,),
        "features.denseblock1.denselayer1.conv2.weight": (32, 128, 3, 3),
        "features.transition1.conv.weight": (128, 256, 1, 1),
        "features.denseblock4.denselayer16.conv1.weight": (128, 992, 1, 1),
        "features.norm5.bias": (1024,),
        "classifier.weight": (1000, 1024),
        "classifier.bias": (1000,),
    }
    assert {name: tuple(state[name].shape) for name in shapes} == shapes
    # torchvision's state dict has 727 tensors, of which 121 count batches.
    assert len(state) == 727
    assert sum(name.endswith("num_batches_tracked") for name in state) == 121


@pytest.mark.parametrize("legacy", [False, True])
def test_weights_of_a_file_are_loaded(tmp_path: Path, legacy: bool) -> None:
    network, other = DenseNet(1000, SMALL), DenseNet(3, SMALL)
    state = network.state_dict()
    if legacy:
        for today, before in LEGACY.items():
            state = {name.replace(today, before): tensor for name, tensor in state.items()}
        state = {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}
    torch.save(state, tmp_path / "weights.pth")
    load_weights(other, tmp_path / "weights.pth")
    images = torch.rand(2, 3, 32, 32)
    assert torch.equal(other.eval().vectors(images), network.eval().vectors(images))
    assert other(images).shape == (2, 3)


def test_only_the_names_of_dense_layers_change() -> None:
    names = ["features.denseblock2.denselayer12.norm.2.running_mean", "features.norm0.weight", "classifier.bias"]
    assert list(current_names(dict.fromkeys(names, torch.zeros(1)))) == [
        "features.denseblock2.denselayer12.norm2.running_mean",
        "features.norm0.weight",
        "classifier.bias",
    ]


class Evil:
    """An object whose unpickling would write a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, (f"open({str(self.path)!r}, 'w').close()",)


def test_files_that_are_no_weights_are_refused_and_run_nothing(tmp_path: Path) -> None:
    network, path = DenseNet(3, SMALL), tmp_path / "w.pth"
    with pytest.raises(BadInput, match="there is no file of weights"):
        load_weights(network, path)
    for content in (pickle.dumps(Evil(tmp_path / "evil"), protocol=2), b"<html>", b""):
        path.write_bytes(content)
        with pytest.raises(BadInput, match=r"w\.pth is no plain file of weights"):
            load_weights(network, path)
    assert not (tmp_path / "evil").exists()
    torch.save({"state": {"a": torch.zeros(1)}}, path)
    with pytest.raises(BadInput, match="is no state dict"):
        load_weights(network, path)


def test_weights_of_another_network_are_named(tmp_path: Path) -> None:
    network, path = DenseNet(3, SMALL), tmp_path / "w.pth"
    state = network.state_dict()
    torch.save({name: each for name, each in state.items() if name != "features.norm5.bias"}, path)
    with pytest.raises(BadInput, match=r"it lacks features\.norm5\.bias"):
        load_weights(network, path)
    torch.save({**state, "layer1.0.conv1.weight": torch.zeros(1)}, path)
    with pytest.raises(BadInput, match=r"it has layer1\.0\.conv1\.weight"):
        load_weights(network, path)
    torch.save({**state, "features.norm5.bias": torch.zeros(7)}, path)
    with pytest.raises(BadInput, match=r"features\.norm5\.bias is \[7\] instead of"):
        load_weights(network, path)
    torch.save({**state, "features.norm5.bias": torch.full_like(state["features.norm5.bias"], torch.nan)}, path)
    with pytest.raises(BadInput, match="not finite"):
        load_weights(network, path)


def test_channels_are_mixed_to_three_and_the_mixture_is_trained() -> None:
    network = PlateDenseNet(5, 2, SMALL)
    tiles = torch.randint(0, 256, (3, 5, 32, 32), dtype=torch.uint8)
    assert network(tiles).shape == (3, 2)
    network(tiles).sum().backward()
    assert network.adapter.weight.shape == (3, 5, 1, 1)
    assert network.adapter.weight.grad is not None and network.adapter.weight.grad.abs().sum() > 0
