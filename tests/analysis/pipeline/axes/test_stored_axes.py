"""An efficacy axis on a later screen: the same scores, honest anchors, and a refusal wherever it does not belong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from gandl_analysis.formats.axis_file import axis_bytes, read_axis
from gandl_analysis.pipeline.analyse import analyse
from gandl_analysis.pipeline.axes.stored_axes import check_earlier
from gandl_analysis.pipeline.inputs import EarlierAxes, ScreenInput
from gandl_analysis.pipeline.result import Analysed, ScreenAnalysis
from gandl_shared.errors import Invalid
from gandl_shared.models.numerics import full_key
from gandl_shared.plates import Role
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.testing import fake_card
from numpy.typing import NDArray

from tests.analysis.simulated_screens import FEATURES, MODEL_ID, Simulated

FIRST = Simulated(seed=1)
LATER = Simulated(seed=2, plates=("L1",))


@pytest.fixture(scope="module")
def first() -> Analysed:
    return analyse(FIRST.screen())


@pytest.fixture(scope="module")
def earlier(first: Analysed) -> EarlierAxes:
    """As it comes back from its file."""
    return EarlierAxes((read_axis(axis_bytes(first.fits["E2-U2OS"]), "E2-U2OS.npz"),), "E2-U2OS.npz")


def efficacies(analysis: ScreenAnalysis, role: str) -> NDArray[np.float64]:
    return np.array([w.efficacy for w in analysis.wells if w.role == role], float)


def test_the_file_of_a_fit_is_the_fit(first: Analysed, earlier: EarlierAxes) -> None:
    (fit,) = earlier.fits
    assert fit.digest == first.fits["E2-U2OS"].digest
    assert axis_bytes(fit) == axis_bytes(first.fits["E2-U2OS"])
    assert [a.hash for a in first.analysis.axes] == [fit.digest]


def test_on_the_very_same_vectors_treatments_score_the_same_bit_for_bit(first: Analysed, earlier: EarlierAxes) -> None:
    """By the stored, out-of-fold anchors: the axis has seen these controls, and their figures say so."""
    again = analyse(FIRST.screen(earlier=earlier)).analysis
    for name in ("on", "off", "efficacy"):
        before, after = (
            [getattr(w, name) for w in analysis.wells if w.role == "treatment"] for analysis in (first.analysis, again)
        )
        assert before == after, name
    assert again.provenance.efficacy_axes[0].anchors == "stored with the axis"
    assert again.quality.cell_lines["U2OS"].in_sample
    assert "fitted on controls of U2OS that are here again" in (again.quality.note or "")
    assert again.provenance.axis_hash == first.analysis.provenance.axis_hash


@pytest.mark.parametrize("dropped", [None, "A01"])
def test_verdicts_stay_where_the_axis_has_seen_the_controls(
    first: Analysed, earlier: EarlierAxes, dropped: str | None
) -> None:
    """The limit off the axis is the held-out one then; of controls that the axis has seen it would be too narrow. One
    control well less makes the others no newer."""
    wells = [w for w in FIRST.wells() if w.well != dropped]
    again = analyse(FIRST.screen(earlier=earlier, wells=wells)).analysis
    before = first.analysis.curves
    assert [c.verdict for c in again.curves] == [c.verdict for c in before] == ["active"]
    assert [c.off_axis.limit for c in again.curves] == pytest.approx([c.off_axis.limit for c in before])
    quality = again.quality.cell_lines["U2OS"]
    assert (quality.in_sample, quality.verdict) == (True, "undetermined")


def test_a_later_screen_is_scored_by_hand_and_anchored_by_its_own_controls(earlier: EarlierAxes) -> None:
    analysis = analyse(LATER.screen(earlier=earlier)).analysis
    (fit,) = earlier.fits
    wells, profiles = LATER.wells(), LATER.profiles()
    tiles = profiles.vectors.astype(float) @ fit.weights.mean(axis=0) + fit.biases.mean()
    on = tiles.reshape(len(wells), -1).mean(axis=1)
    positive, negative = (np.array([w.role is role for w in wells]) for role in (Role.POSITIVE, Role.NEGATIVE))
    low, high = on[negative].mean(), on[positive].mean()
    expected = -1 + 2 * (on - low) / (high - low)
    np.testing.assert_allclose([w.efficacy for w in analysis.wells], expected, rtol=1e-9, atol=1e-12)
    (origin,) = analysis.provenance.efficacy_axes
    assert (origin.fitted_on, origin.anchors, origin.hash) == ("E2-U2OS.npz", "own controls", fit.digest)
    quality = analysis.quality.cell_lines["U2OS"]
    assert (quality.grouped_by, quality.in_sample) == ("screen", False)
    assert quality.z_prime is not None and quality.z_prime > 0


def test_an_offset_of_the_later_screen_is_taken_up_by_its_controls(earlier: EarlierAxes) -> None:
    profiles = LATER.profiles()
    shifted = replace(profiles, vectors=profiles.vectors + np.float32(2))
    plain, moved = (analyse(LATER.screen(earlier=earlier, profiles=p)).analysis for p in (profiles, shifted))
    np.testing.assert_allclose(efficacies(moved, "treatment"), efficacies(plain, "treatment"), atol=1e-4)


def test_without_controls_the_stored_anchors_and_off_limit_stand_in(first: Analysed, earlier: EarlierAxes) -> None:
    treated = replace(LATER, roles=(Role.TREATMENT,))
    analysis = analyse(treated.screen(earlier=earlier)).analysis
    (fit,) = earlier.fits
    on = np.array([w.on for w in analysis.wells], float)
    assert efficacies(analysis, "treatment").tolist() == fit.anchors.efficacy(on).tolist()
    assert analysis.provenance.efficacy_axes[0].anchors == "stored with the axis"
    quality = analysis.quality.cell_lines["U2OS"]
    assert (quality.n_positive, quality.z_prime, quality.accuracy, quality.verdict) == (0, None, None, "undetermined")
    (curve,) = analysis.curves
    assert curve.off_axis.limit == pytest.approx(first.analysis.curves[0].off_axis.limit)
    assert curve.verdict == "active"


def test_one_control_of_a_kind_is_no_anchor(earlier: EarlierAxes) -> None:
    wells = [w for w in LATER.wells() if w.role is not Role.POSITIVE or w.well == "A01"]
    analysis = analyse(LATER.screen(earlier=earlier, wells=wells)).analysis
    assert analysis.provenance.efficacy_axes[0].anchors == "stored with the axis"


def test_what_is_kept_of_a_later_screen_scores_a_third_one(earlier: EarlierAxes) -> None:
    second = analyse(LATER.screen(earlier=earlier))
    third = Simulated(seed=3, plates=("M1",), roles=(Role.TREATMENT,))
    by_second = analyse(third.screen(earlier=EarlierAxes(tuple(second.fits.values()), "second"))).analysis
    by_first = analyse(third.screen(earlier=earlier)).analysis
    assert [w.on for w in by_second.wells] == [w.on for w in by_first.wells]
    assert [w.efficacy for w in by_second.wells] != [w.efficacy for w in by_first.wells]  # anchors of the second


def test_other_axes_are_fitted_anew() -> None:
    lines = Simulated(lines=("A", "B"), lines_apart=5.0, seed=1)
    fits = analyse(lines.screen()).fits
    assert sorted(fits) == ["C2", "E2-A", "E2-B", "E2-pooled"]
    later = replace(lines, seed=2)
    analysed = analyse(later.screen(earlier=EarlierAxes(tuple(fits.values()), "the first")))
    assert [o.fitted_on for o in analysed.analysis.provenance.efficacy_axes] == ["the first", "the first"]
    assert analysed.fits["C2"].digest == analyse(later.screen()).fits["C2"].digest


def in_bfloat16(screen: ScreenInput) -> ScreenInput:
    keys = [full_key(f"{n:064x}", "openvino.bfloat16.a.b.16") for n in range(len(screen.profiles))]
    return replace(screen, profiles=replace(screen.profiles, keys=np.array(keys, object)))


Spoil = Callable[[ScreenInput], ScreenInput]
CARD = fake_card(features=FEATURES)
REFUSED: list[tuple[str, Spoil, str]] = [
    ("model", lambda s: replace(s, model_id="b" * 64), "model_id of .* another model"),
    ("precision", in_bfloat16, "model_id of .* here it is .* in bfloat16: another model"),
    ("tile", lambda s: replace(s, card=CARD.model_copy(update={"size": 32})), "prepared in another way"),
    ("downscale", lambda s: replace(s, card=CARD.model_copy(update={"downscale": 2})), "prepared in another way"),
    ("limits", lambda s: replace(s, limits_from="card"), '"limits": "card".*prepared in another way'),
    ("features", lambda s: replace(s, card=CARD.model_copy(update={"features": 8})), "vectors of 16 features.* have 8"),
    (
        "normalisation",
        lambda s: replace(s, parameters=AnalysisParameters(normalisation="align")),
        "normalised in another way; ask for the same",
    ),
    (
        "line",
        lambda s: replace(s, wells=[replace(w, cell_line="HRCE") for w in s.wells]),
        "no axis E2 for cell line HRCE; it has U2OS",
    ),
]


@pytest.mark.parametrize(("spoil", "words"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_does_not_belong_together_is_refused(earlier: EarlierAxes, spoil: Spoil, words: str) -> None:
    with pytest.raises(Invalid, match=words) as error:
        analyse(spoil(LATER.screen(earlier=earlier)))
    assert error.value.problems[0].field == "axis_from"


def test_before_the_embedding_an_axis_of_any_precision_of_the_model_is_taken() -> None:
    fits = analyse(in_bfloat16(FIRST.screen())).fits
    axes, later = EarlierAxes(tuple(fits.values()), "first"), LATER.screen()
    check_earlier(axes, replace(later.preparation, precision=None), ["U2OS"])
    check_earlier(axes, in_bfloat16(later).preparation, ["U2OS"])
    with pytest.raises(Invalid, match="in bfloat16, here it is"):
        check_earlier(axes, later.preparation, ["U2OS"])


def test_axes_of_the_paper_are_not_for_use() -> None:
    fits = analyse(FIRST.screen(AnalysisParameters(preset="paper"))).fits
    assert list(fits) == ["E2-paper"]
    with pytest.raises(Invalid, match="preset paper are for comparison only"):
        analyse(LATER.screen(earlier=EarlierAxes(tuple(fits.values()), "paper")))


def test_a_fit_says_what_it_is_for(first: Analysed) -> None:
    provenance = first.fits["E2-U2OS"].provenance
    assert provenance is not None
    assert (provenance.cell_line, provenance.model_id, provenance.normalisation) == ("U2OS", MODEL_ID, "none")
    assert len(provenance.control_keys) == 32  # two sites of each of 16 control wells
    assert provenance.off_axis_limit == pytest.approx(first.analysis.curves[0].off_axis.limit)
