"""Convolutions that can be differentiated twice: against the library, and derivatives against finite differences."""

from __future__ import annotations

import pytest
import torch
from gandl_training.networks.convolution import Geometry, convolve, convolve_transposed, twice_differentiable
from torch.nn import functional as F

GEOMETRIES = [
    (Geometry(transposed=False, stride=1, padding=1), 3, 6),
    (Geometry(transposed=False, stride=2, padding=0), 3, 7),
    (Geometry(transposed=False, stride=2, padding=0), 3, 8),  # the last row and column reach no result
    (Geometry(transposed=False, stride=1, padding=0), 1, 5),
    (Geometry(transposed=True, stride=2, padding=0), 3, 4),
]


@pytest.mark.parametrize(("geometry", "size", "edge"), GEOMETRIES)
def test_values_and_derivatives(geometry: Geometry, size: int, edge: int) -> None:
    x = torch.randn(1, 2, edge, edge, dtype=torch.float64, requires_grad=True)
    shape = (2, 3, size, size) if geometry.transposed else (3, 2, size, size)
    weight = torch.randn(shape, dtype=torch.float64, requires_grad=True)

    def function(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return twice_differentiable(x, weight, geometry)

    library = F.conv_transpose2d if geometry.transposed else F.conv2d
    expected = library(x, weight, stride=geometry.stride, padding=geometry.padding)
    torch.testing.assert_close(function(x, weight), expected)
    assert torch.autograd.gradcheck(function, (x, weight))
    assert torch.autograd.gradgradcheck(function, (x, weight))


def test_autocast_chooses_the_type() -> None:
    x, weight = torch.randn(1, 2, 4, 4), torch.randn(3, 2, 3, 3)
    geometry = Geometry(transposed=False, stride=1, padding=1)
    with torch.autocast("cpu", torch.bfloat16):
        assert twice_differentiable(x, weight, geometry).dtype is torch.bfloat16
    assert twice_differentiable(x, weight, geometry).dtype is torch.float32


def test_on_a_cpu_they_are_those_of_the_library() -> None:
    x, weight, bias = torch.randn(1, 2, 5, 5), torch.randn(3, 2, 3, 3), torch.randn(3)
    assert torch.equal(convolve(x, weight, bias, padding=1), F.conv2d(x, weight, bias, padding=1))
    assert torch.equal(
        convolve_transposed(x, weight.transpose(0, 1), stride=2),
        F.conv_transpose2d(x, weight.transpose(0, 1), stride=2),
    )
