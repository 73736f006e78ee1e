"""Parameters of an analysis: checked against the wells and against earlier screens before they are accepted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gandl_analysis.formats.store_layout import read_analysis

from tests.analysis.service.stack import Stack


def treated(stack: Stack) -> str:
    """The plate map of the first screen without its controls."""
    lines = (stack.home / "root/plate/platemap.csv").read_text().splitlines()
    return "\n".join([lines[0], *(line for line in lines if ",treatment," in line)]) + "\n"


def later(stack: Stack, **more: object) -> dict[str, object]:
    """A request for a screen of treatments alone."""
    return {"name": "later", "images": "plate/Images", "plate_map_csv": treated(stack), **more}


def by_first(stack: Stack, **more: object) -> dict[str, object]:
    return {"axis_from": {"screen": stack.first}, **more}


class TestReuse:
    def test_a_screen_without_controls_by_the_axis_of_another(self, stack: Stack) -> None:
        """Card limits, as the percentiles of a plate depend on the wells it has: same images, same vectors."""
        whole = {"images": "plate/Images", "plate_map": "plate/platemap.csv", "limits": "card"}
        earlier = stack.client.post("/screens", json=whole).json()["id"]
        stack.work(earlier)
        first = read_analysis(stack.store, earlier, 1)
        alone = later(stack, limits="card")
        assert stack.client.post("/screens", json=alone).status_code == 422
        answer = stack.client.post("/screens", json=alone | {"analysis": {"axis_from": {"screen": earlier}}})
        assert answer.status_code == 202, answer.text
        screen = answer.json()["id"]
        stack.work(screen)
        scores = {w.well: w for w in read_analysis(stack.store, screen, 1).wells}
        for well in first.wells:
            if well.role == "treatment":
                assert (scores[well.well].on, scores[well.well].efficacy) == (well.on, well.efficacy)
        provenance = read_analysis(stack.store, screen, 1).provenance
        assert provenance.axis_hash == first.provenance.axis_hash
        assert provenance.efficacy_axes[0].fitted_on == f"screen {earlier}, version 1"
        assert provenance.efficacy_axes[0].anchors == "stored with the axis"

    def test_the_version_is_noted(self, stack: Stack) -> None:
        screen = stack.client.post("/screens", json=later(stack, analysis=by_first(stack))).json()["id"]
        stack.work(screen)
        stack.client.post(f"/screens/{stack.first}/analyses", json={"whitening": "none"})
        stack.work(stack.first)
        answer = stack.client.post(f"/screens/{screen}/analyses", json=by_first(stack))
        assert answer.status_code == 202, answer.text
        versions = [
            v["parameters"]["axis_from"]["version"] for v in stack.client.get(f"/screens/{screen}/analyses").json()
        ]
        assert versions == [1, 2]
        stack.work(screen)
        hashes = [read_analysis(stack.store, screen, v).provenance.axis_hash for v in (1, 2)]
        assert hashes == [read_analysis(stack.store, stack.first, v).provenance.axis_hash for v in (1, 2)]

    def test_a_changed_axis_is_refused_and_nothing_is_written(self, stack: Stack) -> None:
        path = Path(stack.home / "store" / stack.first / "documents/analyses/1/axes/E2-U2OS.npz")
        with np.load(path) as stored:
            arrays = dict(stored)
        arrays["biases"] = arrays["biases"] + 1e-9
        np.savez(path, **arrays)
        self.refused(stack, by_first(stack), "this axis was changed after it was written")

    @pytest.mark.parametrize(
        ("more", "words"),
        [
            ({"normalisation": "align"}, "normalised in another way"),
            ({"axis_from": {"screen": "nobody"}}, "there is no screen 'nobody'"),
            ({"axis_from": {"screen": "../etc"}}, "there is no screen '../etc'"),
            ({"preset": "paper"}, "preset paper fits its own axis"),
            ({"curves": {"bottom": 1, "top": -1}}, "curves.bottom: 1 is not below the top"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, shared_stack: Stack, more: dict[str, object], words: str) -> None:
        self.refused(shared_stack, by_first(shared_stack) | more, words)

    def test_a_version_without_results_is_refused(self, shared_stack: Stack) -> None:
        self.refused(shared_stack, {"axis_from": {"screen": shared_stack.waiting}}, "has no results yet")
        self.refused(shared_stack, {"axis_from": {"screen": shared_stack.first, "version": 9}}, "no such analysis")

    def test_a_cell_line_without_an_axis_is_named(self, shared_stack: Stack) -> None:
        before = self.state(shared_stack)
        answer = shared_stack.client.post(f"/screens/{shared_stack.second}/analyses", json=by_first(shared_stack))
        assert answer.status_code == 422
        assert "no axis E2 for cell line A549; it has U2OS" in answer.json()["detail"]
        assert self.state(shared_stack) == before

    def test_other_limits_are_refused_before_a_screen_is_written(self, shared_stack: Stack) -> None:
        before = self.state(shared_stack)
        answer = shared_stack.client.post(
            "/screens", json=later(shared_stack, limits="card", analysis=by_first(shared_stack))
        )
        assert answer.status_code == 422
        assert "prepared in another way" in answer.json()["detail"]
        assert self.state(shared_stack) == before

    def test_an_axis_that_is_gone_by_the_time_fails_the_analysis_with_its_words(self, stack: Stack) -> None:
        screen = stack.client.post("/screens", json=later(stack, analysis=by_first(stack))).json()["id"]
        stack.client.delete(f"/screens/{stack.first}")
        stack.work(screen)
        status = stack.client.get(f"/screens/{screen}").json()
        assert status["state"] == "failed"
        assert "no axis E2 for cell line U2OS" in status["error"]

    def refused(self, stack: Stack, parameters: dict[str, object], words: str) -> None:
        before = self.state(stack)
        answer = stack.client.post(f"/screens/{stack.first}/analyses", json=parameters)
        assert answer.status_code == 422, answer.text
        assert words in answer.json()["detail"]
        assert self.state(stack) == before

    def state(self, stack: Stack) -> object:
        """What a refused request must leave as it was."""
        files = sorted(str(path) for path in (stack.home / "store").rglob("*") if path.is_file())
        analyses = [record for screen in stack.ids.values() for record in stack.database.analyses.of_screen(screen)]
        return stack.ids, files, analyses, list(stack.queue.analyses), list(stack.queue.batches)


class TestParameters:
    def test_the_preset_of_the_paper_is_recorded_and_says_so(self, stack: Stack) -> None:
        assert stack.client.post(f"/screens/{stack.first}/analyses", json={"preset": "paper"}).status_code == 202
        stack.work(stack.first)
        quality = stack.client.get(f"/screens/{stack.first}/quality").json()
        assert "in-sample" in quality["note"]
        assert quality["cell_lines"]["U2OS"]["in_sample"] is True
        assert "in-sample" in stack.client.get(f"/screens/{stack.first}/report").text
        (_, paper) = stack.client.get(f"/screens/{stack.first}/analyses").json()
        assert {paper["parameters"][name] for name in ("preset", "whitening")} == {"paper", "raw"}

    @pytest.mark.parametrize(
        ("parameters", "words"),
        [
            ({"preset": "paper", "whitening": "none"}, "preset paper fixes whitening at raw"),
            ({"normalisation": "tvn"}, "body.normalisation"),
            ({"quality": {"good": 0.2, "usable": 0.4}}, "usable 0.4 is above good 0.2"),
            ({"quality": {"good": 1.5}}, "body.quality.good"),
            (
                {"axes": [{"name": "C2x", "positive": {"role": ["treatment"]}, "negative": {"role": ["empty"]}}]},
                "the name C2x is reserved",
            ),
            ({"axes": [{"name": "a", "positive": {}, "negative": {"role": ["empty"]}}]}, "body.axes.0.positive"),
            (
                {"axes": [{"name": "a", "positive": {"batch": ["1"]}, "negative": {"role": ["treatment"]}}]},
                "axes.0.positive.batch: there is no column 'batch'",
            ),
        ],
    )
    def test_what_cannot_be_is_refused_by_field(
        self, shared_stack: Stack, parameters: dict[str, object], words: str
    ) -> None:
        before = shared_stack.database.analyses.of_screen(shared_stack.first)
        answer = shared_stack.client.post(f"/screens/{shared_stack.first}/analyses", json=parameters)
        assert answer.status_code == 422
        assert words in answer.json()["detail"]
        assert shared_stack.database.analyses.of_screen(shared_stack.first) == before

    def test_an_axis_of_the_parameters_is_answered(self, stack: Stack) -> None:
        axis = {
            "name": "top",
            "positive": {"compound": ["X"], "concentration_um": ["0.1"]},
            "negative": {"role": ["negative_control"]},
        }
        answer = stack.client.post(f"/screens/{stack.first}/analyses", json={"axes": [axis]})
        assert answer.status_code == 202, answer.text
        stack.work(stack.first)
        (answer_axis,) = stack.client.get(f"/screens/{stack.first}/axes?axis=top").json()["axes"]
        assert (answer_axis["quality"]["n_positive"], answer_axis["quality"]["n_negative"]) == (8, 8)
        assert len(answer_axis["points"]) == 64
