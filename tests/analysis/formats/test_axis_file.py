"""The file of an axis gives back the axis, and any other or changed file is refused by name."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gandl_analysis.formats import axis_file
from gandl_analysis.formats.axis_file import axis_bytes, read_axis, read_axis_files
from gandl_analysis.pipeline.analyse import analyse
from gandl_analysis.pipeline.result import Analysed
from gandl_science.axis.provenance import ControlStatus, HeldOut
from gandl_shared.errors import Invalid, NotFound

from tests.analysis.simulated_screens import Simulated

FORMAT_2 = Path(__file__).with_name("axis_format_2.npz")
"""Written by the version that introduced format 2, from `Simulated(seed=1)`."""


@pytest.fixture(scope="module")
def first() -> Analysed:
    return analyse(Simulated(seed=1).screen())


def test_an_axis_comes_back_the_same(first: Analysed) -> None:
    fit = first.fits["E2-U2OS"]
    back = read_axis(axis_bytes(fit), "E2-U2OS.npz")
    assert (back.digest, back.provenance) == (fit.digest, fit.provenance)
    vectors = np.random.default_rng(0).normal(size=(5, fit.features))
    assert np.array_equal(back.along(vectors), fit.along(vectors))
    assert axis_bytes(back) == axis_bytes(fit)


@pytest.mark.parametrize("status", [ControlStatus.UNSEEN, ControlStatus.IN_SAMPLE])
def test_the_status_of_the_controls_comes_back(first: Analysed, status: ControlStatus) -> None:
    fit = replace(first.fits["E2-U2OS"], held_out=None, control_status=status)
    back = read_axis(axis_bytes(fit), "a.npz")
    assert (back.held_out, back.control_status) == (None, status)


def test_a_fit_without_provenance_comes_back(first: Analysed) -> None:
    fit = replace(first.fits["E2-U2OS"], provenance=None)
    assert read_axis(axis_bytes(fit), "a.npz").provenance is None


def test_files_of_earlier_versions_stay_readable() -> None:
    (fit,) = read_axis_files([FORMAT_2]).fits
    assert fit.digest == "e6578a52921172882ba248ce4cf08e7db2d27d0468eddd7ab2ea85b260eb4875"
    assert (fit.held_out, fit.control_status) == (HeldOut.ROW, ControlStatus.HELD_OUT)
    assert fit.provenance is not None
    assert (fit.cell_line, fit.provenance.off_axis_limit) == ("U2OS", 2.338603925580305)
    assert len(fit.provenance.control_keys) == 32
    later = Simulated(seed=2, plates=("L1",))
    analysis = analyse(later.screen(earlier=read_axis_files([FORMAT_2]))).analysis
    # What the earlier version answered, within the rounding of another machine.
    efficacies = [1.0230970588648836, 0.7155811660327898, -0.8550700701850398]
    assert [w.efficacy for w in analysis.wells[:3]] == pytest.approx(efficacies, rel=1e-9)
    assert analysis.curves[0].off_axis.limit == pytest.approx(1.738304756738843, rel=1e-9)


@pytest.mark.parametrize("part", ["biases", "weights", "off_spread", "header"])
def test_a_changed_file_is_refused_by_name(first: Analysed, tmp_path: Path, part: str) -> None:
    path = tmp_path / "E2-U2OS.npz"
    path.write_bytes(axis_bytes(first.fits["E2-U2OS"]))
    with np.load(path) as stored:
        arrays = dict(stored)
    if part == "header":
        text = arrays["header"].tobytes().replace(b'"positive": ', b'"positive": 1')
        arrays["header"] = np.frombuffer(text, np.uint8)
    else:
        arrays[part] = arrays[part] * (1 + 1e-12)
    np.savez(path, **arrays)
    with pytest.raises(Invalid, match=r"axis E2-U2OS.npz: this axis was changed"):
        read_axis_files([path])


def test_arrays_that_do_not_belong_together_are_refused(first: Analysed) -> None:
    fit = first.fits["E2-U2OS"]
    short = replace(fit, off_axis=replace(fit.off_axis, direction=fit.off_axis.direction[:-1]))
    with pytest.raises(Invalid, match="not an axis that gandl wrote: off is float64 of shape"):
        read_axis(axis_bytes(short), "short.npz")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="axes/ of a screen"):
        read_axis_files([tmp_path / "none.npz"])


@pytest.mark.parametrize("content", [b"", b"weights,1,2", b"PK\x03\x04broken"])
def test_other_files_are_refused(content: bytes) -> None:
    with pytest.raises(Invalid, match=r"axis a.npz: this is not an axis"):
        read_axis(content, "a.npz")


def test_pickles_are_refused() -> None:
    file = io.BytesIO()
    np.savez(file, header=np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(Invalid, match="not an axis"):
        read_axis(file.getvalue(), "a.npz")


def test_a_file_that_unpacks_to_too_much_is_refused(first: Analysed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(axis_file, "MAX_BYTES", 1000)
    with pytest.raises(Invalid, match="unpacks to more than 1000 bytes"):
        read_axis(axis_bytes(first.fits["E2-U2OS"]), "a.npz")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (b'"format": 2', b'"format": 9', "has format 9; this version of gandl reads 2"),
        (b'"level": "row"', b'"level": "cow"', "not an axis that gandl wrote: 'cow' is not a valid HeldOut"),
        (b'"model_id"', b'"model_xx"', "not an axis that gandl wrote: 'model_id'"),
    ],
    ids=["format", "hold-out", "provenance"],
)
def test_a_header_of_another_form_is_refused(first: Analysed, before: bytes, after: bytes, words: str) -> None:
    with np.load(io.BytesIO(axis_bytes(first.fits["E2-U2OS"]))) as stored:
        arrays = dict(stored)
    header = arrays["header"].tobytes()
    assert before in header
    arrays["header"] = np.frombuffer(header.replace(before, after), np.uint8)
    file = io.BytesIO()
    np.savez(file, **arrays)
    with pytest.raises(Invalid, match=words):
        read_axis(file.getvalue(), "a.npz")


def test_arrays_that_cannot_exist_are_refused() -> None:
    def member(shape: str) -> bytes:
        text = f"{{'descr':'<f8','fortran_order':False,'shape':({shape},)}}".ljust(117) + "\n"
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("header.npy", b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode())
        return file.getvalue()

    deep = io.BytesIO()
    np.savez(deep, header=np.frombuffer(b"[" * 200_000, np.uint8))
    for content in (member("1" + "0" * 16), member("1" + "0" * 30), deep.getvalue()):
        with pytest.raises(Invalid, match="not an axis"):
            read_axis(content, "a.npz")
