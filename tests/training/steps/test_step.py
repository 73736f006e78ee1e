"""One training step: how far the averages move, and how often and how strongly the regularisers act."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from gandl_training.config import LossConfig, TrainConfig
from gandl_training.steps.random_numbers import RandomTape, StepRandom
from gandl_training.steps.step import Trainer
from gandl_training.steps.terms import LazyTerms
from torch import Tensor, nn
from torch.nn import functional as F

CPU = torch.device("cpu")
INTERVAL = 4


def batch(config: TrainConfig) -> Tensor:
    rng = torch.Generator().manual_seed(0)
    size = config.network.resolution
    return torch.randint(0, 256, (config.batch, config.network.channels, size, size), generator=rng, dtype=torch.uint8)


def flat(tensors: list[Tensor]) -> Tensor:
    return torch.cat([t.detach().flatten() for t in tensors])


def test_a_step_moves_the_averages_by_one_minus_the_decay(tiny: TrainConfig) -> None:
    trainer = Trainer(tiny, CPU)
    trainer.step = 99  # of 8 images: a half-life of 40
    before = {part: flat(list(getattr(trainer, part).parameters())) for part in ("generator", "discriminator")}
    trainer.advance(batch(tiny))
    for part, start in before.items():
        net, average = (flat(list(getattr(trainer, name).parameters())) for name in (part, f"{part}_ema"))
        assert not torch.equal(net, start)
        assert torch.allclose(average, start + (1 - 0.5 ** (8 / 40)) * (net - start), atol=1e-6)
    assert torch.equal(trainer.discriminator_ema.stddev, trainer.discriminator.stddev)


class Still(Trainer):
    """A trainer whose networks stay as they are: it notes the gradient of each update instead of following it."""

    def __init__(self, config: TrainConfig) -> None:
        super().__init__(config, CPU)
        self.updates: list[tuple[nn.Module, Tensor]] = []

    def _update(self, net: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        zeros = (torch.zeros_like(p) if p.grad is None else p.grad for p in net.parameters())
        self.updates.append((net, flat(list(zeros))))

    def gradients(self, part: str) -> list[Tensor]:
        """Of each update of that network in one step."""
        self.updates = []
        self.advance(batch(self.config))
        return [gradient for net, gradient in self.updates if net is getattr(self, part)]


def test_each_player_follows_the_slope_of_its_own_loss(tiny: TrainConfig) -> None:
    """By hand: the discriminator tells real from generated, the generator wants its images taken for real."""
    config = replace(tiny, bf16=False, loss=LossConfig(r1_gamma=0.0))
    trainer = Still(config)
    random = StepRandom.of_step(config.seed, 0, CPU)
    real = batch(config).float() / 127.5 - 1
    z, noise = trainer._latents(len(real), random)
    fake = trainer.generator(z, noise)
    scores = trainer.discriminator
    taught = F.softplus(-scores(real)).mean() + F.softplus(scores(fake.detach())).mean()
    expected = {
        "discriminator": torch.autograd.grad(taught, list(scores.parameters())),
        "generator": torch.autograd.grad(F.softplus(-scores(fake)).mean(), list(trainer.generator.parameters())),
    }
    for part, slopes in expected.items():
        trainer.step = 0
        (gradient,) = trainer.gradients(part)
        torch.testing.assert_close(gradient, flat(list(slopes)), rtol=1e-4, atol=1e-6)


def test_moments_of_a_checkpoint_lie_as_their_parameters_do(tiny: TrainConfig) -> None:
    """Weights lie channels last; a file of weights that lay otherwise goes on as if they had lain so all along."""
    trainer, other = Trainer(tiny, CPU), Trainer(tiny, CPU)
    trainer.advance(batch(tiny))
    state = copy.deepcopy(trainer.state())
    for name in ("optimiser_g", "optimiser_d"):
        for moments in state[name]["state"].values():
            moments.update({k: v.contiguous() for k, v in moments.items()})
    other.load_state(state)
    other.step = trainer.step
    for each in (trainer, other):
        each.advance(batch(tiny))
    assert torch.equal(flat(list(other.discriminator.parameters())), flat(list(trainer.discriminator.parameters())))


def with_all_terms(config: TrainConfig) -> TrainConfig:
    terms = {"path_length_weight": 2.0, "path_length_interval": 2, "lipschitz_weight": 1.0, "contrast_weight": 1.0}
    return replace(config, loss=LossConfig(r1_gamma=5.0, r1_interval=INTERVAL, **terms))


def steepen(trainer: Trainer) -> None:
    """So that a penalty of gradient norms above 1 has something to act on."""
    with torch.no_grad():
        trainer.discriminator.score.weight.mul_(100)


@pytest.mark.parametrize("term", ["r1", "lipschitz"])
def test_a_lazy_regulariser_of_the_discriminator_acts_rarely_and_the_more(tiny: TrainConfig, term: str) -> None:
    """Interval 4: four times the gradient of interval 1 at step 0, none at steps 1 to 3, again at step 4."""
    none = {"r1_gamma": 0.0, "lipschitz_weight": 0.0}
    weight = {"r1": {"r1_gamma": 5.0}, "lipschitz": {"lipschitz_weight": 5.0, "lipschitz_power": 2}}[term]
    plain, each, lazy = (
        Still(replace(tiny, loss=LossConfig(**{**none, **values})))
        for values in ({}, weight | {f"{term}_interval": 1}, weight | {f"{term}_interval": INTERVAL})
    )
    for trainer in (plain, each, lazy):
        steepen(trainer)
    for step in range(INTERVAL + 1):
        (without,), (whole,), (rare,) = (trainer.gradients("discriminator") for trainer in (plain, each, lazy))
        added = whole - without
        assert added.norm() > 1e-2 * without.norm()
        expected = INTERVAL * added if step % INTERVAL == 0 else torch.zeros_like(added)
        assert (rare - without - expected).norm() < 1e-4 * whole.norm(), step


def test_lazy_path_length_acts_rarely_and_the_more(tiny: TrainConfig) -> None:
    """A step of its own after the generator's: the second update of steps 0 and 4, absent in between."""
    loss = LossConfig(path_length_weight=2.0, path_length_interval=1)
    each, lazy = (
        Still(replace(tiny, loss=loss)),
        Still(replace(tiny, loss=replace(loss, path_length_interval=INTERVAL))),
    )
    for step in range(INTERVAL + 1):
        lazy.path_mean = each.path_mean.clone()  # moves at each penalty, so less often in a lazy run
        (main, whole), updates = each.gradients("generator"), lazy.gradients("generator")
        assert torch.equal(updates[0], main)
        assert len(updates) == (2 if step % INTERVAL == 0 else 1)
        if len(updates) == 2:
            assert whole.norm() > 0
            assert (updates[1] - INTERVAL * whole).norm() < 1e-5 * INTERVAL * whole.norm()


