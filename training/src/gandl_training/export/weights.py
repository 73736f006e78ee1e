"""Which weights of a run are exported."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from gandl_training.networks.stylegan2 import Discriminator
from gandl_training.run.checkpoint import Checkpoint


@dataclass(frozen=True, kw_only=True)
class Weights:
    """The discriminator of a run: its running average (the default), its last weights, or an untrained network.

    The untrained network has the same architecture and is initialised from the seed of the run. A run initialises its
    generator from that seed first, so these are not the weights that its discriminator began with.
    """

    checkpoint: Checkpoint
    part: str = "discriminator_ema"
    untrained: bool = False

    def discriminator(self) -> Discriminator:
        """Return the network, on the CPU."""
        # The seed matters only for an untrained network, whose export can then be repeated.
        torch.manual_seed(self.checkpoint.config.seed)
        net = Discriminator(self.checkpoint.config.network)
        if not self.untrained:
            net.load_state_dict(self.checkpoint.state[self.part])
        return net

    @property
    def kimg(self) -> float:
        """How many thousand real images these weights were trained on."""
        return 0.0 if self.untrained else self.checkpoint.kimg
