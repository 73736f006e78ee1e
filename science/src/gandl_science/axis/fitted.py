"""A fitted axis as a value: it scores any vectors of the same featurizer, and is stored as NPZ without pickle.

The file holds one JSON header and arrays of float64; its hash is checked when it is read.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from gandl_science.arrays import group_means, projections
from gandl_science.axis.anchors import Anchors, control_anchors
from gandl_science.axis.residual import OffReference, Remainder, remainder_of
from gandl_science.axis.whitening import Whitening

Float = NDArray[np.float64]
Index = NDArray[np.intp]
Vectors = NDArray[np.floating]

FORMAT = 2
MOST_BYTES = 2**30
"""An axis of 512 features has 2.2 MB; a file that unfolds to more than this is none."""

SCREEN = "screen"
"""Level of an axis whose anchors are wells of a later screen, which no fit has seen."""
IN_SAMPLE = "none"
"""Level of an axis that was anchored by the very wells it was fitted on."""

_FOREIGN = "this is not an axis that gandl wrote"


@dataclass(frozen=True)
class OffAxis:
    """How far and where wells lie across the axis. `weights` and `direction` [F] are orthogonal unit vectors of
    whitened space: the axis and the Off coordinate; `centre` is the controls' mean on the latter; `unit` is the median
    distance of held-out controls."""

    whiten: Whitening
    weights: Float
    direction: Float
    centre: float
    reference: OffReference
    unit: float

    @property
    def remainder(self) -> Remainder:
        """What is left of a vector without its part along the axis."""
        return remainder_of(self.whiten, self.weights)

    def coordinate(self, means: Float) -> Float:
        """Signed Off coordinate [W] of wells' mean vectors [W, F]."""
        return self.remainder.along(means, self.direction[:, None])[:, 0] - self.centre

    def distance(self, means: Float, efficacy: Float) -> Float:
        """Off distance [W], 1 for a typical control, of mean vectors [W, F] of wells with efficacies [W]."""
        return self.reference.distance(self.remainder.along(means, self.reference.basis), efficacy) / self.unit


@dataclass(frozen=True)
class AppliedScores:
    """Scores of wells [W] and tiles [N] that no fit has seen, in the units of `WellScores`, and the anchors used."""

    on: Float
    off: Float
    off_distance: Float
    efficacy: Float
    tile_on: Float
    anchors: Anchors


