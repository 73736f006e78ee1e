"""The report: one file, complete, honest in its counts, harmless whatever the plate map says."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_analysis.report import checks as checks_module
from gandl_analysis.report import view as view_module
from gandl_analysis.report import wording
from gandl_analysis.report.checks import checks_of
from gandl_analysis.report.render import render_report
from gandl_analysis.report.view import report_view
from gandl_shared.schemas.curve import CurveLocation
from gandl_shared.schemas.vocabulary import Flag, ImageReason, Verdict

from tests.analysis.example import BEHAVIOURS, example_analysis

EVIL = "<script>alert(1)</script>"


class Tags(HTMLParser):
    """Which elements a page has, with their attributes, and what it says."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.found if name == tag]


@pytest.fixture(scope="module")
def analysis() -> ScreenAnalysis:
    return example_analysis()


@pytest.fixture(scope="module")
def html(analysis: ScreenAnalysis) -> str:
    return render_report(analysis)


@pytest.fixture(scope="module")
def small(analysis: ScreenAnalysis) -> ScreenAnalysis:
    """Two plates and two curves of it, quick to draw."""
    wells = tuple(w for w in analysis.wells if w.plate in ("HRCE-1", "HRCE-2"))
    return analysis.model_copy(update={"wells": wells, "curves": analysis.curves[:2]})


