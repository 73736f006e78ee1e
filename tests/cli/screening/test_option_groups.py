"""A group of options in the place of one parameter of a command."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

from gandl.screening.option_groups import with_options


@dataclass(frozen=True, kw_only=True)
class Group:
    """Two options."""

    z: str | None = None
    count: int = 3


def test_the_fields_are_options_of_the_command() -> None:
    calls: list[tuple[str, Group]] = []

    @with_options("group", Group)
    def command(name: str, *, group: Group) -> None:
        calls.append((name, group))

    assert list(inspect.signature(command).parameters) == ["name", "z", "count"]
    command("a", z="max")
    assert calls == [("a", Group(z="max"))]
