"""Traces of a running stack, sent to a real receiver of OTLP."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_shared.clients.analysis import AnalysisClient
from gandl_shared.schemas.screen import ScreenRequest, ScreenState
from gandl_shared.testing import free_port, wait_until

from tests.cases import plates
from tests.e2e.running_stack import stack
from tests.shared.otlp_receiver import ReceivedSpan, receiving

pytestmark = pytest.mark.slow


def test_each_batch_is_one_trace_through_worker_and_embedding_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="`make test-faults` installs the exporter")
    images = plates.write_images(tmp_path / "images")
    plates.write_plate_map(images / "map.csv")
    spans: list[ReceivedSpan] = []
    with receiving(spans.append) as endpoint:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
        with stack(tmp_path / "home", tmp_path, free_port()) as running, AnalysisClient(running.url) as client:
            request = ScreenRequest(images="images", plate_map="images/map.csv", model="gandl-bbbc013-64")
            *_, status = client.watch(client.submit(request).id)
            assert status.state is ScreenState.DONE
            wait_until(lambda: any(span.name == "analysis" for span in spans), what="the span of the analysis")
    batches = [span for span in spans if span.name == "batch"]
    assert len(batches) >= 2
    by_id = {span.id: span for span in spans}
    for batch in batches:
        of_trace = [span for span in spans if span.trace == batch.trace]
        assert "gandl worker" in batch.service and not batch.parent
        answers = [span for span in of_trace if span.name == "POST /embed" and span.service == "gandl"]
        calls = [by_id[answer.parent] for answer in answers]
        assert answers and all(call.service == batch.service and call.parent == batch.id for call in calls)
