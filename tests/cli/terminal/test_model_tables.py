"""Model cards and compared models in 80 columns."""

from __future__ import annotations

from pathlib import Path

from gandl.screening.model_comparison import ModelOnScreen
from gandl.terminal.model_tables import print_comparison, print_models
from gandl_embedding.engine import Engine

from tests.analysis.example.screen import example_analysis
from tests.cli.terminal.console import Screenshot, without_breaks


def test_cards_of_the_released_models_are_shown_whole(repository: Path) -> None:
    engines = [Engine.load(path) for path in sorted((repository / "models").glob("*.onnx"))]
    shot = Screenshot()
    print_models(engines, shot.console)
    assert max(map(len, shot.lines)) <= 80
    assert "…" not in shot.text
    for engine in engines:
        card = engine.card
        assert card.name in shot.lines
        for fact in (card.training.data, card.training.licence, engine.model_id[:12], f"{card.features} ({card.tap})"):
            assert without_breaks(fact) in without_breaks(shot.text)


def test_models_are_side_by_side(repository: Path) -> None:
    path = repository / "models" / "gandl-sim5-64.onnx"
    quality = example_analysis().quality.cell_lines
    models = [
        ModelOnScreen(path=path, card=Engine.load(path).card, tiles_per_second=1234.5, cosine=cosine, quality=quality)
        for cosine in (None, 0.98765)
    ]
    shot = Screenshot()
    print_comparison(models, shot.console)
    assert max(map(len, shot.lines)) <= 80
    assert "0.9877" in shot.text and "1234" in shot.text and str(models[0].kilobytes) in shot.text
    for cell_line in quality:
        assert shot.text.count(cell_line) == 2