def test_the_power_of_the_lipschitz_penalty_is_the_configured_one(tiny: TrainConfig) -> None:
    """Mean of squares of the excess norms: at least the square of their mean, and far above the mean of these."""
    one, two = (Still(replace(tiny, loss=LossConfig(lipschitz_weight=1.0, lipschitz_power=power))) for power in (1, 2))
    penalties = []
    for trainer in (one, two):
        steepen(trainer)
        penalties.append(trainer.advance(batch(tiny))["lipschitz"].item())
    assert penalties[0] > 2
    assert penalties[1] >= penalties[0] ** 2


def test_a_step_with_random_numbers_in_buffers_is_the_same_step(tiny: TrainConfig) -> None:
    """The CPU twin of steps by CUDA graphs: their random numbers are written into buffers before each step."""
    config = with_all_terms(tiny)
    direct, buffered = Trainer(config, CPU), Trainer(config, CPU)
    tapes: dict[LazyTerms, RandomTape] = {}
    for step in range(INTERVAL + 1):
        random, terms = StepRandom.of_step(config.seed, step, CPU), LazyTerms.of_step(config, step)
        tape = tapes.setdefault(terms, RandomTape(random))
        tape.refill(random)
        report = buffered.compute(batch(config), terms, tape)
        expected = direct.compute(batch(config), terms, StepRandom.of_step(config.seed, step, CPU))
        assert {k: float(v) for k, v in report.items()} == {k: float(v) for k, v in expected.items()}
    assert torch.equal(flat(list(buffered.generator.parameters())), flat(list(direct.generator.parameters())))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_steps_by_graphs_are_the_steps_without(tiny: TrainConfig) -> None:
    config = with_all_terms(tiny)
    trainers = [Trainer(config, torch.device("cuda"), graphs=graphs) for graphs in (False, True)]
    for _ in range(5 * INTERVAL):
        for trainer in trainers:
            trainer.advance(batch(config))
    ours, expected = (flat(list(trainer.discriminator_ema.parameters())) for trainer in trainers)
    torch.testing.assert_close(ours, expected, rtol=1e-3, atol=1e-4)


def test_the_contrastive_term_trains_the_discriminator_and_its_projector(tiny: TrainConfig) -> None:
    plain, contrastive = (
        Still(replace(tiny, loss=LossConfig(r1_gamma=0.0, contrast_weight=weight))) for weight in (0.0, 1.0)
    )
    (without,), (whole,) = plain.gradients("discriminator"), contrastive.gradients("discriminator")
    assert (whole - without).norm() > 1e-3 * without.norm()
    assert contrastive.projector is not None
    assert all(p.grad is not None and p.grad.norm() > 0 for p in contrastive.projector.parameters())


def test_by_contrast_alone_the_generator_stays_and_a_checkpoint_goes_on(tiny: TrainConfig) -> None:
    config = replace(tiny, loss=LossConfig(gan="none", contrast_weight=1.0))
    trainer, other = Trainer(config, CPU), Trainer(config, CPU)
    start = copy.deepcopy(trainer.state())
    losses = [float(trainer.advance(batch(config))["contrast"]) for _ in range(12)]
    assert losses[-1] < losses[0]
    assert torch.equal(flat(list(trainer.generator.parameters())), flat(list(start["generator"].values())))
    other.load_state(copy.deepcopy(trainer.state()))
    other.step = trainer.step
    for each in (trainer, other):
        each.advance(batch(config))
    for part in ("discriminator", "projector"):
        assert torch.equal(*(flat(list(getattr(each, part).parameters())) for each in (trainer, other)))
