"""The processes that share one run (`torchrun`): the rank of this process, and the few things all must agree on."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from gandl_shared.errors import BadInput, TrainingFailed
from torch import Tensor

from gandl_training.config import TrainConfig
from gandl_training.networks.layers import group_size

TIMEOUT = timedelta(days=7)
"""How long one process waits for another: the main process needs hours to pack a large screen. A process that dies is
noticed at once, by its closed connection and by `torchrun`."""


@dataclass(frozen=True)
class ProcessGroup:
    """The rank of this process among `world_size` processes. The process of rank 0 is the main process, which writes
    the files and reports the progress."""

    rank: int = 0
    world_size: int = 1

    @property
    def is_main(self) -> bool:
        """True in the main process."""
        return self.rank == 0

    def mean(self, value: Tensor) -> Tensor:
        """Return the mean of `value` over all processes, with the same bits in each."""
        if self.world_size == 1:
            return value
        # A sum and a division, because gloo has no mean; every process gets the bits of the same sum.
        total = value.detach().clone()
        dist.all_reduce(total)
        return total / self.world_size

    def maximum(self, code: int, device: torch.device) -> int:
        """Return the largest `code` of all processes, so that all of them leave a loop at the same step."""
        if self.world_size == 1:
            return code
        value = torch.tensor(code, device=device)
        dist.all_reduce(value, op=dist.ReduceOp.MAX)
        return int(value)

    def run_on_main(self, work: Callable[[], None], device: torch.device) -> None:
        """Run `work` in the main process while the others wait.

        Raises the error of `work` in the main process, and TrainingFailed in the others.
        """
        failed = 1
        try:
            if self.is_main:
                work()
            failed = 0
        finally:
            # Every process must reach this exchange, also after an error, or the others would wait until the timeout.
            failed = self.maximum(failed, device)
        if failed:
            raise TrainingFailed("the main process could not prepare the run; its own message says why")

    def wait(self) -> None:
        """Wait until all processes have reached this line."""
        if self.world_size > 1:
            dist.barrier()

    def check_batch(self, config: TrainConfig) -> None:
        """Raise BadInput, with the numbers that work, where shares of the batch would not train like the whole."""
        if config.loss.contrast_weight and self.world_size > 1:
            raise BadInput(
                "the contrastive term compares all images of a batch, so one process must have them all; "
                "leave out --contrast, or train without torchrun"
            )
        if not trains_as_one(config, self.world_size):
            always = self.world_size * math.lcm(config.network.stddev_group, 2)
            counts = ", ".join(str(n) for n in range(1, config.batch + 1) if trains_as_one(config, n))
            raise BadInput(
                f"batch {config.batch} cannot be shared by {self.world_size} processes so that they train as one; "
                f"give a multiple of {always} as --batch, or another number of processes: {counts}"
            )


def trains_as_one(config: TrainConfig, world_size: int) -> bool:
    """True if `world_size` processes with equal shares of the batch compute what one process does with the whole of it.

    The groups of the minibatch standard deviation must be as large in a share as in the whole batch. Path length takes
    half of each share, so with path length the shares must be even.
    """
    share, rest = divmod(config.batch, world_size)
    if world_size == 1 or rest:
        return world_size == 1
    halves = not config.loss.path_length_weight or share % 2 == 0
    group = config.network.stddev_group
    return halves and group_size(share, group) == group_size(config.batch, group)


SINGLE_PROCESS = ProcessGroup()


def is_main_process() -> bool:
    """True if `torchrun` gives this process rank 0, or if there is no `torchrun`; no group need be joined for this."""
    return int(os.environ.get("WORLD_SIZE", "1")) == 1 or int(os.environ["RANK"]) == 0


@contextmanager
def join_process_group() -> Iterator[ProcessGroup]:
    """Join the group that `torchrun` announces in the environment; without one, this process is a group of its own.

    The processes exchange by NCCL on GPUs and by gloo on CPUs.
    """
    world_size = int(os.environ.get("WORLD_SIZE", "1"))
    if world_size == 1:
        yield SINGLE_PROCESS
        return
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo", timeout=TIMEOUT)
    try:
        yield ProcessGroup(dist.get_rank(), world_size)
    finally:
        dist.destroy_process_group()


def process_device() -> torch.device:
    """Return the GPU of this process if there is one, else the CPU."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    torch.cuda.set_device(device)
    torch.set_float32_matmul_precision("high")  # TF32 for the regularisers, which run outside autocast
    return device
