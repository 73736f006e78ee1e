"""The file of a fitted axis: NPZ with float64 arrays and one JSON header, which holds the digest of both.

No file is unpickled. The digest is checked when a file is read, so a file that was changed is refused.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from gandl_science.arrays import Float
from gandl_science.axis.anchors import Anchors
from gandl_science.axis.fitted import AxisFit, OffAxis
from gandl_science.axis.linear.whitening import Whitening
from gandl_science.axis.provenance import AxisProvenance, ControlStatus, HeldOut
from gandl_science.axis.residual import OffReference
from gandl_shared.errors import Invalid, NotFound, Problem
from gandl_shared.files.archives import DAMAGED
from numpy.typing import NDArray

from gandl_analysis.pipeline.inputs import EarlierAxes

MAX_BYTES = 2**30
"""An axis of 512 features has 2.2 MB. A file that unpacks to more than this is not an axis."""

_FOREIGN = "this is not an axis that gandl wrote"


def axis_bytes(fit: AxisFit) -> bytes:
    """Return the content of the file of a fit. The same fit gives the same bytes."""
    # Sorted keys make the bytes depend on the fit alone.
    header = json.dumps({**fit.header, "sha256": fit.digest}, sort_keys=True, ensure_ascii=False).encode()
    arrays: dict[str, NDArray[np.generic]] = {"header": np.frombuffer(header, np.uint8), **fit.arrays}
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def read_axis(content: bytes, name: str) -> AxisFit:
    """Read what `axis_bytes` gave. Raises Invalid naming the file if it is no such file or was changed."""
    try:
        arrays = _unpacked(content)
        fit = _restored(arrays)
        _check_shapes(fit)
        _check_digest(fit, arrays)
    except ValueError as error:
        raise Invalid(f"axis {name}: {error}", problems=[Problem(str(error), file=name)]) from error
    return fit


def read_axis_files(paths: Sequence[Path]) -> EarlierAxes:
    """Read axes from files. Raises NotFound, and Invalid naming the file that is no axis or was changed."""
    fits = []
    for path in paths:
        if not path.is_file():
            raise NotFound(f"axis {path} is not there; give a file of the folder axes/ of a screen")
        fits.append(read_axis(path.read_bytes(), path.name))
    return EarlierAxes(tuple(fits), ", ".join(path.name for path in paths))


def _unpacked(content: bytes) -> dict[str, Float]:
    """Return the arrays of an NPZ file. Raises ValueError for any other file, and for one that unpacks too large."""
    file = io.BytesIO(content)
    try:
        with zipfile.ZipFile(file) as archive:
            # Sizes are read from the directory before anything is unpacked: a small file can hold a huge one.
            if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
                raise ValueError(f"it unpacks to more than {MAX_BYTES} bytes")
        file.seek(0)
        with np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (*DAMAGED, OSError, AttributeError, TypeError, MemoryError, OverflowError) as error:
        raise ValueError(f"{_FOREIGN}: {error}") from error


def _header(arrays: Mapping[str, Float]) -> dict[str, object]:
    header = json.loads(arrays["header"].tobytes())
    if not isinstance(header, dict):
        raise TypeError("the header has another form")
    return header


def _restored(arrays: Mapping[str, Float]) -> AxisFit:
    try:
        header = _header(arrays)
        version = header["format"]
        if version == AxisProvenance.SCHEMA_VERSION:
            return _fit(header, arrays)
    # ValueError covers numbers and JSON that cannot be read, and RecursionError what is nested too deeply.
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise ValueError(f"{_FOREIGN}: {error}") from error
    raise ValueError(f"this axis has format {version}; this version of gandl reads {AxisProvenance.SCHEMA_VERSION}")


def _fit(header: Mapping[str, object], arrays: Mapping[str, Float]) -> AxisFit:
    anchors, record = header["anchors"], header["about"]
    if not isinstance(anchors, dict) or not isinstance(record, dict):
        raise TypeError("the header has another form")
    held_out, status = _hold_out(str(header["level"]))
    return AxisFit(
        name=str(header["name"]),
        whitening=str(header["whiten"]),
        regularisation=float(str(header["regularisation"])),
        held_out=held_out,
        control_status=status,
        weights=arrays["weights"],
        biases=arrays["biases"],
        anchors=Anchors(**anchors),
        off_axis=_off_axis(header, arrays),
        provenance=AxisProvenance.from_record({str(k): str(v) for k, v in record.items()}) if record else None,
    )


def _off_axis(header: Mapping[str, object], arrays: Mapping[str, Float]) -> OffAxis:
    reference = OffReference(
        negative=arrays["off_negative"],
        positive=arrays["off_positive"],
        basis=arrays["off_basis"],
        spread=arrays["off_spread"],
    )
    return OffAxis(
        whitening=Whitening(centre=arrays["centre"], matrix=arrays["matrix"]),
        weights=arrays["axis"],
        direction=arrays["off"],
        centre=float(str(header["off_centre"])),
        reference=reference,
        unit=float(str(header["off_unit"])),
    )


def _hold_out(level: str) -> tuple[HeldOut | None, ControlStatus]:
    """Return the two meanings of the header's `level`: a unit that was held out, or the status without one."""
    if level in (ControlStatus.UNSEEN, ControlStatus.IN_SAMPLE):
        return None, ControlStatus(level)
    return HeldOut(level), ControlStatus.HELD_OUT


def _check_shapes(fit: AxisFit) -> None:
    """Raise ValueError for arrays that do not belong together: they would fail later, in the middle of an analysis."""
    if fit.weights.ndim != 2:
        raise ValueError(f"{_FOREIGN}: weights of shape {fit.weights.shape}")
    # All sizes follow from the numbers of folds, features and directions.
    folds, n = fit.weights.shape
    k = fit.off_axis.reference.spread.size
    vector = dict.fromkeys(("centre", "axis", "off", "off_negative", "off_positive"), (n,))
    shapes = vector | {"biases": (folds,), "matrix": (n, n), "off_basis": (n, k), "off_spread": (k,)}
    for name, values in fit.arrays.items():
        if values.dtype != np.float64 or values.shape != shapes.get(name, values.shape):
            raise ValueError(f"{_FOREIGN}: {name} is {values.dtype} of shape {values.shape}")


def _check_digest(fit: AxisFit, arrays: Mapping[str, Float]) -> None:
    # Computed from the fit, so the digest also proves that this version reads every field.
    if fit.digest != _header(arrays).get("sha256"):
        raise ValueError("this axis was changed after it was written: its hash does not fit")
