"""Which of the lazy terms act in a step (lazy regularisation, StyleGAN2, Karras et al. 2020, section 3.1)."""

from __future__ import annotations

from typing import NamedTuple

from gandl_training.config import TrainConfig


class LazyTerms(NamedTuple):
    """The terms that act in one step; the loss itself acts in every step."""

    r1: bool
    lipschitz: bool
    path_length: bool

    @classmethod
    def of_step(cls, config: TrainConfig, step: int) -> LazyTerms:
        """Return the terms of that step: those with a weight whose interval divides the number of the step."""
        loss = config.loss
        return cls(
            r1=config.r1_gamma > 0 and step % loss.r1_interval == 0,
            lipschitz=loss.lipschitz_weight > 0 and step % loss.lipschitz_interval == 0,
            path_length=loss.path_length_weight > 0 and step % loss.path_length_interval == 0,
        )
