"""The axes that every analysis answers besides efficacy, and those that are asked for: out of fold, and with words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from gandl_analysis.pipeline.analyse import analyse
from gandl_analysis.pipeline.result import Analysed, AxisScores, ScreenAnalysis
from gandl_science import threads as cores
from gandl_science.axis.cross_fit import score_wells
from gandl_science.axis.folds import grouped_folds
from gandl_science.axis.plate_normalisation import standardise_plates
from gandl_science.positions import Positions
from gandl_shared.errors import Invalid, NotEnoughData
from gandl_shared.plates import Role, Well
from gandl_shared.plates.well_names import parse_wells
from gandl_shared.schemas.analysis import AnalysisParameters, AxisChoice
from threadpoolctl import threadpool_limits

from tests.analysis.simulated_screens import Simulated

TWO = Simulated(lines=("HRCE", "VERO"), plates=("P1", "P2"), lines_apart=5.0)


def analysis_of(simulated: Simulated, parameters: AnalysisParameters | None = None) -> ScreenAnalysis:
    return analyse(simulated.screen(parameters)).analysis


def positions_of(wells: Sequence[Well]) -> Positions:
    rows, columns = parse_wells(w.well for w in wells)
    return Positions(plates=[w.plate for w in wells], rows=rows, columns=columns)


def axis(analysis: ScreenAnalysis, name: str, cell_line: str | None = None) -> AxisScores:
    (one,) = [a for a in analysis.axes if (a.name, a.cell_line) == (name, cell_line)]
    return one


@pytest.fixture(scope="module")
def analysed() -> Analysed:
    return analyse(TWO.screen())


@pytest.fixture(scope="module")
def two(analysed: Analysed) -> ScreenAnalysis:
    return analysed.analysis


def test_one_cell_line_has_its_efficacy_axis_only() -> None:
    assert [(a.name, a.cell_line) for a in analysis_of(Simulated()).axes] == [("E2", "U2OS")]


def test_two_cell_lines_have_c2_and_the_pooled_axis(two: ScreenAnalysis) -> None:
    names = [(a.name, a.cell_line) for a in two.axes]
    assert names == [("E2", "HRCE"), ("E2", "VERO"), ("E2-pooled", None), ("C2", None)]
    for one in two.axes:
        assert one.quality is not None and one.quality.accuracy is not None
        assert one.quality.accuracy > 0.95
        assert (one.quality.grouped_by, one.quality.in_sample) == ("row", False)


def test_c2_is_the_axis_between_the_lines_control_wells(two: ScreenAnalysis) -> None:
    """The same by hand: labels, grouped folds, out-of-fold scores."""
    wells, profiles = TWO.wells(), TWO.profiles()
    control = np.array([w.role is not Role.TREATMENT for w in wells])
    labels = np.where(control, np.array([1 if w.cell_line == "VERO" else -1 for w in wells]), 0)
    folds = grouped_folds(positions_of(wells), labels)
    assert folds is not None
    well = np.repeat(np.arange(len(wells)), len(profiles) // len(wells))
    scores = score_wells(profiles.vectors, well, labels, folds, name="C2")
    c2 = axis(two, "C2")
    assert (c2.wells, c2.on, c2.scaled) == (tuple(range(len(wells))), tuple(scores.on), tuple(scores.efficacy))
    assert c2.side == tuple(labels)
    assert np.mean([s for s, side in zip(c2.scaled, c2.side, strict=True) if side == 1 and s]) == pytest.approx(1)


def test_treatments_fall_on_the_side_of_their_line_without_being_labelled(two: ScreenAnalysis) -> None:
    c2 = axis(two, "C2")
    treated = [(two.wells[i].cell_line, s) for i, s, side in zip(c2.wells, c2.scaled, c2.side, strict=True) if not side]
    assert len(treated) == 96
    assert all((s > 0) == (line == "VERO") for line, s in treated if s is not None)


@pytest.mark.slow
def test_lines_that_do_not_differ_are_told_apart_by_chance_only() -> None:
    """In-sample the same lines look different: that is what holding out is for."""
    accuracies, flattering = [], []
    for seed in range(4):
        same = Simulated(lines=("HRCE", "VERO"), lines_apart=0.0, seed=seed)
        honest = axis(analysis_of(same), "C2").quality
        paper = axis(analysis_of(same, AnalysisParameters(preset="paper")), "C2").quality
        assert honest is not None and honest.accuracy is not None
        assert paper is not None and paper.accuracy is not None
        accuracies.append(honest.accuracy)
        flattering.append(paper.accuracy)
    assert np.mean(accuracies) == pytest.approx(0.5, abs=0.1)
    assert np.mean(flattering) > np.mean(accuracies) + 0.15


def test_three_lines_have_one_axis_each_against_the_rest() -> None:
    three = analysis_of(Simulated(lines=("A", "B", "C"), lines_apart=6.0))
    assert [a.name for a in three.axes if a.name.startswith("C2")] == ["C2:A", "C2:B", "C2:C"]
    first = axis(three, "C2:A")
    assert (first.positive["cell_line"], first.negative["cell_line"]) == (("A",), ("B", "C"))


def test_lines_that_share_no_plate_are_confounded_and_it_is_said() -> None:
    apart = analysis_of(Simulated(lines=("A", "B"), plates=("P1", "P2"), lines_apart=5.0, own_plates=True))
    assert "no plate holds wells of both groups" in (axis(apart, "C2").note or "")
    assert axis(apart, "E2", "A").note is None


def test_an_axis_between_any_two_groups() -> None:
    """By a metadata column, by compound and dose against the vehicle, and within each cell line."""
    wells = [(row, c) for row in "ABCD" for c in (4, 5)]
    batches = {f"{row}{c:02d}": {"Metadata_batch": "early" if row in "AB" else "late"} for row, c in wells}
    choices = (
        AxisChoice(name="batch", positive={"batch": ("late",)}, negative={"Metadata_batch": ("early",)}),
        AxisChoice(
            name="top-dose",
            positive={"compound": ("X",), "concentration_um": ("10.0",)},
            negative={"role": ("negative_control",)},
            within="cell_line",
        ),
    )
    analysis = analysis_of(Simulated(metadata=batches), AnalysisParameters(axes=choices))
    batch, dose = axis(analysis, "batch"), axis(analysis, "top-dose", "U2OS")
    assert (batch.side.count(1), batch.side.count(-1)) == (4, 4)
    assert batch.quality is not None and batch.quality.roc_auc is not None
    assert batch.quality.roc_auc < 0.95  # nothing tells the batches apart
    assert (dose.side.count(1), dose.side.count(-1)) == (4, 8)
    assert dose.quality is not None and dose.quality.roc_auc == 1
    positive = [s for i, s in zip(dose.wells, dose.scaled, strict=True) if analysis.wells[i].role == "positive_control"]
    assert min(s for s in positive if s is not None) > 0  # 10 µM of X looks like the positive control


TREATED, VEHICLE = {"role": ("treatment",)}, {"role": ("negative_control",)}


@pytest.mark.parametrize(
    ("positive", "negative", "field", "words"),
    [
        ({"bach": ("1",)}, VEHICLE, "axes.0.positive.bach", "no column 'bach'; the plate map has plate, well"),
        (TREATED, {"compound": ("Y",)}, "axes.0.negative", "0 wells have compound in ['Y']; an axis needs at least 2"),
        (TREATED, {"compound": ("X",)}, "axes.0", "wells on both sides"),
    ],
    ids=["column", "nobody", "both"],
)
def test_groups_that_cannot_be_had_are_refused_by_field(
    positive: dict[str, tuple[str, ...]], negative: dict[str, tuple[str, ...]], field: str, words: str
) -> None:
    choice = AxisChoice(name="a", positive=positive, negative=negative)
    with pytest.raises(Invalid) as error:
        analysis_of(Simulated(), AnalysisParameters(axes=(choice,)))
    (problem,) = error.value.problems
    assert problem.field == field
    assert words in problem.detail


def test_an_axis_whose_wells_have_no_images_is_told_and_the_rest_is_there() -> None:
    choice = AxisChoice(name="a", positive={"well": ("A04", "A05")}, negative={"role": ("negative_control",)})
    simulated = Simulated()
    profiles = simulated.profiles()
    profiles = profiles.where(np.array([w not in ("A04",) for w in profiles.wells]))
    screen = simulated.screen(AnalysisParameters(axes=(choice,)), profiles=profiles)
    analysis = analyse(screen).analysis
    missing = axis(analysis, "a")
    assert missing.note == "no axis: 1 positive and 8 negative wells with images; it needs at least 2 of each"
    assert (missing.hash, missing.quality, missing.wells) == (None, None, ())
    assert axis(analysis, "E2", "U2OS").quality is not None


class TestNormalisation:
    SHIFTED = Simulated(plates=("P1", "P2"), plates_apart=8.0, lines=("HRCE", "VERO"), lines_apart=5.0)

    def test_it_is_that_of_the_negative_controls_of_plate_and_line(self) -> None:
        """By hand: each cell line's vectors standardised by its own negative controls on the plate, then scored."""
        analysis = analysis_of(self.SHIFTED, AnalysisParameters(normalisation="standardise"))
        wells, profiles = self.SHIFTED.wells(), self.SHIFTED.profiles()
        well = np.repeat(np.arange(len(wells)), len(profiles) // len(wells))
        of_line = np.array([w.cell_line == "VERO" for w in wells])
        part, tiles = [w for w in wells if w.cell_line == "VERO"], of_line[well]
        index = (np.cumsum(of_line) - 1)[well[tiles]]
        negative = np.array([w.role is Role.NEGATIVE for w in part])
        vectors = standardise_plates(profiles.vectors[tiles], index, [w.plate for w in part], negative)
        labels = np.array([{Role.POSITIVE: 1, Role.NEGATIVE: -1}.get(w.role, 0) for w in part])
        folds = grouped_folds(positions_of(part), labels)
        assert folds is not None
        by_hand = score_wells(vectors, index, labels, folds).efficacy
        assert [w.efficacy for w in analysis.wells if w.cell_line == "VERO"] == by_hand.tolist()

    def test_between_lines_vectors_stay_as_they_are(self) -> None:
        analysis = analysis_of(self.SHIFTED, AnalysisParameters(normalisation="align", whitening="negative_controls"))
        plain = analysis_of(self.SHIFTED, AnalysisParameters(whitening="negative_controls"))
        assert axis(analysis, "C2").on == axis(plain, "C2").on
        assert "not normalised by plate" in (axis(analysis, "C2").note or "")
        assert axis(analysis, "E2-pooled").on != axis(plain, "E2-pooled").on
        assert analysis.provenance.parameters.normalisation == "align"

    def test_a_plate_without_negative_controls_is_named(self) -> None:
        simulated = Simulated(plates=("P1", "P2"))
        wells = [w for w in simulated.wells() if (w.plate, w.role) != ("P2", Role.NEGATIVE)]
        screen = simulated.screen(AnalysisParameters(normalisation="align"), wells=wells)
        with pytest.raises(NotEnoughData, match=r"normalisation align, cell line U2OS: plate P2 has 0 negative.*none"):
            analyse(screen)


def test_thresholds_decide_the_verdict() -> None:
    def verdict(**thresholds: float) -> str | None:
        parameters = AnalysisParameters.model_validate({"quality": thresholds})
        return analysis_of(Simulated(mixed=True), parameters).quality.cell_lines["U2OS"].verdict

    z_prime = analysis_of(Simulated(mixed=True)).quality.cell_lines["U2OS"].z_prime
    assert z_prime is not None and z_prime > 0
    assert verdict(good=0.01, usable=0.01) == "good"
    assert verdict(good=0.999, usable=0.0) == "usable"
    assert verdict(good=0.999, usable=0.998) == "poor"
    assert verdict(controls=9) == "undetermined"


def test_a_plate_of_two_cell_lines_has_figures_for_each() -> None:
    analysis = analysis_of(Simulated(lines=("HRCE", "VERO"), plates=("P1",)))
    plates, lines = analysis.quality.plates, analysis.quality.cell_lines
    assert {name: quality.cell_line for name, quality in plates.items()} == {"P1 (HRCE)": "HRCE", "P1 (VERO)": "VERO"}
    assert {q.cell_line: q.z_prime for q in plates.values()} == {name: q.z_prime for name, q in lines.items()}
    apart = analysis_of(Simulated(lines=("HRCE", "VERO"), plates=("P1", "P2"), own_plates=True)).quality.plates
    assert {name: quality.cell_line for name, quality in apart.items()} == {"P1": "HRCE", "P2": "VERO"}


def test_experiments_are_held_out_where_plates_do_not_carry_both_controls() -> None:
    """Positive controls on two plates, negative ones on two others; one of each in each experiment."""
    four = Simulated(plates=("P1", "P2", "P3", "P4"))
    control = {"P1": Role.POSITIVE, "P2": Role.NEGATIVE, "P3": Role.POSITIVE, "P4": Role.NEGATIVE}
    wells = [
        replace(w, metadata={"Experiment": "E1" if w.plate in ("P1", "P2") else "E2"})
        for w in four.wells()
        if w.role in (Role.TREATMENT, control[w.plate])
    ]
    quality = analyse(four.screen(wells=wells)).analysis.quality.cell_lines["U2OS"]
    assert (quality.grouped_by, quality.roc_auc) == ("experiment", 1.0)
    without = [replace(w, metadata={}) for w in wells]
    assert analyse(four.screen(wells=without)).analysis.quality.cell_lines["U2OS"].grouped_by == "plate"


def test_the_answer_does_not_depend_on_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = []
    for threads in (1, 3):
        monkeypatch.setattr(cores, "available_threads", partial(int, threads))
        with threadpool_limits(threads, user_api="blas"):
            answers.append(analysis_of(TWO))
    assert answers[0] == answers[1]


class TestPaperPreset:
    PAPER = AnalysisParameters(preset="paper")

    def test_every_figure_says_that_it_is_in_sample(self) -> None:
        analysis = analysis_of(TWO, self.PAPER)
        assert "in-sample" in (analysis.quality.note or "") and "comparison only" in (analysis.quality.note or "")
        groups = [*analysis.quality.cell_lines.values(), *analysis.quality.plates.values()]
        for quality in [*groups, *(a.quality for a in analysis.axes if a.quality)]:
            assert (quality.in_sample, quality.grouped_by, quality.verdict) == (True, None, "undetermined")
        assert [a.anchors for a in analysis.provenance.efficacy_axes] == ["in-sample controls"]
        assert analysis_of(TWO).quality.note is None

    def test_lines_are_pooled_and_anchored_together(self) -> None:
        analysis = analysis_of(TWO, self.PAPER)
        assert [(a.name, a.cell_line) for a in analysis.axes] == [("E2-paper", None), ("C2", None)]
        means = {
            role: np.mean([w.efficacy for w in analysis.wells if w.role == role and w.efficacy is not None])
            for role in ("positive_control", "negative_control")
        }
        assert means == {"positive_control": pytest.approx(1), "negative_control": pytest.approx(-1)}
        scores = axis(analysis, "E2-paper")
        assert scores.on == tuple(w.on for w in analysis.wells)
        assert scores.scaled == tuple(w.efficacy for w in analysis.wells)
        assert {w.off_distance for w in analysis.wells} == {None}


def test_a_well_is_the_mean_of_its_tiles_on_every_axis(analysed: Analysed) -> None:
    profiles, wells = TWO.screen().profiles, analysed.analysis.wells
    assert set(analysed.tile_positions) == {"off", "axis:E2-pooled", "axis:C2"}
    c2 = axis(analysed.analysis, "C2")
    scaled = {(wells[i].plate, wells[i].well): value for i, value in zip(c2.wells, c2.scaled, strict=True)}
    off = {(well.plate, well.well): well.off for well in wells}
    for name, of_wells in (("axis:C2", scaled), ("off", off)):
        own: dict[tuple[str, str], list[float]] = {}
        for plate, well, value in zip(profiles.plates, profiles.wells, analysed.tile_positions[name], strict=True):
            own.setdefault((plate, well), []).append(value)
        means = {key: float(np.mean(values)) for key, values in own.items()}
        # Float32 vectors give six digits.
        assert means == pytest.approx({key: of_wells[key] for key in means}, rel=1e-5, abs=1e-5)
