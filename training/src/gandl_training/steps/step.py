"""One training step of both networks, and the state that it changes."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from gandl_training.config import TrainConfig
from gandl_training.networks.averaging import ema_decay
from gandl_training.networks.stylegan2 import Discriminator, Generator, Projector
from gandl_training.process_group import SINGLE_PROCESS, ProcessGroup
from gandl_training.steps import losses
from gandl_training.steps.augment import augment, next_probability, view
from gandl_training.steps.graphs import StepGraphs
from gandl_training.steps.random_numbers import RandomNumbers, StepRandom
from gandl_training.steps.terms import LazyTerms

_Net = TypeVar("_Net", bound=nn.Module)


class Trainer:
    """Both networks, their optimisers and averages, and the training step.

    The random numbers of step k are a function of (seed, k). In a group of processes, each one trains on its share of
    the global batch and the gradients are averaged, so the result is that of one process. `graphs` says whether steps
    are replayed as CUDA graphs; None means on a GPU, if this process trains alone.
    """

    def __init__(
        self,
        config: TrainConfig,
        device: torch.device,
        processes: ProcessGroup = SINGLE_PROCESS,
        *,
        graphs: bool | None = None,
    ) -> None:
        torch.manual_seed(config.seed)
        self.config, self.device, self.processes = config, device, processes
        self.generator = self._on_device(Generator(config.network))
        self.discriminator = self._on_device(Discriminator(config.network))
        self.generator_ema = _frozen_copy(self.generator)
        self.discriminator_ema = _frozen_copy(self.discriminator)
        self.projector = self._on_device(Projector(config.network)) if config.loss.contrast_weight else None
        self.optimiser_g = self._adam(self.generator)
        self.optimiser_d = self._adam(self.discriminator, self.projector)
        self.path_mean = torch.zeros((), device=device)
        self.augment_p = torch.zeros((), device=device)
        self.signs: list[Tensor] = []
        self.step = 0
        alone_on_gpu = device.type == "cuda" and processes.world_size == 1
        self.graphs = StepGraphs(self.compute, device) if (alone_on_gpu if graphs is None else graphs) else None

    def _on_device(self, net: _Net) -> _Net:
        layout = self.config.network.memory_format
        return net.to(self.device, memory_format=layout)  # type: ignore[call-overload,no-any-return]  # not in its stub

    def _adam(self, *nets: nn.Module | None) -> torch.optim.Adam:
        config = self.config
        # The fused step computes all tensors in one call.
        parameters = [p for net in nets if net is not None for p in net.parameters()]
        return torch.optim.Adam(
            parameters,
            config.learning_rate,
            betas=(config.beta1, config.beta2),
            eps=1e-8,
            fused=True,
            capturable=self.device.type == "cuda",
        )

    @property
    def kimg(self) -> float:
        """How many thousand real images this run has trained on."""
        return self.step * self.config.batch / 1000

    @property
    def has_generator(self) -> bool:
        """Whether the generator is trained; the contrastive term alone needs none."""
        return self.config.loss.gan != "none"

    def advance(self, real: Tensor) -> dict[str, Tensor]:
        """Train both networks on the uint8 batch `real` [N, C, R, R] of this process; return the detached losses."""
        config, processes = self.config, self.processes
        random = StepRandom.of_step(config.seed, self.step, self.device, processes.rank, processes.world_size)
        terms = LazyTerms.of_step(config, self.step)
        if self.graphs:
            report = self.graphs.run(real, terms, random)
        else:
            report = self.compute(real.to(self.device), terms, random)
        self.step += 1
        self._update_averages()
        if config.augment.adaptive and "sign" in report:
            self._adapt_augmentation(report["sign"])
            report["augment_p"] = self.augment_p.clone()
        return report

    def compute(self, real: Tensor, terms: LazyTerms, random: RandomNumbers) -> dict[str, Tensor]:
        """Update both networks by the uint8 batch `real` on the device of the trainer; return the detached losses.

        All that changes is changed in place and nothing waits for the device, so the call can be a CUDA graph.
        """
        images = real.float().div(127.5).sub(1).contiguous(memory_format=self.config.network.memory_format)
        if not self.has_generator:
            return self._train_by_contrast(images, random)
        z, noise = self._latents(len(images), random)
        # The images are generated once: the discriminator trains on a detached copy, the generator on the graph.
        with self._autocast():
            fake = self.generator(z, noise)
        real, generated = self._augment(images, random), self._augment(fake.detach(), random)
        report = self._train_discriminator(images, real, generated, terms, random)
        report |= self._train_generator(fake, random)
        if terms.path_length:
            report["path_length"] = self._regularise_path_length(len(images), random)
        return report

    def _train_by_contrast(self, images: Tensor, random: RandomNumbers) -> dict[str, Tensor]:
        """Train the discriminator as a featurizer only, without a generator."""
        self.optimiser_d.zero_grad(set_to_none=True)
        report = {"contrast": self._contrast(images, random)}
        self._update(self.discriminator, self.optimiser_d)
        return report

    def _contrast(self, images: Tensor, random: RandomNumbers) -> Tensor:
        """Add the gradients of the contrastive term on two views of the real images; return its value."""
        loss = self.config.loss
        assert self.projector is not None
        views = torch.cat([view(images, random, self.config.view) for _ in range(2)])
        with self._autocast():
            features = self.discriminator.features(views)
        one, other = self.projector(features.float()).chunk(2)
        value = losses.contrast(one, other, loss.contrast_temperature)
        torch.autograd.backward(value * loss.contrast_weight)
        return value.detach()

    def _train_discriminator(
        self, images: Tensor, real: Tensor, fake: Tensor, terms: LazyTerms, random: RandomNumbers
    ) -> dict[str, Tensor]:
        """Train the discriminator to tell `real`, the augmented `images`, from `fake`."""
        loss = self.config.loss
        adversarial = losses.DISCRIMINATOR_LOSSES[loss.gan]
        self.optimiser_d.zero_grad(set_to_none=True)
        with self._autocast():
            real_scores, fake_scores = self.discriminator.score_both(real, fake)
        value = adversarial(real_scores, fake_scores)
        torch.autograd.backward(value)
        report = {"d": value, "real": real_scores.mean(), "fake": fake_scores.mean(), "sign": real_scores.sign().mean()}
        # Lazy regularisation: a term that acts in every n-th step has n times its weight (StyleGAN2, section 3.1).
        if terms.r1:
            # A gradient of a gradient loses too many digits in bfloat16, so the regularisers run in float32.
            source = real.detach().requires_grad_()
            penalty = losses.r1(self.discriminator(source), source)
            torch.autograd.backward(penalty * self.config.r1_gamma * loss.r1_interval)
            report["r1"] = penalty
        if terms.lipschitz:
            mix = random.uniform(len(real))
            penalty = losses.lipschitz(self.discriminator, real, fake, mix, loss.lipschitz_power)
            torch.autograd.backward(penalty * loss.lipschitz_weight * loss.lipschitz_interval)
            report["lipschitz"] = penalty
        if loss.contrast_weight:
            report["contrast"] = self._contrast(images, random)
        self._update(self.discriminator, self.optimiser_d)
        # Each process moved the running mean by its own share of the batch; all continue with their mean.
        self.discriminator.stddev.copy_(self.processes.mean(self.discriminator.stddev))
        return {k: v.detach() for k, v in report.items()}

    def _train_generator(self, fake: Tensor, random: RandomNumbers) -> dict[str, Tensor]:
        """Train the generator on `fake`, which still has its graph: the images are generated once for both networks."""
        self.optimiser_g.zero_grad(set_to_none=True)
        # Gradients pass through the discriminator, but its weights need none in this half of the step.
        self.discriminator.requires_grad_(False)
        with self._autocast():
            scores = self.discriminator(self._augment(fake, random))
        value = losses.GENERATOR_LOSSES[self.config.loss.gan](scores)
        torch.autograd.backward(value)
        self.discriminator.requires_grad_(True)
        self._update(self.generator, self.optimiser_g)
        return {"g": value.detach()}

    def _regularise_path_length(self, images: int, random: RandomNumbers) -> Tensor:
        """Regularise the path length on half a batch, in float32, as a step of its own (StyleGAN2, section 3.2)."""
        loss = self.config.loss
        # Half a batch, because the gradient of a gradient through the generator needs much memory (StyleGAN2).
        z, noise = self._latents(max(images // 2, 1), random)
        self.optimiser_g.zero_grad(set_to_none=True)
        style = self.generator.mapping(z)
        fake = self.generator.synthesise(style, noise)
        direction = random.normal(*fake.shape)
        lengths = losses.path_lengths(fake, style, direction)
        self.path_mean.copy_(self.processes.mean(losses.update_mean(self.path_mean, lengths)))
        penalty = losses.path_length(lengths, self.path_mean)
        torch.autograd.backward(penalty * loss.path_length_weight * loss.path_length_interval)
        self._update(self.generator, self.optimiser_g)
        return penalty.detach()

    def _update(self, net: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        if self.processes.world_size > 1:
            # One exchange of a single flat tensor costs less than one per parameter.
            gradients = [p.grad for p in net.parameters() if p.grad is not None]
            flat = self.processes.mean(torch.cat([g.flatten() for g in gradients]))
            for gradient, averaged in zip(gradients, torch.split(flat, [g.numel() for g in gradients]), strict=True):
                gradient.copy_(averaged.view_as(gradient))
        optimiser.step()

    @torch.no_grad()
    def _update_averages(self) -> None:
        """Move the running averages of the weights towards the networks."""
        decay = ema_decay(self.kimg, self.config)
        for ema, net in (
            (self.generator_ema, self.generator),
            (self.discriminator_ema, self.discriminator),
        ):
            torch._foreach_lerp_(list(ema.parameters()), list(net.parameters()), 1 - decay)
        # The running mean of the discriminator is averaged over steps already.
        self.discriminator_ema.stddev.copy_(self.discriminator.stddev)

    def state(self) -> dict[str, Any]:
        """Return all that training changes, as state dicts for a checkpoint."""
        return {name: part.state_dict() for name, part in self._parts()} | self._values()

    def load_state(self, state: dict[str, Any]) -> None:
        """Restore what `state` returned."""
        for name, part in self._parts():
            part.load_state_dict(state[name])
        for optimiser in (self.optimiser_g, self.optimiser_d):
            _match_memory_layout(optimiser)
            for group in optimiser.param_groups:
                # The checkpoint may come from a machine of the other kind.
                group["capturable"] = self.device.type == "cuda"
        self.path_mean.copy_(state["path_mean"])
        self.augment_p.copy_(state["augment_p"])
        self.signs = list(state["signs"].to(self.device))

    def _values(self) -> dict[str, Tensor]:
        signs = torch.stack(self.signs) if self.signs else torch.zeros(0)
        return {"path_mean": self.path_mean, "augment_p": self.augment_p, "signs": signs}

    def _parts(self) -> list[tuple[str, Any]]:  # Any: modules and optimisers share no type with state_dict
        names = ("generator", "discriminator", "generator_ema", "discriminator_ema", "optimiser_g", "optimiser_d")
        parts = [(name, getattr(self, name)) for name in names]
        return [*parts, ("projector", self.projector)] if self.projector is not None else parts

    def _latents(self, images: int, random: RandomNumbers) -> tuple[Tensor, list[Tensor]]:
        z = random.normal(images, self.config.network.style)
        return z, [random.normal(images, 1, e, e) for e in self.generator.noise_edges]

    def _augment(self, images: Tensor, random: RandomNumbers) -> Tensor:
        """Augment the images for the discriminator if the run augments at all."""
        return augment(images, self.augment_p, random) if self.config.augment.adaptive else images

    def _adapt_augmentation(self, sign: Tensor) -> None:
        """Adapt the probability of augmentation every few steps to the mean sign of the real scores (ADA)."""
        self.signs.append(sign)
        if len(self.signs) == self.config.augment.interval:
            mean = self.processes.mean(torch.stack(self.signs).mean())
            images = self.config.batch * len(self.signs)
            self.augment_p.copy_(next_probability(self.augment_p, mean, self.config.augment, images))
            self.signs = []

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.bf16)


def _match_memory_layout(optimiser: torch.optim.Optimizer) -> None:
    """Give the moments, as a checkpoint stores them, the memory layout of their parameters.

    The fused step of Adam pairs values and moments by their address and not by their index.
    """
    for parameter, moments in optimiser.state.items():
        for name, value in moments.items():
            if value.shape == parameter.shape:
                moments[name] = torch.empty_like(parameter).copy_(value)


def _frozen_copy(net: _Net) -> _Net:
    return copy.deepcopy(net).eval().requires_grad_(False)
