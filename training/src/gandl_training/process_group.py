"""Several processes on one run (`torchrun`): who this one is, and the few things they must agree on."""

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


@dataclass(frozen=True)
class Processes:
    """Rank of this process among `world`; the first one writes files and reports."""

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes."""
        return self.rank == 0

    def mean(self, value: Tensor) -> Tensor:
        """Mean over all processes, the same bits on each."""
        if self.world == 1:
            return value
        total = value.detach().clone()
        dist.all_reduce(total)
        return total / self.world

    def agreed(self, code: int, device: torch.device) -> int:
        """The largest `code` of any process, so that all leave the loop at the same step."""
        if self.world == 1:
            return code
        value = torch.tensor(code, device=device)
        dist.all_reduce(value, op=dist.ReduceOp.MAX)
        return int(value)

    def first_does(self, work: Callable[[], None], device: torch.device) -> None:
        """`work` in the first process while the others wait. Raises its error there, TrainingFailed in the others."""
        failed = 1
        try:
            if self.first:
                work()
            failed = 0
        finally:
            failed = self.agreed(failed, device)
        if failed:
            raise TrainingFailed("the first process could not prepare the run; its own message says why")

    def wait(self) -> None:
        """Until all processes are here."""
        if self.world > 1:
            dist.barrier()

    def check_batch(self, config: TrainConfig) -> None:
        """Raises BadInput, with the numbers that work, where the shares of the batch would not train as the whole."""
        if not trains_as_one(config, self.world):
            always = self.world * math.lcm(config.network.stddev_group, 2)
            counts = ", ".join(str(n) for n in range(1, config.batch + 1) if trains_as_one(config, n))
            raise BadInput(
                f"batch {config.batch} cannot be shared by {self.world} processes so that they train as one; "
                f"give a multiple of {always} as --batch, or another number of processes: {counts}"
            )


def trains_as_one(config: TrainConfig, world: int) -> bool:
    """Whether `world` processes with equal shares of the batch compute what one does with the whole of it.

    Groups of the minibatch standard deviation must be as large in a share as in the whole batch. Path length takes
    half of each share, so with it shares must be even.
    """
    share, rest = divmod(config.batch, world)
    if world == 1 or rest:
        return world == 1
    halves = not config.loss.path_length_weight or share % 2 == 0
    group = config.network.stddev_group
    return halves and group_size(share, group) == group_size(config.batch, group)


ALONE = Processes()
PATIENCE = timedelta(days=7)
"""How long one process waits for another: packing a large screen takes the first one hours. A process that dies is
noticed at once, by its closed connection and by `torchrun`."""


def leads() -> bool:
    """Whether this process is the first by what `torchrun` says, before it has joined the others."""
    return int(os.environ.get("WORLD_SIZE", "1")) == 1 or int(os.environ["RANK"]) == 0


@contextmanager
def joined() -> Iterator[Processes]:
    """The group that `torchrun` announces in the environment, or one process alone. NCCL on GPUs, gloo on CPUs."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Processes()
        return
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo", timeout=PATIENCE)
    try:
        yield Processes(dist.get_rank(), world)
    finally:
        dist.destroy_process_group()


def device_of_process() -> torch.device:
    """This process's GPU if there is one, else the CPU."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    torch.cuda.set_device(device)
    torch.set_float32_matmul_precision("high")  # TF32 for the regularisers, which run outside autocast
    return device
