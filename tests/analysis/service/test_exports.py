"""The source of exports reads stored results."""

from __future__ import annotations

from gandl_analysis.service.exports import export_source
from gandl_analysis.service.pixels.pictures import Pictures
from gandl_analysis.service.results import Results

from tests.analysis.service.stack import Stack


def test_a_source_is_of_one_version_and_reads_the_rest_when_asked(shared_stack: Stack) -> None:
    results = Results(shared_stack.database, shared_stack.store)
    pictures = Pictures(shared_stack.database, shared_stack.store, shared_stack.home)
    source = export_source(results, pictures, shared_stack.second, None, "http://here")
    assert (source.screen, source.version, source.address) == (shared_stack.second, 1, "http://here")
    assert len(source.sites()) == 64
    assert len(source.profiles()) > 0
    assert {"C2.npz", "E2-U2OS.npz"} <= set(source.axes())
    assert "<html" in source.report()
