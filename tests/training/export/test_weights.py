"""The weights of a run that can be exported: averaged, last, or untrained."""

from __future__ import annotations

import torch
from gandl_training.config import TrainConfig
from gandl_training.export.weights import Weights
from gandl_training.run.checkpoint import Checkpoint
from gandl_training.steps.step import Trainer


def test_the_average_the_last_weights_and_an_untrained_network_differ(tiny: TrainConfig) -> None:
    trainer = Trainer(tiny, torch.device("cpu"))
    trainer.step = 99
    trainer.advance(torch.randint(0, 256, (8, 2, 16, 16), dtype=torch.uint8))
    checkpoint = Checkpoint(config=tiny, step=trainer.step, state=trainer.state())
    average = Weights(checkpoint=checkpoint)
    last = Weights(checkpoint=checkpoint, part="discriminator")
    untrained = Weights(checkpoint=checkpoint, untrained=True)
    assert torch.equal(average.discriminator().dense.weight, trainer.discriminator_ema.dense.weight)
    assert torch.equal(last.discriminator().dense.weight, trainer.discriminator.dense.weight)
    first, again = (untrained.discriminator().dense.weight for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, average.discriminator().dense.weight)
    assert (average.kimg, untrained.kimg) == (0.8, 0.0)
