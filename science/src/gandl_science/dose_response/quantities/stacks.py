"""Fits of one model side by side, so that their curves and their derivatives are computed at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gandl_science.arrays import Float, Index
from gandl_science.dose_response.models import log_dose
from gandl_science.dose_response.records.fit import SHAPES, CurveFit
from gandl_science.dose_response.records.vocabulary import CurveModel


@dataclass(frozen=True, kw_only=True)
class CurveStack:
    """N fits of one model, a constant or one of `SHAPES`; `members` (N,) are their places among all fits.

    `theta` (N, P) are the parameters as they are searched; `left` and `right` (N,) are the plateau on the left and that
    toward which the curve goes, which are equal for a constant.
    """

    members: Index
    model: CurveModel
    theta: Float
    left: Float
    right: Float

    def response(self, concentration: Float) -> Float:
        """Return the fitted responses (N, n) at concentrations (N, n), not negative."""
        if self.model is CurveModel.CONSTANT:
            return np.repeat(self.left[:, None], concentration.shape[1], axis=1)
        basis = SHAPES[self.model].basis(log_dose(concentration), self.theta)
        return np.asarray(self.left[:, None] + (self.right - self.left)[:, None] * basis)

    def gradient(self, concentration: Float) -> Float:
        """Return the derivatives (N, K, n) at concentrations (N, n) by the K parameters of the covariance of a fit."""
        if self.model is CurveModel.CONSTANT:
            return np.ones((len(concentration), 1, concentration.shape[1]))
        shape, x = SHAPES[self.model], log_dose(concentration)
        h = shape.basis(x, self.theta)[:, None]
        amplitude = (self.right - self.left)[:, None, None]
        return np.concatenate([amplitude * shape.gradient(x, self.theta), 1.0 - h, h], axis=1)


def stack_curves(fits: Sequence[CurveFit]) -> list[CurveStack]:
    """Return the fits of each model together; those of models that a user asks for are left out."""
    stacks = []
    for model in (CurveModel.CONSTANT, *SHAPES):
        members = [i for i, fit in enumerate(fits) if fit.model is model]
        if members:
            stacks.append(_stack([fits[i] for i in members], model, members))
    return stacks


def _stack(fits: Sequence[CurveFit], model: CurveModel, members: Sequence[int]) -> CurveStack:
    if model is CurveModel.CONSTANT:
        level = np.array([fit.params["level"].estimate for fit in fits])
        return CurveStack(
            members=np.array(members), model=model, theta=np.empty((len(fits), 0)), left=level, right=level
        )
    shape = SHAPES[model]
    natural = np.array([[fit.params[name].estimate for name in shape.parameters] for fit in fits])
    left, right = np.array([fit.plateaus for fit in fits]).T
    theta = np.where(shape.is_location, np.log10(natural), np.log(natural))
    return CurveStack(members=np.array(members), model=model, theta=theta, left=left, right=right)


def predict_curves(fits: Sequence[CurveFit], concentration: Float) -> Float:
    """Return the fitted responses (B, n) of fits at concentrations (B, n), not negative."""
    response, rest = np.empty(concentration.shape), set(range(len(fits)))
    for stack in stack_curves(fits):
        response[stack.members] = stack.response(concentration[stack.members])
        rest -= set(stack.members.tolist())
    for i in rest:
        response[i] = fits[i].predict(concentration[i])
    return response


def of_equal_length(arrays: Sequence[Float]) -> Iterator[tuple[Index, Float]]:
    """Yield the arrays of each length side by side, (N, n), with their places (N,)."""
    lengths = np.array([array.size for array in arrays], dtype=int)
    for length in np.unique(lengths).tolist():
        places = np.flatnonzero(lengths == length)
        yield places, np.stack([arrays[i] for i in places.tolist()])
