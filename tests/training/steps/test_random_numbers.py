"""The random numbers of a step: a function of seed and step, shared out between processes."""

from __future__ import annotations

import pytest
import torch
from gandl_training.steps.random_numbers import RandomTape, StepRandom

CPU = torch.device("cpu")


def test_processes_draw_the_shares_of_one_stream() -> None:
    whole = StepRandom.of_step(5, 7, CPU).normal(6, 2)
    halves = [StepRandom.of_step(5, 7, CPU, rank, 2).normal(3, 2) for rank in (0, 1)]
    assert torch.equal(torch.cat(halves), whole)
    uniform = [StepRandom.of_step(5, 7, CPU, rank, 2).uniform(3) for rank in (0, 1)]
    assert torch.equal(torch.cat(uniform), StepRandom.of_step(5, 7, CPU).uniform(6))


def test_each_seed_and_each_step_has_a_stream_of_its_own() -> None:
    streams = {(seed, step): StepRandom.of_step(seed, step, CPU).normal(4) for seed in range(4) for step in range(4)}
    assert len({tuple(values.tolist()) for values in streams.values()}) == len(streams)
    assert torch.equal(streams[2, 3], StepRandom.of_step(2, 3, CPU).normal(4))


def test_the_streams_are_those_of_earlier_runs() -> None:
    """A resumed run must go on with the numbers it began with, so the seed of a step must never change."""
    seeds = [StepRandom.of_step(seed, step, CPU).rng.initial_seed() for seed, step in ((0, 0), (3, 100), (2**62, 5))]
    assert seeds == [4564476756301768121, 6375578891145057852, 4328430445673669206]


def test_a_tape_holds_the_numbers_of_each_step_in_the_same_buffers() -> None:
    def numbers(step: int) -> StepRandom:
        return StepRandom.of_step(3, step, CPU)

    def values(random: RandomTape | StepRandom) -> list[torch.Tensor]:
        return [random.normal(4, 2), random.uniform(3), random.normal(2)]

    tape = RandomTape(numbers(0))
    buffers = values(tape)
    assert all(map(torch.equal, buffers, values(numbers(0))))
    tape.refill(numbers(1))
    assert all(map(torch.equal, buffers, values(numbers(1))))
    assert [value.data_ptr() for value in values(tape)] == [buffer.data_ptr() for buffer in buffers]


def test_a_tape_refuses_another_order() -> None:
    tape = RandomTape(StepRandom.of_step(0, 0, CPU))
    tape.normal(4)
    tape.refill(StepRandom.of_step(0, 1, CPU))
    with pytest.raises(RuntimeError, match=r"rand \(4,\) where it asked for \(4,\)"):
        tape.uniform(4)
