"""How the vectors of a screen were computed: in one way, in ways that are told, or in ways that are refused."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from gandl_shared.errors import Invalid
from gandl_shared.models import ModelCard
from gandl_shared.models.numerics import UNRECORDED, code_of, go_together, kind_of_code
from gandl_shared.store import Profiles

from gandl_analysis.pipeline.inputs import ScreenInput


def site_counts(profiles: Profiles) -> Counter[str]:
    """Return how many sites were embedded in each way (`Numerics.code`); the code of earlier versions is empty."""
    return Counter(map(code_of, set(profiles.keys.tolist())))


def with_numerics_note(screen: ScreenInput) -> ScreenInput:
    """Return a screen with a note where its vectors agree to about 1e-6 only, because several devices computed them.

    Raises Invalid where vectors of two kinds (device and precision) stand in it.
    """
    counts = site_counts(screen.profiles)
    if len(counts) < 2 or not isinstance(screen.card, ModelCard):
        return screen
    ways = ", ".join(f"{n} sites by {code or UNRECORDED}" for code, n in sorted(counts.items()))
    if not go_together(set(map(kind_of_code, counts))):
        raise Invalid(
            f"the vectors of this screen were computed in ways that cannot be compared ({ways}); embed all of it again "
            "with one device and one precision"
        )
    note = f"its vectors were computed in {len(counts)} ways, which agree to about 1e-6: {ways}"
    return screen if note in screen.notes else replace(screen, notes=(*screen.notes, note))
