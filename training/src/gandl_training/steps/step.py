"""One training step of both networks, and the state that it moves."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from gandl_training.config import TrainConfig
from gandl_training.networks.averaging import ema_keep
from gandl_training.networks.stylegan2 import Discriminator, Generator
from gandl_training.process_group import ALONE, Processes
from gandl_training.steps import losses
from gandl_training.steps.augment import adapted, augment
from gandl_training.steps.random_numbers import Draws

_Net = TypeVar("_Net", bound=nn.Module)


class Trainer:
    """Both players and the step. Random numbers of step k come from (seed, k); with `world` processes each takes its
    share of the global batch and gradients are averaged, so the result is that of one process."""

    def __init__(self, config: TrainConfig, device: torch.device, processes: Processes = ALONE) -> None:
        torch.manual_seed(config.seed)
        self.config, self.device, self.processes = config, device, processes
        self.generator = self._placed(Generator(config.network))
        self.discriminator = self._placed(Discriminator(config.network))
        self.generator_ema = _frozen_copy(self.generator)
        self.discriminator_ema = _frozen_copy(self.discriminator)
        self.optimiser_g = self._adam(self.generator)
        self.optimiser_d = self._adam(self.discriminator)
        self.path_mean = torch.zeros((), device=device)
        self.augment_p = torch.zeros((), device=device)
        self.signs: list[Tensor] = []
        self.step = 0

    def _placed(self, net: _Net) -> _Net:
        layout = self.config.network.memory_format
        return net.to(self.device, memory_format=layout)  # type: ignore[call-overload,no-any-return]  # not in its stub

    def _adam(self, net: nn.Module) -> torch.optim.Adam:
        config = self.config
        return torch.optim.Adam(net.parameters(), config.learning_rate, betas=(0.0, config.beta2), eps=1e-8, fused=True)

    @property
    def kimg(self) -> float:
        """Thousands of real images shown."""
        return self.step * self.config.batch / 1000

    def advance(self, real: Tensor) -> dict[str, Tensor]:
        """Train both networks on the uint8 batch `real` [N, C, R, R] of this process; returns the losses, detached."""
        config = self.config
        draws = Draws.of(config.seed, self.step, self.device, self.processes.rank, self.processes.world)
        images = real.to(self.device).float().div(127.5).sub(1).contiguous(memory_format=config.network.memory_format)
        z, noise = self._latents(len(images), draws)
        with self._autocast():
            fake = self.generator(z, noise)
        report = self._train_discriminator(self._seen(images, draws), self._seen(fake.detach(), draws), draws)
        report |= self._train_generator(fake, draws)
        every = config.loss.path_length_interval
        if config.loss.path_length_weight and self.step % every == 0:
            report["path_length"] = self._regularise_paths(len(images), draws)
        self.step += 1
        self._average()
        if config.augment.adaptive:
            self._adapt(report["sign"])
            report["augment_p"] = self.augment_p
        return report

    def _train_discriminator(self, real: Tensor, fake: Tensor, draws: Draws) -> dict[str, Tensor]:
        loss = self.config.loss
        adversarial = losses.DISCRIMINATOR[loss.gan]
        self.optimiser_d.zero_grad(set_to_none=True)
        with self._autocast():
            real_scores, fake_scores = self.discriminator.judge(real, fake)
        value = adversarial(real_scores, fake_scores)
        torch.autograd.backward(value)
        report = {"d": value, "real": real_scores.mean(), "fake": fake_scores.mean(), "sign": real_scores.sign().mean()}
        if self.config.r1_gamma and self.step % loss.r1_interval == 0:
            images = real.detach().requires_grad_()
            penalty = losses.r1(self.discriminator(images), images)
            torch.autograd.backward(penalty * self.config.r1_gamma * loss.r1_interval)
            report["r1"] = penalty
        if loss.lipschitz_weight and self.step % loss.lipschitz_interval == 0:
            mix = draws.uniform(len(real))
            penalty = losses.lipschitz(self.discriminator, real, fake, mix, loss.lipschitz_power)
            torch.autograd.backward(penalty * loss.lipschitz_weight * loss.lipschitz_interval)
            report["lipschitz"] = penalty
        self._update(self.discriminator, self.optimiser_d)
        self.discriminator.stddev.copy_(self.processes.mean(self.discriminator.stddev))
        return {k: v.detach() for k, v in report.items()}

    def _train_generator(self, fake: Tensor, draws: Draws) -> dict[str, Tensor]:
        """`fake` still carries the graph of the generator: one pass serves both players."""
        self.optimiser_g.zero_grad(set_to_none=True)
        self.discriminator.requires_grad_(False)
        with self._autocast():
            scores = self.discriminator(self._seen(fake, draws))
        value = losses.GENERATOR[self.config.loss.gan](scores)
        torch.autograd.backward(value)
        self.discriminator.requires_grad_(True)
        self._update(self.generator, self.optimiser_g)
        return {"g": value.detach()}

    def _regularise_paths(self, images: int, draws: Draws) -> Tensor:
        """Path length on half a batch, in float32, as a step of its own."""
        loss = self.config.loss
        z, noise = self._latents(max(images // 2, 1), draws)
        self.optimiser_g.zero_grad(set_to_none=True)
        style = self.generator.mapping(z)
        fake = self.generator.synthesise(style, noise)
        direction = draws.normal(*fake.shape)
        lengths = losses.path_lengths(fake, style, direction)
        self.path_mean = self.processes.mean(losses.moved_mean(self.path_mean, lengths))
        penalty = losses.path_length(lengths, self.path_mean)
        torch.autograd.backward(penalty * loss.path_length_weight * loss.path_length_interval)
        self._update(self.generator, self.optimiser_g)
        return penalty.detach()

    def _update(self, net: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        if self.processes.world > 1:
            gradients = [p.grad for p in net.parameters() if p.grad is not None]
            flat = self.processes.mean(torch.cat([g.flatten() for g in gradients]))
            for gradient, averaged in zip(gradients, torch.split(flat, [g.numel() for g in gradients]), strict=True):
                gradient.copy_(averaged.view_as(gradient))
        optimiser.step()

    @torch.no_grad()
    def _average(self) -> None:
        """Move the averages towards the networks."""
        keep = ema_keep(self.kimg, self.config)
        for ema, net in (
            (self.generator_ema, self.generator),
            (self.discriminator_ema, self.discriminator),
        ):
            torch._foreach_lerp_(list(ema.parameters()), list(net.parameters()), 1 - keep)
        self.discriminator_ema.stddev.copy_(self.discriminator.stddev)

    def state(self) -> dict[str, Any]:
        """All that training moves, as state dicts for a checkpoint."""
        return {name: part.state_dict() for name, part in self._parts()} | self._values()

    def load_state(self, state: dict[str, Any]) -> None:
        """Inverse of `state`."""
        for name, part in self._parts():
            part.load_state_dict(state[name])
        for optimiser in (self.optimiser_g, self.optimiser_d):
            _lay_out(optimiser)
        self.path_mean = state["path_mean"].to(self.device)
        self.augment_p = state["augment_p"].to(self.device)
        self.signs = list(state["signs"].to(self.device))

    def _values(self) -> dict[str, Tensor]:
        signs = torch.stack(self.signs) if self.signs else torch.zeros(0)
        return {"path_mean": self.path_mean, "augment_p": self.augment_p, "signs": signs}

    def _parts(self) -> list[tuple[str, Any]]:  # Any: modules and optimisers share no type with state_dict
        names = ("generator", "discriminator", "generator_ema", "discriminator_ema", "optimiser_g", "optimiser_d")
        return [(name, getattr(self, name)) for name in names]

    def _latents(self, images: int, draws: Draws) -> tuple[Tensor, list[Tensor]]:
        z = draws.normal(images, self.config.network.style)
        return z, [draws.normal(images, 1, e, e) for e in self.generator.noise_edges]

    def _seen(self, images: Tensor, draws: Draws) -> Tensor:
        """What the discriminator is shown of `images`."""
        return augment(images, self.augment_p, draws) if self.config.augment.adaptive else images

    def _adapt(self, sign: Tensor) -> None:
        self.signs.append(sign)
        if len(self.signs) == self.config.augment.interval:
            mean = self.processes.mean(torch.stack(self.signs).mean())
            shown = self.config.batch * len(self.signs)
            self.augment_p = adapted(self.augment_p, mean, self.config.augment, shown)
            self.signs = []

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.bf16)


def _lay_out(optimiser: torch.optim.Optimizer) -> None:
    """Moments as they lie in a state file → as their parameters lie in memory; the fused step pairs them by address."""
    for parameter, moments in optimiser.state.items():
        for name, value in moments.items():
            if value.shape == parameter.shape:
                moments[name] = torch.empty_like(parameter).copy_(value)


def _frozen_copy(net: _Net) -> _Net:
    return copy.deepcopy(net).eval().requires_grad_(False)
