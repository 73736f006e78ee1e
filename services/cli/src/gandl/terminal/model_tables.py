"""Model cards, and models compared on a screen, as tables in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from gandl_embedding.engine import Engine
from rich.console import Console

from gandl.screening.model_comparison import ModelOnScreen
from gandl.terminal.layout import add_row, new_table, print_table
from gandl.terminal.texts import fixed

_MIN_LABEL_WIDTH = 20
"""The cards of models with short and with long names have their second column at the same place."""


def print_models(engines: Sequence[Engine], console: Console | None = None) -> None:
    """Print the model cards, one block per model."""
    console = console or Console()
    for engine in engines:
        card = engine.card
        pixel_size = f", {card.pixel_size_um * card.downscale:g} µm per pixel" if card.pixel_size_um else ""
        channels = ", ".join(f"{c.name} ({c.stain})" if c.stain else c.name for c in card.channels)
        table = new_table(card.name, "")
        table.columns[0].min_width = _MIN_LABEL_WIDTH
        add_row(table, "channels", channels)
        add_row(table, "tile", f"{card.size} px of 1/{card.downscale}{pixel_size}")
        add_row(table, "features", f"{card.features} ({card.tap})")
        add_row(table, "trained on", f"{card.training.data} ({card.training.licence}), {card.training.kimg:g} kimg")
        add_row(table, "parity", f"{card.parity.torch_max:.0e}" if card.parity else "–")
        add_row(table, "SHA-256", engine.model_id[:12])
        print_table(table, console)
        console.print()


def print_comparison(models: Sequence[ModelOnScreen], console: Console | None = None) -> None:
    """Print models side by side on one screen, the cell lines of a model below one another."""
    table = new_table("model", "features", "kB", "tiles/s", "cosine to first", "Z′ (tile accuracy)")
    for model in models:
        # Four digits show the difference between precisions of the same model.
        cosine = "" if model.cosine is None else f"{model.cosine:.4f}"
        features = f"{model.card.features} {model.card.tap}\n{model.card.precision}"
        quality = "\n".join(
            f"{cell_line} {fixed(q.z_prime, 2) or '–'} ({fixed(q.accuracy, 3) or '–'})"
            for cell_line, q in model.quality.items()
        )
        speed = f"{model.tiles_per_second:.0f}"
        add_row(
            table, model.name, features, "" if model.kilobytes is None else str(model.kilobytes), speed, cosine, quality
        )
    print_table(table, console or Console())