@dataclass(frozen=True)
class AxisFit:
    """One axis, fitted. `weights` [K, F] and `biases` [K] are the functionals of K folds on vectors as they are; a new
    vector's score is their mean, for which `anchors` (out-of-fold) are unbiased. `about` is free text (cell line,
    model, plate normalisation): a fit is of use only for vectors of the same model, normalised the same way."""

    name: str
    whiten: str
    regularisation: float
    level: str
    weights: Float
    biases: Float
    anchors: Anchors
    off_axis: OffAxis
    about: Mapping[str, str] = field(default_factory=dict)

    @property
    def features(self) -> int:
        """Length F of the vectors it scores."""
        return int(self.weights.shape[1])

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of everything it holds."""
        hashed = hashlib.sha256(_json(_header(self)))
        for name, values in sorted(_arrays(self).items()):
            hashed.update(name.encode() + np.ascontiguousarray(values).tobytes())
        return hashed.hexdigest()

    def along(self, vectors: Vectors) -> Float:
        """Scores `on` [N] of vectors [N, F]. Raises ValueError for vectors of another length."""
        if vectors.ndim != 2 or vectors.shape[1] != self.features:
            raise ValueError(f"this axis scores vectors of {self.features} features, got shape {vectors.shape}")
        return projections(vectors, self.weights.mean(axis=0)[None], self.biases.mean()[None])[:, 0]

    def apply(self, vectors: Vectors, well: Index, labels: Index, *, anchor_again: bool = False) -> AppliedScores:
        """Score a later screen: `vectors` [N, F], `well` [N] indexing `labels` [W] (+1, -1, 0).

        `anchor_again` takes the anchors from that screen's own controls, which is unbiased as no fit has seen them.
        Do not apply a fit to the controls it was fitted on: their scores are `WellScores`. Off distances are along the
        directions in which the wells of the fitted screen differed: fit anew to find another kind of toxicity.
        """
        tile_on = self.along(vectors)
        on = group_means(tile_on[:, None], well, len(labels))[:, 0]
        anchors = control_anchors(on, labels) if anchor_again else self.anchors
        efficacy = anchors.efficacy(on)
        means = group_means(vectors, well, len(labels))
        off, distance = self.off_axis.coordinate(means), self.off_axis.distance(means, efficacy)
        return AppliedScores(on, off, distance, efficacy, tile_on, anchors)

    def to_npz(self, file: BinaryIO) -> None:
        """Write header (JSON, with the hash) and arrays."""
        header = np.frombuffer(_json({**_header(self), "sha256": self.digest}), np.uint8)
        arrays: dict[str, NDArray[np.generic]] = {"header": header, **_arrays(self)}
        np.savez(file, allow_pickle=False, **arrays)

    @classmethod
    def from_npz(cls, file: BinaryIO) -> AxisFit:
        """Read what `to_npz` wrote. Raises ValueError for any other file, and where the hash does not fit."""
        arrays = _loaded(file)
        try:
            header = json.loads(arrays.pop("header").tobytes())
            fit = _restored(header, arrays)
        except (KeyError, TypeError, AttributeError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise ValueError(f"{_FOREIGN}: {error}") from error
        _check_shapes(fit)
        if fit.digest != header["sha256"]:
            raise ValueError("this axis was changed after it was written: its hash does not fit")
        return fit


def _header(fit: AxisFit) -> dict[str, object]:
    return {
        "format": FORMAT,
        "name": fit.name,
        "whiten": fit.whiten,
        "regularisation": fit.regularisation,
        "level": fit.level,
        "anchors": asdict(fit.anchors),
        "off_centre": fit.off_axis.centre,
        "off_unit": fit.off_axis.unit,
        "about": dict(fit.about),
    }


def _arrays(fit: AxisFit) -> dict[str, Float]:
    off = fit.off_axis
    return {
        "weights": fit.weights,
        "biases": fit.biases,
        "centre": off.whiten.centre,
        "matrix": off.whiten.matrix,
        "axis": off.weights,
        "off": off.direction,
        "off_negative": off.reference.negative,
        "off_positive": off.reference.positive,
        "off_basis": off.reference.basis,
        "off_spread": off.reference.spread,
    }


def _loaded(file: BinaryIO) -> dict[str, Float]:
    try:
        with zipfile.ZipFile(file) as archive:
            if sum(member.file_size for member in archive.infolist()) > MOST_BYTES:
                raise ValueError(f"it unfolds to more than {MOST_BYTES} bytes")
        file.seek(0)
        with np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, AttributeError, TypeError) as error:
        raise ValueError(f"{_FOREIGN}: {error}") from error


def _restored(header: Mapping[str, object], arrays: Mapping[str, Float]) -> AxisFit:
    if header["format"] != FORMAT:
        raise ValueError(f"this axis has format {header['format']}; this version of gandl reads {FORMAT}")
    anchors, about = header["anchors"], header["about"]
    if not isinstance(anchors, dict) or not isinstance(about, dict):
        raise TypeError("the header has another form")
    off = OffAxis(
        whiten=Whitening(arrays["centre"], arrays["matrix"]),
        weights=arrays["axis"],
        direction=arrays["off"],
        centre=float(str(header["off_centre"])),
        reference=OffReference(*(arrays[f"off_{part}"] for part in ("negative", "positive", "basis", "spread"))),
        unit=float(str(header["off_unit"])),
    )
    return AxisFit(
        name=str(header["name"]),
        whiten=str(header["whiten"]),
        regularisation=float(str(header["regularisation"])),
        level=str(header["level"]),
        weights=arrays["weights"],
        biases=arrays["biases"],
        anchors=Anchors(**anchors),
        off_axis=off,
        about={str(key): str(value) for key, value in about.items()},
    )


def _check_shapes(fit: AxisFit) -> None:
    """A file whose arrays do not belong together would fail later, in the middle of an analysis."""
    if fit.weights.ndim != 2:
        raise ValueError(f"{_FOREIGN}: weights of shape {fit.weights.shape}")
    folds, n = fit.weights.shape
    k = fit.off_axis.reference.spread.size
    vector = dict.fromkeys(("centre", "axis", "off", "off_negative", "off_positive"), (n,))
    wanted = vector | {"biases": (folds,), "matrix": (n, n), "off_basis": (n, k), "off_spread": (k,)}
    for name, values in _arrays(fit).items():
        if values.dtype != np.float64 or values.shape != wanted.get(name, values.shape):
            raise ValueError(f"{_FOREIGN}: {name} is {values.dtype} of shape {values.shape}")


def _json(header: Mapping[str, object]) -> bytes:
    return json.dumps(header, sort_keys=True, ensure_ascii=False).encode()
