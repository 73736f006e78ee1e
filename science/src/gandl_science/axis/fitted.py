"""A fitted axis as a value: it scores any vectors of the same featurizer, and its digest identifies it.

`AxisFit.header` and `AxisFit.arrays` hold everything that the digest covers. They are also the content of an axis file
(gandl_analysis.formats.axis_file), so their names and order are fixed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np

from gandl_science.arrays import Float, Vectors, projections
from gandl_science.axis.anchors import Anchors
from gandl_science.axis.linear.whitening import Whitening
from gandl_science.axis.provenance import AxisProvenance, ControlStatus, HeldOut
from gandl_science.axis.residual import OffReference, Residual, residual_of


@dataclass(frozen=True, kw_only=True)
class OffAxis:
    """How far and where wells are off the axis.

    `weights` and `direction` [F] are orthogonal unit vectors of whitened space: the axis and the Off coordinate.
    `centre` is the mean of the controls on that coordinate, and `unit` the median distance of held-out controls.
    """

    whitening: Whitening
    weights: Float
    direction: Float
    centre: float
    reference: OffReference
    unit: float

    @property
    def residual(self) -> Residual:
        """The map from a vector to its residual, its part across the axis."""
        return residual_of(self.whitening, self.weights)

    def coordinate(self, vectors: Vectors) -> Float:
        """Return the signed Off coordinate [N] of vectors [N, F], those of tiles or the means of wells."""
        return self.residual.along(vectors, self.direction[:, None])[:, 0] - self.centre

    def distance(self, means: Float, efficacy: Float) -> Float:
        """Return off-axis distances [W] of the mean vectors [W, F] of wells, in units of a typical control."""
        return self.reference.distance(self.residual.along(means, self.reference.basis), efficacy) / self.unit


@dataclass(frozen=True, kw_only=True)
class AxisFit:
    """One fitted axis.

    `weights` [K, F] and `biases` [K] are the linear functionals of K folds on vectors that are not whitened. The score
    of a new vector is their mean, for which the out-of-fold `anchors` are unbiased. `held_out` is the unit of the folds
    and None unless `control_status` is HELD_OUT. Without a `provenance` the fit can be used by hand, but not stored as
    the axis of a screen.
    """

    name: str
    whitening: str
    regularisation: float
    held_out: HeldOut | None
    control_status: ControlStatus
    weights: Float
    biases: Float
    anchors: Anchors
    off_axis: OffAxis
    provenance: AxisProvenance | None = None

    @property
    def features(self) -> int:
        """The length F of the vectors that this axis scores."""
        return int(self.weights.shape[1])

    @property
    def cell_line(self) -> str | None:
        """The cell line that this axis was fitted on; None if it was fitted on several."""
        return None if self.provenance is None else self.provenance.cell_line

    @property
    def grouped_by(self) -> str:
        """The word for the hold-out in axis files and in quality.json: the unit, or the status without one."""
        return self.control_status.value if self.held_out is None else self.held_out.value

    @property
    def header(self) -> dict[str, object]:
        """Everything but the arrays, as it is hashed and stored."""
        return {
            "format": AxisProvenance.SCHEMA_VERSION,
            "name": self.name,
            "whiten": self.whitening,
            "regularisation": self.regularisation,
            "level": self.grouped_by,
            "anchors": asdict(self.anchors),
            "off_centre": self.off_axis.centre,
            "off_unit": self.off_axis.unit,
            "about": {} if self.provenance is None else self.provenance.record(),
        }

    @property
    def arrays(self) -> dict[str, Float]:
        """The arrays by the names that are hashed and stored."""
        off = self.off_axis
        return {
            "weights": self.weights,
            "biases": self.biases,
            "centre": off.whitening.centre,
            "matrix": off.whitening.matrix,
            "axis": off.weights,
            "off": off.direction,
            "off_negative": off.reference.negative,
            "off_positive": off.reference.positive,
            "off_basis": off.reference.basis,
            "off_spread": off.reference.spread,
        }

    @cached_property
    def digest(self) -> str:
        """The SHA-256 (hex) of header and arrays."""
        # Sorted keys and names, so that the digest does not depend on the order in which fields were set.
        hashed = hashlib.sha256(json.dumps(self.header, sort_keys=True, ensure_ascii=False).encode())
        for name, values in sorted(self.arrays.items()):
            hashed.update(name.encode() + np.ascontiguousarray(values).tobytes())
        return hashed.hexdigest()

    def along(self, vectors: Vectors) -> Float:
        """Return the scores `on` [N] of vectors [N, F]. Raises ValueError for vectors of another length."""
        if vectors.ndim != 2 or vectors.shape[1] != self.features:
            raise ValueError(f"this axis scores vectors of {self.features} features, got shape {vectors.shape}")
        # Scores are linear, so the mean over the folds is the score of the mean functional.
        return projections(vectors, self.weights.mean(axis=0)[None], self.biases.mean()[None])[:, 0]
