"""One training step of both networks, and the state that it moves."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from gandl_training import losses
from gandl_training.config import TrainConfig
from gandl_training.networks import Discriminator, Generator



_Net = TypeVar("_Net", bound=nn.Module)


class Trainer:
    """Both players and the step. Random numbers of step k come from (seed, k); with `world` processes each takes its
    share of the global batch and gradients are averaged, so the result is that of one process."""

    def __init__(self, config: TrainConfig, device: torch.device, rank: int = 0, world: int = 1) -> None:
        torch.manual_seed(config.seed)
        self.config, self.device, self.rank, self.world = config, device, rank, world
        self.generator = Generator(config.network).to(device)
        self.discriminator = Discriminator(config.network).to(device, memory_format=torch.channels_last)
        self.generator_ema = _frozen_copy(self.generator)
        self.discriminator_ema = _frozen_copy(self.discriminator)
        self.optimiser_g = self._adam(self.generator)
        self.optimiser_d = self._adam(self.discriminator)
        self.path_mean = torch.zeros((), device=device)
        self.step = 0

    def _adam(self, net: nn.Module) -> torch.optim.Adam:
        config = self.config
        return torch.optim.Adam(net.parameters(), config.learning_rate, betas=(0.0, config.beta2), eps=1e-8, fused=True)

    def advance(self, real: Tensor) -> dict[str, Tensor]:
        """Train both networks on the uint8 batch `real` [N, C, R, R] of this process; returns the losses, detached."""
        config, rng = self.config, self._rng()
        images = real.to(self.device).float().div(127.5).sub(1).contiguous(memory_format=torch.channels_last)
        z, noise = self._latents(len(images), rng)
        with self._autocast():
            fake = self.generator(z, noise)
        report = self._train_discriminator(images, fake.detach(), rng)
        report |= self._train_generator(fake)
        every = config.loss.path_length_interval
        if config.loss.path_length_weight and self.step % every == 0:
            report["path_length"] = self._regularise_paths(len(images), rng)
        self.step += 1
        self._average()
        return report

    def _train_discriminator(self, real: Tensor, fake: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        loss = self.config.loss
        adversarial = losses.DISCRIMINATOR[loss.gan]
        self.optimiser_d.zero_grad(set_to_none=True)
        with self._autocast():
            real_scores = self.discriminator(real, track=True)
            fake_scores = self.discriminator(fake)
        value = adversarial(real_scores, fake_scores)
        value.backward()
        report = {"d": value, "real": real_scores.mean(), "fake": fake_scores.mean(), "sign": real_scores.sign().mean()}
        if self.config.r1_gamma and self.step % loss.r1_interval == 0:
            images = real.detach().requires_grad_()
            penalty = losses.r1(self.discriminator(images), images)
            (penalty * self.config.r1_gamma * loss.r1_interval).backward()
            report["r1"] = penalty
        if loss.lipschitz_weight and self.step % loss.lipschitz_interval == 0:
            mix = torch.rand(len(real) * self.world, generator=rng, device=self.device)
            mix = self._share(mix, len(real))
            penalty = losses.lipschitz(self.discriminator, real, fake, mix, loss.lipschitz_power)
            (penalty * loss.lipschitz_weight * loss.lipschitz_interval).backward()
            report["lipschitz"] = penalty
        self._update(self.discriminator, self.optimiser_d)
        return {k: v.detach() for k, v in report.items()}

    def _train_generator(self, fake: Tensor) -> dict[str, Tensor]:
        """`fake` still carries the graph of the generator: one pass serves both players."""
        self.optimiser_g.zero_grad(set_to_none=True)
        self.discriminator.requires_grad_(False)
        with self._autocast():
            scores = self.discriminator(fake)
        value = losses.GENERATOR[self.config.loss.gan](scores)
        value.backward()
        self.discriminator.requires_grad_(True)
        self._update(self.generator, self.optimiser_g)
        return {"g": value.detach()}

    def _regularise_paths(self, images: int, rng: torch.Generator) -> Tensor:
        """Path length on half a batch, in float32, as a step of its own."""
        loss = self.config.loss
        z, noise = self._latents(max(images // 2, 1), rng)
        self.optimiser_g.zero_grad(set_to_none=True)
        style = self.generator.mapping(z)
        fake = self.generator.synthesise(style, noise)
        shape = (len(fake) * self.world, *fake.shape[1:])
        direction = self._share(torch.randn(shape, generator=rng, device=self.device), len(fake))
        penalty, mean = losses.path_length(losses.path_lengths(fake, style, direction), self.path_mean)
        (penalty * loss.path_length_weight * loss.path_length_interval).backward()
        self.path_mean = self._mean_over_processes(mean)
        self._update(self.generator, self.optimiser_g)
        return penalty.detach()

    def _update(self, net: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        if self.world > 1:
            gradients = [p.grad for p in net.parameters() if p.grad is not None]
            flat = self._mean_over_processes(torch.cat([g.flatten() for g in gradients]))
            for gradient, averaged in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
                gradient.copy_(averaged.view_as(gradient))
        optimiser.step()

    def _mean_over_processes(self, value: Tensor) -> Tensor:
        if self.world > 1:
            torch.distributed.all_reduce(value)
            value = value / self.world
        return value

    @torch.no_grad()
    def _average(self) -> None:
        """Move the averages towards the networks: half-life `ema_kimg`, shorter while the run is young (ramp-up)."""
        config = self.config
        shown = self.step * config.batch / 1000
        half_life = min(config.ema_kimg, max(shown * config.ema_rampup, 1e-6))
        keep = 0.5 ** (config.batch / 1000 / half_life)
        for ema, net in (
            (self.generator_ema, self.generator),
            (self.discriminator_ema, self.discriminator),
        ):
            torch._foreach_lerp_(list(ema.parameters()), list(net.parameters()), 1 - keep)
        self.discriminator_ema.stddev.copy_(self.discriminator.stddev)

    def state(self) -> dict[str, Any]:
        """All that training moves, as state dicts for a checkpoint."""
        return {name: part.state_dict() for name, part in self._parts()} | {"path_mean": self.path_mean}

    def load_state(self, state: dict[str, Any]) -> None:
        """Inverse of `state`."""
        for name, part in self._parts():
            part.load_state_dict(state[name])
        self.path_mean = state["path_mean"].to(self.device)

    def _parts(self) -> list[tuple[str, Any]]:  # Any: modules and optimisers share no type with state_dict
        names = ("generator", "discriminator", "generator_ema", "discriminator_ema", "optimiser_g", "optimiser_d")
        return [(name, getattr(self, name)) for name in names]

    def _latents(self, images: int, rng: torch.Generator) -> tuple[Tensor, list[Tensor]]:
        total = images * self.world
        z = torch.randn(total, self.config.network.style, generator=rng, device=self.device)
        noise = self.generator.draw_noise(total, rng)
        return self._share(z, images), [self._share(n, images) for n in noise]

    def _share(self, values: Tensor, images: int) -> Tensor:
        return values[self.rank * images : (self.rank + 1) * images]

    def _rng(self) -> torch.Generator:
        """A generator for this step alone: distinct streams by a 64-bit mix of seed and step."""
        mixed = (self.config.seed * 0x9E3779B97F4A7C15 + (self.step + 1) * 0xBF58476D1CE4E5B9) % 2**63
        return torch.Generator(self.device).manual_seed(mixed)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.bf16)


def _frozen_copy(net: _Net) -> _Net:
    return copy.deepcopy(net).eval().requires_grad_(False)
