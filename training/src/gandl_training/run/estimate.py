"""The first estimate of how long a run takes, from the speed of its first seconds."""

from __future__ import annotations

from gandl_training.config import TrainConfig

MIN_STEPS, MIN_SECONDS, MAX_SECONDS = 32, 10.0, 20.0
"""A speed is told after so many steps, in which each regulariser had its turn, and so many seconds, in which the
recording of CUDA graphs does not count for much; or else after the larger number of seconds."""
USUAL_KIMG = 60.0
"""A run without an end in sight is measured by the length of a usual one."""


class SpeedEstimate:
    """The speed of a run from its second step on; the first step waits for memory and for the choice of kernels."""

    def __init__(self, config: TrainConfig) -> None:
        self._config = config
        self._start: tuple[float, int] | None = None
        self._is_over = False

    def is_due(self, now: float, steps: int) -> bool:
        """Return whether `note` wants the time after this many `steps` of the process.

        Before a call of `note`, the caller waits for the device, which may be behind.
        """
        if self._is_over or steps < 1:
            return False
        if self._start is None:
            return True
        start, first = self._start
        seconds = now - start
        return (steps - first >= MIN_STEPS and seconds >= MIN_SECONDS) or (
            steps - first >= 2 and seconds >= MAX_SECONDS
        )

    def note(self, now: float, steps: int, kimg: float) -> str | None:
        """Take the time, and return the sentence that tells the estimate, or None at the first call."""
        if self._start is None:
            self._start = now, steps
            return None
        self._is_over = True
        start, first = self._start
        speed = (steps - first) * self._config.batch / max(now - start, 1e-9)
        return estimate_text(self._config, kimg, speed)


def estimate_text(config: TrainConfig, kimg: float, images_per_second: float) -> str:
    """Return how long a run that has seen `kimg` thousand images takes at this speed, and where `minutes` end it."""
    speed = f"{images_per_second:.3g} images/s in the first seconds"
    if config.kimg is None:
        duration = f"{USUAL_KIMG:g} kimg take about {duration_text(1000 * USUAL_KIMG / images_per_second)}"
    else:
        remaining = max(config.kimg - kimg, 0.0)
        duration = (
            f"the {remaining:.3g} kimg of this run take about {duration_text(1000 * remaining / images_per_second)}"
        )
    if config.minutes is None:
        return f"{speed}: {duration}"
    end = kimg + 60 * config.minutes * images_per_second / 1000
    return f"{speed}: {duration}, and --minutes {config.minutes:g} ends the run at about {end:.3g} kimg at the latest"


def duration_text(seconds: float) -> str:
    """Return a duration in words: seconds below two minutes, minutes below two hours, otherwise hours or days."""
    for unit, length, limit in (("seconds", 1, 120), ("minutes", 60, 7200), ("hours", 3600, 172_800)):
        if seconds < limit:
            return f"{seconds / length:.2g} {unit}" if seconds / length < 10 else f"{seconds / length:.0f} {unit}"
    return f"{seconds / 86_400:.2g} days"
