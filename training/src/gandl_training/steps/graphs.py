"""Steps as CUDA graphs: the thousands of kernels of a step are started by one call.

A small network is bound by the time that the processor needs to start its kernels, and not by the GPU. A graph records
the kernels of a step once, with their addresses, and starts them all together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gandl_training.steps.random_numbers import RandomNumbers, RandomTape, StepRandom
from gandl_training.steps.terms import LazyTerms

WARM_UP_STEPS = 2
"""So many steps of each kind run without a graph: they choose kernels and allocate what stays, such as moments."""

Compute = Callable[[Tensor, LazyTerms, RandomNumbers], dict[str, Tensor]]


@dataclass
class _Kind:
    """The steps with the same lazy terms: their random numbers, and their graph once it is recorded."""

    tape: RandomTape
    steps: int = 0
    graph: torch.cuda.CUDAGraph | None = None
    names: tuple[str, ...] = ()
    losses: Tensor | None = None


class StepGraphs:
    """Computes steps by graphs, one for each combination of lazy terms.

    The first steps of each kind are computed directly, and the next one is recorded. A step computes the same with a
    graph and without: the real images and the random numbers are written into buffers before each step.
    """

    def __init__(self, compute: Compute, device: torch.device) -> None:
        self.compute = compute
        self.device = device
        self.kinds: dict[LazyTerms, _Kind] = {}
        self.real: Tensor | None = None
        # Graphs run one after another, so all of them may use the same memory.
        self.pool = torch.cuda.graph_pool_handle()
        self.stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def run(self, real: Tensor, terms: LazyTerms, random: StepRandom) -> dict[str, Tensor]:
        """Compute one step with the uint8 batch `real` [N, C, R, R], which may lie on the CPU; return the losses."""
        if self.real is None:
            self.real = torch.empty(real.shape, dtype=real.dtype, device=self.device)
        self.real.copy_(real.pin_memory() if real.device.type == "cpu" else real, non_blocking=True)
        kind = self.kinds.setdefault(terms, _Kind(RandomTape(random)))
        kind.tape.refill(random)
        kind.steps += 1
        if kind.steps <= WARM_UP_STEPS:
            return self._directly(self.real, terms, kind)
        if kind.graph is None:
            self._record(self.real, terms, kind)
        return self._replay(kind)

    def _directly(self, real: Tensor, terms: LazyTerms, kind: _Kind) -> dict[str, Tensor]:
        # Gradients remember the stream that they were first computed on; a graph must not wait for the default one.
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            report = self.compute(real, terms, kind.tape)
        torch.cuda.current_stream().wait_stream(self.stream)
        return report

    def _record(self, real: Tensor, terms: LazyTerms, kind: _Kind) -> None:
        kind.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(kind.graph, pool=self.pool, stream=self.stream, capture_error_mode="thread_local"):
            report = self.compute(real, terms, kind.tape)
            kind.names, kind.losses = tuple(report), torch.stack(list(report.values()))

    def _replay(self, kind: _Kind) -> dict[str, Tensor]:
        assert kind.graph is not None
        assert kind.losses is not None
        kind.graph.replay()
        # The next replay writes over the losses, so the caller gets a copy.
        return dict(zip(kind.names, kind.losses.clone().unbind(), strict=True))