def test_it_needs_nothing_from_outside(html: str) -> None:
    tags = Tags(html)
    assert not tags.of("iframe")
    assert not [a for a in tags.of("script") if "src" in a]
    assert [a["href"] for a in tags.of("link")] == ["data:,"]
    for attribute in ("src", "href", "xlink:href"):
        outside = [
            a[attribute] for _, a in tags.found if attribute in a and not str(a[attribute]).startswith(("#", "data:"))
        ]
        assert outside == []
    policy = next(str(a["content"]) for a in tags.of("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    assert "connect-src 'none'" in policy


def test_it_stays_small(analysis: ScreenAnalysis, html: str) -> None:
    assert len(analysis.curves) == 24
    assert len(html.encode()) < 2_000_000


def test_the_same_analysis_gives_the_same_report(small: ScreenAnalysis) -> None:
    assert render_report(small) == render_report(small)


def test_it_has_a_figure_of_everything(analysis: ScreenAnalysis, html: str) -> None:
    labels = [str(a.get("aria-label")) for a in Tags(html).of("svg") if a.get("role") == "img"]
    for curve in analysis.curves:
        assert any(curve.compound in text and curve.cell_line in text for text in labels)
    assert sum(text.startswith("Efficacy of plate") for text in labels) == 8
    assert sum(text.startswith("E2 scatter") for text in labels) == 2
    assert sum("control wells" in text and "Efficacy of the" in text for text in labels) == 2


def test_no_id_is_given_twice_and_every_anchor_leads_somewhere(html: str) -> None:
    tags = Tags(html)
    ids = [a["id"] for _, a in tags.found if "id" in a]
    assert len(ids) == len(set(ids))
    assert {str(a["href"])[1:] for a in tags.of("a")} <= set(map(str, ids))


@pytest.mark.parametrize("evil", [EVIL, '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "</svg></script><b>", "a$b$c"])
def test_user_text_is_only_text(evil: str, analysis: ScreenAnalysis) -> None:
    """As a compound, a screen, a plate map and a reason; in the page, its attributes and its figures."""
    named = example_analysis([evil])
    small = named.model_copy(
        update={
            "curves": tuple(c for c in named.curves if c.compound == evil),
            "wells": tuple(w for w in named.wells if w.plate == "HRCE-1"),
            "parked": tuple(site.model_copy(update={"error": evil, "site": evil}) for site in named.parked),
            "provenance": named.provenance.model_copy(update={"screen_name": evil, "plate_map": evil}),
        }
    )
    tags = Tags(render_report(small))
    assert len(tags.of("script")) == 1
    assert not tags.of("img")
    assert not [a for _, attributes in tags.found for a in attributes if a.startswith("on")]
    assert evil in tags.text
    assert {a["data-compound"] for a in tags.of("tr") if "data-compound" in a} == {evil}


def test_a_cell_line_and_a_plate_may_be_called_anything() -> None:
    base = example_analysis()
    wells = tuple(w.model_copy(update={"plate": EVIL, "cell_line": EVIL}) for w in base.wells if w.plate == "HRCE-1")
    quality = base.quality.model_copy(update={"cell_lines": {EVIL: base.quality.cell_lines["HRCE"]}, "plates": {}})
    curves = (base.curves[0].model_copy(update={"cell_line": EVIL}),)
    tags = Tags(render_report(base.model_copy(update={"wells": wells, "quality": quality, "curves": curves})))
    assert len(tags.of("script")) == 1


def test_the_headline_counts_compounds_once(analysis: ScreenAnalysis, html: str) -> None:
    view = report_view(analysis)
    assert (view.n_compounds, view.n_active, view.n_toxic_only, view.n_undetermined_only) == (12, 6, 2, 1)
    assert "6 of 12 compounds" in " ".join(Tags(html).text.split())
    for line in view.cell_lines:
        assert sum(v.n for v in line.verdicts) == line.n_compounds == 12


def test_the_headline_says_only_what_there_is(analysis: ScreenAnalysis) -> None:
    assert report_view(analysis).others == "2 look toxic without rescue, 1 cannot be decided and 3 show no effect"
    active = tuple(c for c in analysis.curves if c.verdict == "active")
    assert report_view(analysis.model_copy(update={"curves": active})).others == ""
    one = tuple(c for c in analysis.curves if c.compound in ("Remdesivir", "Famotidine"))
    assert report_view(analysis.model_copy(update={"curves": one})).others == "1 shows no effect"


def test_outlying_controls_are_named_as_the_cause_of_a_low_z_prime(small: ScreenAnalysis) -> None:
    said = "outlying control wells hold Z′ down"
    assert said not in render_report(small)
    line = small.quality.cell_lines["HRCE"].model_copy(update={"z_prime": 0.07, "z_prime_robust": 0.6})
    quality = small.quality.model_copy(update={"cell_lines": {"HRCE": line}})
    assert said in render_report(small.model_copy(update={"quality": quality}))


def test_a_compound_active_in_one_line_and_toxic_in_the_other_is_active_once(analysis: ScreenAnalysis) -> None:
    first = analysis.curves[0]
    mixed = (first, first.model_copy(update={"cell_line": "VERO", "verdict": "toxic"}))
    view = report_view(analysis.model_copy(update={"curves": mixed}))
    assert (view.n_compounds, view.n_active, view.n_toxic_only) == (1, 1, 0)


def test_rows_go_from_potent_to_inactive(analysis: ScreenAnalysis) -> None:
    verdicts = [row.curve.verdict for row in report_view(analysis).rows]
    assert verdicts[0] == "active"
    assert verdicts[-1] == "inactive"
    potencies = [row.sort_ec50 for row in report_view(analysis).rows if row.curve.verdict.startswith("active")]
    assert potencies == sorted(potencies)


def test_a_large_screen_says_what_it_leaves_out(analysis: ScreenAnalysis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view_module, "CURVE_LIMIT", 3)
    monkeypatch.setattr(view_module, "PLATE_LIMIT", 2)
    view = report_view(analysis)
    assert [row.curve.verdict for row in view.rows_shown] == ["active"] * 3
    text = " ".join(Tags(render_report(analysis)).text.split())
    assert "of 24 curves are drawn, active ones first" in text
    assert "of 8 plates are drawn" in text


def test_missing_wells_carry_their_reasons(analysis: ScreenAnalysis, html: str) -> None:
    missing = {(m.well.plate, m.well.well): m.reasons for m in report_view(analysis).missing}
    assert set(missing) == {("HRCE-1", "C07"), ("VERO-2", "B04")}
    assert len(missing["HRCE-1", "C07"]) == 2
    assert "truncated TIFF: 81,920 of 131,072 bytes" in Tags(html).text


def said(analysis: ScreenAnalysis) -> str:
    return " ".join(Tags(render_report(analysis)).text.split())


def test_checks_answer_in_words_with_their_figures(analysis: ScreenAnalysis, html: str) -> None:
    text = " ".join(Tags(html).text.split())
    assert "Can the plate of a control be told from its images?! yes: 63 % right, 25 % by chance, p = 0.002" in text
    assert "✓ no: 63 % right, 25 % by chance, p = 0.40" in text
    assert "Do rows or columns shift the scores?! yes: rows of HRCE-1 (p = 0.002, B by +0.31)" in text
    assert "✓ no: smallest adjusted p = 0.40 of 2 tests" in text
    assert "Z′ 0.41, 96 % of control tiles right on each of 4 plates left out in turn" in text


def test_the_adjusted_p_of_a_position_decides(analysis: ScreenAnalysis) -> None:
    probes = analysis.quality.probes["HRCE"]
    (effect,) = probes.positions
    one_of_many = effect.model_copy(update={"row_p_adjusted": 0.08})
    changed = probes.model_copy(update={"positions": (one_of_many,) * 20})
    checks = checks_of(analysis.quality.model_copy(update={"probes": {"HRCE": changed}}), "HRCE")
    (check,) = [c for c in checks if c.question.startswith("Do rows")]
    assert effect.row_p_value == 0.002
    assert (check.mark, check.answer) == ("✓", "no: smallest adjusted p = 0.08 of 40 tests")


def test_failed_images_are_named_with_the_reason_and_what_was_done(analysis: ScreenAnalysis, html: str) -> None:
    text = " ".join(Tags(html).text.split())
    assert "2 fields failed image QC. Which, and what was done" in text
    assert "2 of 1,424 fields failed (2 blurred, 1 overexposed); 1 left out of all scores" in text
    assert "HRCE-2 A052blurred: out of focus beside the other fields of its plateyes" in text
    assert "HRCE-2 B091overexposed: most of a channel is whiteblurred: out of focus" in text
    assert set(wording.IMAGE_REASONS) == set(ImageReason)
    clean = {plate: images.model_copy(update={"failed": ()}) for plate, images in analysis.quality.images.items()}
    quality = analysis.quality.model_copy(update={"images": clean})
    good = said(analysis.model_copy(update={"quality": quality}))
    assert "yes: none of 1,424 fields failed" in good and "failed image QC" not in good


def test_a_well_left_out_by_image_qc_is_missing_with_that_reason(small: ScreenAnalysis) -> None:
    lost = {"on": None, "off": None, "efficacy": None, "excluded": "image QC: empty"}
    wells = (small.wells[0].model_copy(update=lost), *small.wells[1:])
    assert "image QC: empty" in said(small.model_copy(update={"wells": wells}))


def test_very_many_failed_images_are_cut_and_said(small: ScreenAnalysis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks_module, "FAILED_LIMIT", 1)
    assert "The first 1 of 2; all are in quality.json." in said(small)


def test_a_result_of_before_there_were_checks_has_no_such_section(small: ScreenAnalysis) -> None:
    lines = {n: q.model_copy(update={"verdict": None}) for n, q in small.quality.cell_lines.items()}
    old = small.quality.model_copy(update={"images": {}, "probes": {}, "cell_lines": lines})
    tags = Tags(render_report(small.model_copy(update={"quality": old})))
    assert "checks" not in {a.get("id") for _, a in tags.found}
    assert "#checks" not in {a.get("href") for a in tags.of("a")}


def test_a_screen_without_treatments_or_quality_still_reports(analysis: ScreenAnalysis) -> None:
    controls = tuple(w for w in analysis.wells if w.role.endswith("control") and w.plate == "HRCE-1")
    quality = analysis.quality.model_copy(update={"cell_lines": {}, "plates": {}})
    bare = analysis.model_copy(update={"wells": controls, "curves": (), "parked": (), "quality": quality})
    text = " ".join(Tags(render_report(bare)).text.split())
    assert "The plate map has no treatment wells." in text
    assert "These controls cannot say how far apart they are" in text
    assert "Nothing: every site was read" in text


def test_all_wells_of_a_plate_may_be_lost(small: ScreenAnalysis) -> None:
    lost = {"on": None, "off": None, "efficacy": None, "off_distance": None}
    wells = tuple(w.model_copy(update=lost) if w.plate == "HRCE-1" else w for w in small.wells)
    text = Tags(render_report(small.model_copy(update={"wells": wells}))).text
    assert "88 wells have no score" in " ".join(text.split())


def test_provenance_names_model_limits_and_versions(analysis: ScreenAnalysis, html: str) -> None:
    text = Tags(html).text
    p = analysis.provenance
    for told in (
        p.model_id,
        p.axis_hash,
        p.model.name,
        p.model.training.command,
        p.plate_map,
        p.gandl_version,
        "within_class",
    ):
        assert told in text


def test_every_verdict_and_flag_is_explained() -> None:
    assert set(wording.VERDICTS) == set(Verdict)
    assert set(wording.FLAGS) == set(Flag)
    assert {b.verdict for b in BEHAVIOURS} == set(wording.VERDICTS)


@pytest.mark.parametrize(
    ("value", "relation", "low", "high", "shown", "interval"),
    [
        (1.4, "=", 1.08, 1.89, "1.40 µM", "1.08 – 1.89 µM"),
        (0.012, "=", 0.011, 0.013, "12.0 nM", "11.0 – 13.0 nM"),
        (0.0996, "=", 0.05, 0.2, "0.0996 µM", "50.0 nM – 0.200 µM"),
        (31.25, ">", 24.0, None, "> 31.2 µM", "≥ 24.0 µM"),
        (0.01, "<", None, 0.0135, "< 10.0 nM", "≤ 13.5 nM"),
        (2.0, "=", None, None, "2.00 µM", "no bound on either side"),
        (None, None, None, None, "–", ""),
    ],
)
def test_how_an_ec50_is_written(
    value: float | None, relation: str | None, low: float | None, high: float | None, shown: str, interval: str
) -> None:
    found = CurveLocation.model_validate(
        {"value": value, "relation": relation, "low": low, "high": high, "unit": "uM", "method": "m"}
    )
    assert (wording.location(found), wording.interval(found)) == (shown, interval)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.00"), (123.4, "123"), (99999.0, "99,999"), (2.1e-6, "2.10 × 10⁻⁶"), (-0.5, "−0.500"), (None, "–")],
)
def test_how_a_number_is_written(value: float | None, text: str) -> None:
    assert wording.number(value) == text


@pytest.mark.parametrize(
    ("p", "text"), [(0.0, "< 0.0001"), (0.0005, "0.0005"), (0.041, "0.041"), (0.5, "0.50"), (None, "–")]
)
def test_how_a_chance_is_written(p: float | None, text: str) -> None:
    assert wording.chance(p) == text


@pytest.mark.parametrize(
    ("verdict", "mark"),
    [("good", "✓"), ("usable", "~"), ("poor", "!"), ("undetermined", "–"), (None, "–")],
)
def test_the_grade_is_the_verdict_of_the_analysis(verdict: str | None, mark: str) -> None:
    grade = wording.quality_grade(verdict)
    assert grade.mark == mark
    assert grade.label == (verdict if verdict in wording.GRADES else "no verdict")
