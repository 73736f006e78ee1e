"""Image QC of a screen: a site that fails counts in no score, its problem is named, and killed cells are reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from gandl_analysis.pipeline.analyse import analyse
from gandl_analysis.pipeline.inputs import ScreenInput
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_shared.errors import NotEnoughData
from gandl_shared.plates import Role, Well
from gandl_shared.schemas.analysis import AnalysisParameters, ImageQcParameters
from gandl_shared.schemas.curve import Curve
from gandl_shared.store import Profiles
from gandl_shared.testing import fake_card

DOSES = (0.1, 0.3, 1.0, 3.0, 10.0)
SITES, TILES, FEATURES = 2, 2, 8
BAD = 40.0
"""The value of all features of a failed site: far from every other vector."""

GOOD = (0.3, 0.001, 9.0)
METRICS = {"empty": (0.3, 0.0, 1.0), "overexposed": (0.3, 0.9, 0.0), "saturated": (0.3, 0.2, 9.0)}
METRICS["blurred"] = (0.1, 0.001, 9.0)
Spoilt = Mapping[tuple[str, str], str]  # well and site → reason


def plate() -> list[Well]:
    """Eight rows: positives in column 1, negatives in column 2, compound X at rising doses in columns 3 to 7."""
    wells = []
    for row in "ABCDEFGH":
        for column in range(1, 8):
            role = (Role.POSITIVE, Role.NEGATIVE)[column - 1] if column < 3 else Role.TREATMENT
            dose = DOSES[column - 3] if column > 2 else None
            wells.append(
                Well(
                    plate="P1",
                    well=f"{row}{column:02d}",
                    role=role,
                    compound="X" if dose else None,
                    concentration_um=dose,
                    cell_line="U2OS",
                    table_row=len(wells) + 2,
                )
            )
    return wells


def rescue(well: Well) -> float:
    """-0.5 to 0.5, EC50 1 µM."""
    dose = well.concentration_um
    return {Role.POSITIVE: 0.5, Role.NEGATIVE: -0.5}.get(well.role, 0.0) if dose is None else dose / (1 + dose) - 0.5


def profiles_of(wells: Sequence[Well], spoilt: Spoilt) -> Profiles:
    rng = np.random.default_rng(0)
    places = [(w, str(s + 1), t) for w in wells for s in range(SITES) for t in range(TILES)]
    why = [spoilt.get((w.well, s), "") for w, s, _ in places]
    vectors = np.array([np.full(FEATURES, rescue(w) * 6) for w, _, _ in places])
    vectors = vectors + rng.normal(size=vectors.shape) * 0.5
    bad = np.array([reason != "" for reason in why])
    vectors[bad] = BAD * np.resize([1, -1], FEATURES) + rng.normal(size=(int(bad.sum()), FEATURES))
    figures = np.array([METRICS.get(reason, GOOD) for reason in why], np.float32)
    sharpness, saturated, structure = (np.repeat(column[:, None], 2, axis=1) for column in figures.T)
    return Profiles(
        plates=np.array(["P1"] * len(places), object),
        wells=np.array([w.well for w, _, _ in places], object),
        sites=np.array([s for _, s, _ in places], object),
        tiles=np.array([t for _, _, t in places], np.int32),
        y=np.zeros(len(places), np.int32),
        x=np.zeros(len(places), np.int32),
        keys=np.array(["k"] * len(places), object),
        vectors=vectors.astype(np.float32),
        sharpness=sharpness,
        saturated=saturated,
        structure=structure,
    )


def screen_of(profiles: Profiles, wells: Sequence[Well], parameters: AnalysisParameters | None = None) -> ScreenInput:
    return ScreenInput(
        name="t",
        profiles=profiles,
        wells=wells,
        parked=(),
        parameters=parameters or AnalysisParameters(),
        card=fake_card(),
        model_id="0" * 64,
        limits={},
    )


def screened(spoilt: Spoilt, rules: ImageQcParameters | None = None) -> ScreenAnalysis:
    wells = plate()
    parameters = AnalysisParameters(image_qc=rules or ImageQcParameters())
    return analyse(screen_of(profiles_of(wells, spoilt), wells, parameters)).analysis


def both(*wells: str, reason: str) -> dict[tuple[str, str], str]:
    return {(well, site): reason for well in wells for site in ("1", "2")}


def column(number: int) -> list[str]:
    return [f"{row}{number:02d}" for row in "ABCDEFGH"]


def curve_of(analysis: ScreenAnalysis) -> Curve:
    (curve,) = analysis.curves
    return curve


@pytest.fixture(scope="module")
def clean() -> ScreenAnalysis:
    return screened({})


def test_a_good_screen_has_no_failed_site(clean: ScreenAnalysis) -> None:
    images = clean.quality.images["P1"]
    assert (images.sites, images.focus_judged, images.failed) == (56 * SITES, True, ())
    assert {w.excluded for w in clean.wells} == {None}
    assert curve_of(clean).verdict == "active"


def test_a_failed_site_is_listed_and_its_well_is_scored_by_the_other(clean: ScreenAnalysis) -> None:
    analysis = screened({("C05", "2"): "empty"})
    (site,) = analysis.quality.images["P1"].failed
    assert (site.well, site.site, site.reasons, site.excluded) == ("C05", "2", ("empty",), True)
    before, after = ({w.well: w for w in a.wells}["C05"] for a in (clean, analysis))
    assert (after.n_tiles, before.n_tiles) == (TILES, TILES * SITES)
    assert after.excluded is None
    assert after.efficacy == pytest.approx(before.efficacy, abs=0.2)


def test_a_failed_treatment_well_has_no_efficacy_and_stays_in_the_curve_as_excluded(clean: ScreenAnalysis) -> None:
    analysis = screened(both("C05", reason="overexposed"))
    well = {w.well: w for w in analysis.wells}["C05"]
    assert (well.on, well.off, well.efficacy, well.off_distance, well.n_tiles) == (None, None, None, None, 0)
    assert well.excluded == "image QC: overexposed (c1, c2)"
    points = {p.well: p for p in curve_of(analysis).points}
    assert len(points) == 40
    assert (points["C05"].efficacy, points["C05"].weight, points["C05"].excluded) == (
        None,
        0.0,
        "image QC: overexposed (c1, c2)",
    )
    assert curve_of(analysis).n_wells == 39
    ec50 = [curve_of(a).ec50.value for a in (clean, analysis)]
    assert ec50[1] == pytest.approx(ec50[0], rel=0.1)


def test_a_failed_control_trains_no_axis_and_sets_no_anchor(clean: ScreenAnalysis) -> None:
    bad = both("A01", "B01", "C02", reason="empty")
    used, left_out = screened(bad, ImageQcParameters(exclude=())), screened(bad)
    z = [a.quality.cell_lines["U2OS"].z_prime for a in (clean, left_out, used)]
    assert z[1] == pytest.approx(z[0], abs=0.1)
    assert z[2] < z[0] - 0.5, "if such wells did no harm there would be nothing to test"
    group = left_out.quality.cell_lines["U2OS"]
    assert (group.n_positive, group.n_negative) == (6, 7)
    assert {w.well for w in left_out.wells if w.efficacy is None} == {"A01", "B01", "C02"}
    efficacy = [{w.well: w.efficacy for w in a.wells if w.role == "treatment"} for a in (clean, left_out)]
    differences = [efficacy[0][well] - efficacy[1][well] for well in efficacy[0]]
    assert np.abs(differences).max() < 0.1


def test_failed_wells_count_in_no_metric_of_quality(clean: ScreenAnalysis) -> None:
    """Replicates, positions and the V-factor would all show wells as far away as these."""
    analysis = screened(both("A07", "B07", "C07", reason="overexposed"))
    before, after = (a.quality.cell_lines["U2OS"].v_factor for a in (clean, analysis))
    assert after == pytest.approx(before, abs=0.1)
    probes = analysis.quality.probes["U2OS"]
    assert not {"A07", "B07", "C07"} & set(probes.positions[0].residuals)
    assert probes.replicates is not None
    assert {g.concentration_um: g.n_wells for g in probes.replicates.groups}[10.0] == 5


@pytest.mark.parametrize("reason", ["saturated", "blurred"])
def test_an_uncertain_problem_is_listed_and_its_site_is_used(reason: str) -> None:
    analysis = screened(both("C05", reason=reason))
    assert [(s.well, s.reasons, s.excluded) for s in analysis.quality.images["P1"].failed] == [
        ("C05", (reason,), False)
    ] * 2
    assert {w.well: w for w in analysis.wells}["C05"].efficacy is not None
    excluded = screened(both("C05", reason=reason), ImageQcParameters(exclude=(reason,)))
    assert {w.well: w.excluded for w in excluded.wells}["C05"] == f"image QC: {reason} (c1, c2)"


def test_thresholds_are_parameters() -> None:
    analysis = screened(both("C05", reason="saturated"), ImageQcParameters(saturation=0.3))
    assert analysis.quality.images["P1"].failed == ()
    assert analysis.provenance.parameters.image_qc.saturation == 0.3


def test_a_dose_whose_wells_are_all_empty_has_killed() -> None:
    """The wells leave the curve, as no efficacy of an empty well is invented; that they are empty is reported."""
    curve = curve_of(screened(both(*column(7), reason="empty")))
    assert "empty_wells" in curve.flags and "high_off_perturbation" in curve.flags
    assert curve.off_axis.departs_at == 10.0
    assert [p.excluded for p in curve.points if p.concentration == 10.0] == ["image QC: empty"] * 8
    assert curve.n_doses == 4
    assert curve.window is not None and (curve.window.high, curve.window.limited_by) == (10.0, "off_axis")


def test_a_compound_that_empties_wells_below_its_effect_is_toxic_and_never_inactive() -> None:
    curve = curve_of(screened(both(*column(5), *column(6), *column(7), reason="empty")))
    assert curve.verdict != "inactive"
    assert curve.off_axis.departs_at == 1.0


def test_one_empty_well_among_replicates_is_an_accident() -> None:
    curve = curve_of(screened(both("C07", reason="empty")))
    assert "empty_wells" in curve.flags
    assert curve.off_axis.departs_at is None
    assert curve.verdict == "active"


def test_a_compound_without_any_usable_well_is_undetermined() -> None:
    treated = [well for n in range(3, 8) for well in column(n)]
    curve = curve_of(screened(both(*treated, reason="empty")))
    assert (curve.verdict, curve.n_wells, curve.ec50.value, curve.q_value) == ("undetermined", 0, None, None)
    assert "empty_wells" in curve.flags
    assert {p.excluded for p in curve.points} == {"image QC: empty"}


def test_no_control_left_names_the_wells_and_the_parameter() -> None:
    with pytest.raises(NotEnoughData) as error:
        screened(both(*column(1), reason="empty"))
    assert "cell line U2OS has 0 positive and 8 negative control wells with usable images" in error.value.detail
    assert "8 more failed: A01 image QC: empty" in error.value.detail
    assert "image_qc.exclude" in error.value.detail
    used = screened(both(*column(1), reason="empty"), ImageQcParameters(exclude=()))
    assert used.quality.cell_lines["U2OS"].n_positive == 8


def test_vectors_without_metrics_are_analysed_without_image_qc(clean: ScreenAnalysis) -> None:
    wells = plate()
    measured = profiles_of(wells, {})
    names = ("plates", "wells", "sites", "tiles", "y", "x", "keys", "vectors")
    bare = Profiles(**{name: getattr(measured, name) for name in names})
    analysis = analyse(screen_of(bare, wells)).analysis
    assert analysis.quality.images == {}
    assert [w.efficacy for w in analysis.wells] == [w.efficacy for w in clean.wells]


def with_channel_2(profiles: Profiles, wells: Sequence[str], **metrics: float) -> Profiles:
    """Return the profiles with other metrics of the second channel in some wells."""
    rows = np.isin(profiles.wells.astype(str), wells)
    measured = {name: getattr(profiles, name).copy() for name in ("structure", *metrics)}
    for name, value in metrics.items():
        measured[name] = measured[name] if measured[name].shape[1] else np.zeros_like(profiles.sharpness)
        measured[name][rows, 1] = value
    return replace(profiles, **measured)


def test_a_dead_channel_is_named_by_channel_and_site_and_its_wells_are_left_out() -> None:
    wells, lost = plate(), [*column(1)[4:], *column(2)[4:], *column(5)[:2]]
    profiles = with_channel_2(profiles_of(wells, {}), lost, structure=0.0, sharpness=0.0)
    analysed = analyse(screen_of(profiles, wells))
    images = analysed.analysis.quality.images["P1"]
    assert (images.usable, images.reasons) == (False, ("channel c2 is dead in 20 of 112 fields",))
    assert [(c.channel, dict(c.problems)) for c in images.channels] == [("c1", {}), ("c2", {"dead": 20})]
    assert {(s.reasons, s.channels["dead"], s.excluded) for s in images.failed} == {(("dead",), ("c2",), True)}
    assert {w.well for w in analysed.analysis.wells if w.excluded == "image QC: dead (c2)"} == set(lost)
    assert {s.well: s.image_qc for s in analysed.sites if s.image_qc} == dict.fromkeys(lost, ("dead (c2)",))
    group = analysed.analysis.quality.plates["P1"]
    # The controls of the two kinds are in columns of their own, which makes the verdict undetermined before.
    assert group.verdict not in ("good", "usable") and "channel c2 is dead" in group.reasons[-1]
    assert analysed.analysis.quality.cell_lines["U2OS"].verdict not in ("good", "usable")
    assert curve_of(analysed.analysis).verdict == "active", "the other wells are right"


def test_a_channel_that_is_dead_on_the_whole_screen_leaves_no_site_out_but_the_assay_is_not_usable() -> None:
    """All wells are alike, and without them there would be no result to look at."""
    wells = plate()
    profiles = with_channel_2(profiles_of(wells, {}), [w.well for w in wells], structure=1.0)
    analysis = analyse(screen_of(profiles, wells)).analysis
    images = analysis.quality.images["P1"]
    assert images.reasons == ("channel c2 is dead in 112 of 112 fields",)
    assert not images.usable and not any(site.excluded for site in images.failed)
    assert analysis.quality.cell_lines["U2OS"].verdict not in ("good", "usable")


def test_one_dead_site_does_not_make_a_plate_unusable() -> None:
    wells = plate()
    profiles = with_channel_2(profiles_of(wells, {}), ["C05"], structure=0.0)
    images = analyse(screen_of(profiles, wells)).analysis.quality.images["P1"]
    assert images.usable and [s.well for s in images.failed] == ["C05"] * SITES


def test_a_copied_channel_is_named_and_left_out() -> None:
    wells = plate()
    profiles = with_channel_2(profiles_of(wells, {}), ["C05"], similarity=1.0)
    analysis = analyse(screen_of(profiles, wells)).analysis
    assert {w.well: w.excluded for w in analysis.wells if w.excluded} == {"C05": "image QC: copy (c2)"}


def test_stripes_are_listed_and_the_site_is_used() -> None:
    wells = plate()
    profiles = with_channel_2(profiles_of(wells, {}), ["C05"], stripes=0.9)
    analysed = analyse(screen_of(profiles, wells))
    assert [s.image_qc for s in analysed.sites if s.well == "C05"] == [("striped (c2)",)] * SITES
    assert all(s.efficacy is not None for s in analysed.sites)


def test_wells_that_should_be_empty_do_not_fail() -> None:
    wells = [
        *plate(),
        Well(
            plate="P1",
            well="A12",
            role=Role.EMPTY,
            compound=None,
            concentration_um=None,
            cell_line="U2OS",
            table_row=99,
        ),
    ]
    profiles = profiles_of(wells, both("A12", reason="empty"))
    analysis = analyse(screen_of(profiles, wells)).analysis
    assert analysis.quality.images["P1"].failed == ()
    assert analysis.quality.images["P1"].sites == 56 * SITES


@pytest.mark.parametrize("choice", [{"preset": "paper"}, {"normalisation": "align"}, {"normalisation": "standardise"}])
def test_emptied_wells_train_no_axis_and_are_no_point_of_one(choice: dict[str, str]) -> None:
    wells, lost = plate(), ("A01", "B02", "C07")
    parameters = AnalysisParameters.model_validate(choice)
    profiles = profiles_of(wells, both(*lost, reason="empty"))
    analysis = analyse(screen_of(profiles, wells, parameters))
    assert {w.well for w in analysis.analysis.wells if w.efficacy is None} == set(lost)
    group = analysis.analysis.quality.cell_lines["U2OS"]
    assert (group.n_positive, group.n_negative) == (7, 7)
    for axis in analysis.analysis.axes:
        assert not {wells[i].well for i in axis.wells} & set(lost), axis.name
    assert {(s.on, s.efficacy, s.n_tiles, s.image_qc) for s in analysis.sites if s.well in lost} == {
        (None, None, 0, ("empty",))
    }
    tiles = np.isin(profiles.wells.astype(str), lost)
    assert np.isnan(analysis.tile_efficacy[tiles]).all() and np.isfinite(analysis.tile_efficacy[~tiles]).all()
    others = [w.efficacy for w in analysis.analysis.wells if w.role == "treatment" and w.efficacy is not None]
    assert np.abs(others).max() < 2, "none of the failed wells has moved the anchors"


def test_blank_tiles_are_left_out_of_wells_that_show_cells(clean: ScreenAnalysis) -> None:
    """Half the tiles of C05 are blank and far away; all tiles of D05 are, and that is the result of D05."""
    wells = plate()
    profiles = profiles_of(wells, {})
    contrast, vectors = np.full(len(profiles), 30.0, np.float32), profiles.vectors.copy()
    blank = ((profiles.wells == "C05") & (profiles.tiles == 0)) | (profiles.wells == "D05")
    contrast[blank], vectors[blank] = 2.0, -BAD
    spoilt = replace(profiles, contrast=contrast, vectors=vectors)

    def efficacies(rules: ImageQcParameters) -> tuple[ScreenAnalysis, dict[str, float | None]]:
        parameters = AnalysisParameters(image_qc=rules)
        analysis = analyse(screen_of(spoilt, wells, parameters)).analysis
        return analysis, {w.well: w.efficacy for w in analysis.wells}

    before = {w.well: w.efficacy for w in clean.wells}
    analysis, efficacy = efficacies(ImageQcParameters())
    assert analysis.quality.images["P1"].blank_tiles == SITES
    assert {w.well: w.n_tiles for w in analysis.wells}["C05"] == SITES * (TILES - 1)
    assert efficacy["C05"] == pytest.approx(before["C05"], abs=0.3)
    assert efficacy["D05"] is not None and efficacy["D05"] < -5
    _, used = efficacies(ImageQcParameters(blank=0))
    assert used["C05"] is not None and used["C05"] < -2
