"""The report: one file, complete, honest in its counts, harmless whatever the plate map says."""

from __future__ import annotations

import pytest
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_analysis.report import compounds, image_review
from gandl_analysis.report import view as view_module
from gandl_analysis.report.render import render_report, report_context
from gandl_shared.schemas.curve import CurveAssessment, CurveChoice
from gandl_shared.schemas.vocabulary import Flag, Verdict

from tests.analysis.example.compounds import COMPOUNDS
from tests.analysis.example.screen import example_analysis
from tests.analysis.report.page_tags import PageTags, report_text

EVIL = "<script>alert(1)</script>"


def test_it_needs_nothing_from_outside(html: str) -> None:
    tags = PageTags(html)
    assert not tags.of("iframe")
    assert not [a for a in tags.of("script") if "src" in a]
    assert [a["href"] for a in tags.of("link")] == ["data:,"]
    for attribute in ("src", "href", "xlink:href"):
        outside = [
            str(a[attribute])
            for _, a in tags.elements
            if attribute in a and not str(a[attribute]).startswith(("#", "data:"))
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
    labels = [str(a.get("aria-label")) for a in PageTags(html).of("svg") if a.get("role") == "img"]
    for curve in analysis.curves:
        assert any(curve.compound in text and curve.cell_line in text for text in labels)
    assert sum(text.startswith("Efficacy of plate") for text in labels) == 8
    assert sum(text.startswith("E2 plane") for text in labels) == 2
    assert sum("control wells" in text and "Efficacy of the" in text for text in labels) == 2


def test_no_id_is_given_twice_and_every_anchor_leads_somewhere(html: str) -> None:
    tags = PageTags(html)
    ids = [a["id"] for _, a in tags.elements if "id" in a]
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
    tags = PageTags(render_report(small))
    assert len(tags.of("script")) == 1
    assert not tags.of("img")
    assert not [a for _, attributes in tags.elements for a in attributes if a.startswith("on")]
    assert evil in tags.text
    assert {a["data-compound"] for a in tags.of("tr") if "data-compound" in a} == {evil}


def test_a_cell_line_and_a_plate_may_be_called_anything() -> None:
    base = example_analysis()
    wells = tuple(w.model_copy(update={"plate": EVIL, "cell_line": EVIL}) for w in base.wells if w.plate == "HRCE-1")
    quality = base.quality.model_copy(update={"cell_lines": {EVIL: base.quality.cell_lines["HRCE"]}, "plates": {}})
    curves = (base.curves[0].model_copy(update={"cell_line": EVIL}),)
    tags = PageTags(render_report(base.model_copy(update={"wells": wells, "quality": quality, "curves": curves})))
    assert len(tags.of("script")) == 1


def test_a_result_of_before_there_were_checks_has_no_such_section(small: ScreenAnalysis) -> None:
    lines = {n: q.model_copy(update={"verdict": None}) for n, q in small.quality.cell_lines.items()}
    old = small.quality.model_copy(update={"images": {}, "probes": {}, "cell_lines": lines})
    tags = PageTags(render_report(small.model_copy(update={"quality": old})))
    assert "checks" not in {a.get("id") for _, a in tags.elements}
    assert "#checks" not in {a.get("href") for a in tags.of("a")}


def test_a_screen_without_treatments_or_quality_still_reports(analysis: ScreenAnalysis) -> None:
    controls = tuple(w for w in analysis.wells if w.role.endswith("control") and w.plate == "HRCE-1")
    quality = analysis.quality.model_copy(update={"cell_lines": {}, "plates": {}})
    bare = analysis.model_copy(update={"wells": controls, "curves": (), "parked": (), "quality": quality})
    text = report_text(bare)
    assert "The plate map has no treatment wells." in text
    assert "There is no verdict on these controls" in text
    assert "Nothing is missing: every site was read" in text


def test_all_wells_of_a_plate_may_be_lost(small: ScreenAnalysis) -> None:
    lost = {"on": None, "off": None, "efficacy": None, "off_distance": None}
    wells = tuple(w.model_copy(update=lost) if w.plate == "HRCE-1" else w for w in small.wells)
    assert "88 wells have no score" in report_text(small.model_copy(update={"wells": wells}))


def test_the_headline_counts_compounds_once(html: str) -> None:
    text = PageTags(html).text
    assert "6 of 12 compounds move cells toward the positive control in at least one cell line." in text
    assert "Of the others, 2 look toxic, 1 is undetermined and 3 show no effect." in text


def test_a_grade_that_is_not_good_gives_its_reasons(small: ScreenAnalysis) -> None:
    reasons = ("Z′ 0.07, robust 0.60", "a few control wells differ from the others")
    line = small.quality.cell_lines["HRCE"].model_copy(update={"verdict": "usable", "reasons": reasons})
    quality = small.quality.model_copy(update={"cell_lines": {"HRCE": line}})
    assert "Z′ 0.07, robust 0.60; a few control wells differ from the others." in report_text(
        small.model_copy(update={"quality": quality})
    )


def test_the_confusion_of_controls_is_that_of_the_analysis(small: ScreenAnalysis) -> None:
    """Counts that no well of the page supports show where the page takes them from."""
    line = small.quality.cell_lines["HRCE"]
    assert line.confusion is not None
    confusion = line.confusion.model_copy(update={"positive_right": 3, "positive_wrong": 8})
    changed = line.model_copy(update={"confusion": confusion})
    quality = small.quality.model_copy(update={"cell_lines": {"HRCE": changed}})
    assert "3 of 11 positive, 32 of 32 negative" in report_text(small.model_copy(update={"quality": quality}))


def test_a_large_screen_names_what_is_left_out(analysis: ScreenAnalysis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compounds, "MAX_CURVES", 3)
    monkeypatch.setattr(view_module, "MAX_PLATES", 2)
    monkeypatch.setattr(image_review, "MAX_LISTED_FIELDS", 1)
    text = report_text(analysis)
    assert "Only the first 3 of 24 curves are drawn, by rank;" in text
    assert "Only the first 2 of 8 plates are drawn;" in text
    assert "Only the first 1 of 2 fields are listed;" in text


def test_failed_images_are_named_with_their_problems_and_what_was_done(html: str) -> None:
    text = PageTags(html).text
    assert "2 fields failed image quality control. Show the fields and what was done" in text
    assert "HRCE-2 A052blurred: A channel is out of focus" in text
    assert "HRCE-2 B091overexposed: Most of a channel is white.blurred: A channel" in text


def test_clean_images_raise_no_notice(small: ScreenAnalysis) -> None:
    clean = {plate: images.model_copy(update={"failed": ()}) for plate, images in small.quality.images.items()}
    text = report_text(small.model_copy(update={"quality": small.quality.model_copy(update={"images": clean})}))
    assert "yes: none of 1,424 fields failed" in text
    assert "failed image quality control" not in text


def test_every_verdict_and_each_flag_of_the_screen_is_explained(html: str) -> None:
    text = PageTags(html).text
    assert {compound.verdict for compound in COMPOUNDS} == set(Verdict)
    assert all(f"{verdict.mark}{verdict.label}{verdict.meaning}" in text for verdict in Verdict)
    flags = {flag for compound in COMPOUNDS for flag in compound.flags}
    assert all(f"{flag.label}{flag.meaning}" in text.replace("  ", " ") for flag in Flag if flag in flags)


def test_technical_terms_are_explained_where_they_are_used(html: str) -> None:
    controls = PageTags(html[html.index('<section id="controls"') : html.index('<section id="checks"')]).text
    for explanation in ("E2, the efficacy axis", "Strictly standardised mean difference", "(off axis)", "Z′ compares"):
        assert explanation in controls


def test_provenance_names_model_limits_and_versions(analysis: ScreenAnalysis, html: str) -> None:
    text, p = PageTags(html).text, analysis.provenance
    model, training = p.model, p.model.training
    for value in (p.model_id, p.axis_hash, model.name, training.command, p.plate_map, p.gandl_version, "within class"):
        assert value in text


def test_a_compound_links_to_its_page_where_there_is_one(small: ScreenAnalysis) -> None:
    context = report_context(small, lambda curve: f"/ui/{curve.compound}")
    address = context["address"]
    assert callable(address) and address(small.curves[0]) == "/ui/Remdesivir"
    assert report_context(small)["address"] is None


def test_it_shows_what_was_assumed_and_further_columns(small: ScreenAnalysis) -> None:
    curve = small.curves[0].model_copy(update={"metadata": {"smiles": "C<C>O", "batch": "b1"}})
    changed = small.model_copy(update={"notes": (f"read {EVIL} as one",), "curves": (curve, *small.curves[1:])})
    text = render_report(changed)
    assert "read &lt;script&gt;alert(1)&lt;/script&gt; as one" in text
    assert 'title="smiles: C&lt;C&gt;O, batch: b1"' in text
    assert "Assumptions" not in render_report(small)


def test_what_people_set_stands_beside_the_verdict(small: ScreenAnalysis) -> None:
    curve = small.curves[0]
    beside = CurveAssessment(
        screen="s",
        compound=curve.compound,
        cell_line=curve.cell_line,
        verdict=Verdict.TOXIC,
        ec50_um=0.25,
        author=f"Ann {EVIL}",
        reason="cells round up",
        decision=3,
        created_at="2026-01-01T00:00:00Z",
    )
    text = render_report(small, assessments=[beside])
    mark = "Ann &lt;script&gt;alert(1)&lt;/script&gt; has set toxic, EC50 0.250 µM"
    # Once in the table, and with the reason under the curve.
    assert text.count(mark) == 2
    assert f"{mark}: cells round up" in text
    assert "has set" not in render_report(small)


def test_potencies_are_shown_where_a_reference_was_named(small: ScreenAnalysis, analysis: ScreenAnalysis) -> None:
    names = ("Remdesivir", "GS-441524", "Arbidol")
    curves = tuple(c for c in analysis.curves if c.compound in names and c.cell_line == "VERO")
    parameters = analysis.provenance.parameters.model_copy(update={"curves": CurveChoice(reference="Remdesivir")})
    provenance = analysis.provenance.model_copy(update={"parameters": parameters})
    text = report_text(small.model_copy(update={"curves": curves, "provenance": provenance}))
    assert "Relative potency" in text
    assert "0.0779 (0.0523 – 0.116)" in text
    assert "Arbidol has no sigmoid curve" in text
    assert "Relative potency" not in report_text(small)
